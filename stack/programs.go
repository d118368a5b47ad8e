package stack

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"bucketbrigade/deploy/nginx"
)

// listening is the line with which a shard tells its address.
var listening = regexp.MustCompile(`(?:^|\s|msg=)listening addr="?([^"\s]+)`)

// serving is the line with which the state server says that it answers.
var serving = regexp.MustCompile(`\bserving\b`)

// Folders in the directory of the stack.
const (
	tracksDir     = "tracks"
	uploadsDir    = "uploads"
	recordingsDir = "recordings"
)

// segment is the name of shard n's segment.
func segment(n int) string { return fmt.Sprintf("echo%02d", n) }

// shardName is the name of the child that is shard n.
func shardName(n int) string { return fmt.Sprintf("shard-%02d", n) }

// stateServer opens all segments by name, so that none is found late.
func (s *Stack) stateServer() program {
	args := append([]string{
		"-dir", s.shared.path, "-tracks", filepath.Join(s.dir, tracksDir),
		"-uploads", filepath.Join(s.dir, uploadsDir), "-recordings", filepath.Join(s.dir, recordingsDir),
	}, s.cfg.Args[StateServer]...)
	for n := 1; n <= s.cfg.Shards; n++ {
		args = append(args, segment(n))
	}
	return program{
		name: StateServer, path: filepath.Join(s.cfg.BinDir, StateServer),
		args:     func() []string { return args },
		orphaned: syscall.SIGKILL, ready: serving,
	}
}

// codecShard is ready when it tells the clock, which it has from the state
// server: so the way to there is tried as well.
func (s *Stack) codecShard(n int) program {
	args := func() []string {
		addr := net.JoinHostPort(loopback, "0")
		if s.base != 0 {
			addr = net.JoinHostPort(loopback, strconv.Itoa(s.base+n))
		} else if url := s.ShardURL(n); url != "" {
			addr = strings.TrimPrefix(url, "http://") // in an earlier life
		}
		return slices.Concat([]string{
			"-dir", s.shared.path, "-segment", segment(n), "-listen", addr,
			"-uploads", filepath.Join(s.dir, uploadsDir),
		}, s.cfg.Args[CodecShard])
	}
	return program{
		name: shardName(n), path: filepath.Join(s.cfg.BinDir, CodecShard), args: args,
		orphaned: syscall.SIGKILL, ready: listening,
		probe: func(ctx context.Context, groups []string) error {
			url := "http://" + groups[1]
			s.setShardURL(n, url)
			return answers(ctx, url+"/api", http.StatusOK)
		},
	}
}

// nginxProgram gets its configuration from the generator that ships.
func (s *Stack) nginxProgram() (program, error) {
	path := s.cfg.NginxPath
	if path == "" {
		var err error
		if path, err = nginx.Find(); err != nil {
			return program{}, err
		}
	}
	conf := nginx.Standalone{
		Dir: filepath.Join(s.dir, "nginx"), Listen: s.listen,
		Shards: s.cfg.Shards, BasePort: s.base, Root: s.cfg.Root,
		Recordings: filepath.Join(s.dir, recordingsDir),
	}
	for _, network := range s.cfg.Unlimited {
		conf.Options = append(conf.Options, "--unlimited", network)
	}
	if err := conf.Write(); err != nil {
		return program{}, fmt.Errorf("the configuration of nginx: %w", err)
	}
	return program{
		name: Nginx, path: path,
		args: func() []string { return slices.Concat(conf.Args(), s.cfg.Args[Nginx]) },
		// Its workers are children of its own, which SIGTERM takes along.
		orphaned: syscall.SIGTERM,
		probe: func(ctx context.Context, _ []string) error {
			return answers(ctx, s.URL()+"/", 0)
		},
	}, nil
}

// answers asks url once, over a connection of its own: nil if it answers with
// the status want, or with any if want is 0.
func answers(ctx context.Context, url string, want int) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)); err != nil {
		return err
	}
	if want != 0 && resp.StatusCode != want {
		return fmt.Errorf("GET %s: %s, want %d", url, resp.Status, want)
	}
	return nil
}
