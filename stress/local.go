package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"bucketbrigade/internal/manual"
	"bucketbrigade/load"
	"bucketbrigade/stack"
)

// localFlags say which brigade of this machine is started.
type localFlags struct {
	bin, root, encode string
}

func addLocalFlags(fs *flag.FlagSet, f *localFlags) {
	fs.StringVar(&f.bin, "bin", "", "`folder` of state-server and codec-shard (default: that of stress)")
	fs.StringVar(&f.root, "root", "web", "`folder` of the static files")
	fs.StringVar(&f.encode, "encode", "shared", "how shards encode: `shared` or private")
}

// local is a brigade that runs on this machine for as long as it is measured.
type local struct {
	url       string
	processes []load.NamedProcess
	close     func() error
}

// startLocal starts one with so many shards and nginx, or, with none, the small
// set-up: one process without nginx. Its files lie in memory.
func startLocal(ctx context.Context, f localFlags, shards int) (*local, error) {
	if f.bin == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		f.bin = filepath.Dir(self)
	}
	dir, err := os.MkdirTemp("/dev/shm", "stress-")
	if err != nil {
		return nil, err
	}
	var l *local
	if shards == 0 {
		l, err = startUnsharded(ctx, f, dir)
	} else {
		l, err = startSharded(ctx, f, dir, shards)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	stop := l.close
	l.close = func() error { return errors.Join(stop(), os.RemoveAll(dir)) }
	return l, nil
}

func startSharded(ctx context.Context, f localFlags, dir string, shards int) (*local, error) {
	s, err := stack.New(stack.Config{
		BinDir: f.bin, Dir: dir, Shards: shards, Root: f.root,
		Args: map[string][]string{stack.CodecShard: {"-encode", f.encode}},
	})
	if err != nil {
		return nil, err
	}
	if err := s.Start(ctx); err != nil {
		return nil, err
	}
	l := &local{url: s.URL(), close: s.Close}
	for _, name := range s.Names() {
		pid, err := s.Pid(name)
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		l.processes = append(l.processes, load.NamedProcess{Name: name, PID: pid})
	}
	if err := awaitClocks(ctx, l.url, shards); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return l, nil
}

// awaitClocks waits for the clocks of so many shards. One that has not heard of the
// state server yet keeps who asks waiting, which should not be those who are
// measured.
func awaitClocks(ctx context.Context, site string, shards int) error {
	for n := range shards {
		if err := awaitClock(ctx, fmt.Sprintf("%s/api/%02d", site, n+1)); err != nil {
			return err
		}
	}
	return nil
}

func awaitClock(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("a shard that was just started: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("a shard that was just started answers %s to %s", resp.Status, url)
	}
	return errors.Join(err, resp.Body.Close())
}

// listening is the line with which a shard tells its address.
var listening = regexp.MustCompile(`(?:^|\s|msg=)listening addr="?([^"\s]+)`)

// startUnsharded starts a codec-shard that has the state in itself.
func startUnsharded(ctx context.Context, f localFlags, dir string) (*local, error) {
	cmd := exec.Command(filepath.Join(f.bin, stack.CodecShard), "-listen", "127.0.0.1:0", "-encode", f.encode,
		"-recordings", filepath.Join(dir, "recordings"), "-tracks", filepath.Join(dir, "tracks"), "-uploads", filepath.Join(dir, "uploads"))
	for _, name := range []string{"recordings", "tracks", "uploads"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			return nil, err
		}
	}
	lines, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w: build it with `make build`, or say where it is with -bin", stack.CodecShard, err)
	}
	addr, last := make(chan string, 1), ""
	read := make(chan struct{})
	go func() {
		defer close(read)
		for in := bufio.NewScanner(lines); in.Scan(); last = in.Text() {
			if m := listening.FindStringSubmatch(in.Text()); m != nil && len(addr) == 0 {
				addr <- m[1]
			}
		}
	}()
	end := func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		<-read
		_ = cmd.Wait() // how it ends by our wish does not matter
		return nil
	}
	select {
	case a := <-addr:
		return &local{url: "http://" + a, processes: []load.NamedProcess{{Name: "unsharded", PID: cmd.Process.Pid}}, close: end}, nil
	case <-read:
		return nil, errors.Join(fmt.Errorf("%s ended: %s", stack.CodecShard, last), cmd.Wait())
	case <-ctx.Done():
		return nil, errors.Join(context.Cause(ctx), end())
	}
}

// localCommand is a run at a brigade of this machine.
func localCommand(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	var f loadFlags
	var where localFlags
	fs := manual.New("stress local", page, stderr)
	addRunFlags(fs, &f, 40, 20*time.Second)
	addLocalFlags(fs, &where)
	shards := fs.Int("shards", 2, "`number` of codec shards; 0 for one process without state server and nginx")
	fs.StringVar(&f.json, "json", "", "`file` for the result, for programs; - for standard output")
	if err := manual.Parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() > 0 || *shards < 0 {
		return manual.Wrong(fs, "stress local takes flags only, and no less than 0 shards")
	}
	l, err := startLocal(ctx, where, *shards)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	f.urls, f.cfg.Processes = l.url, l.processes
	return loadCommand(ctx, fs, &f, stdout, stderr)
}
