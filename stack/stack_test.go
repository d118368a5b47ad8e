package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// buffer may be written by children and read by the test.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// config is one of stand-ins in a directory that stays until the test's end.
func config(t *testing.T) Config {
	t.Helper()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "index.html"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	return Config{BinDir: binDir(t), Dir: t.TempDir(), Root: root, Log: t.Output()}
}

// start runs a stack until the end of the test.
func start(t *testing.T, cfg Config) *Stack {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func get(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func journal(t *testing.T, s *Stack) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.Dir(), "journal"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWholeStack(t *testing.T) {
	t.Parallel()
	var log buffer
	cfg := config(t)
	cfg.Log, cfg.Shards = &log, 3
	s := start(t, cfg)

	if got := get(t, s.URL()+"/"); got != "hello" {
		t.Errorf("the site says %q", got)
	}
	for n := 1; n <= 3; n++ {
		want := fmt.Sprintf("echo%02d", n)
		if got := get(t, fmt.Sprintf("%s/api/%02d", s.URL(), n)); got != want {
			t.Errorf("shard %d through nginx is %q", n, got)
		}
		if got := get(t, s.ShardURL(n)); got != want {
			t.Errorf("shard %d itself is %q", n, got)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	want := "start state-server [echo01 echo02 echo03]\nstart echo01\nstart echo02\nstart echo03\n" +
		"stop echo03\nstop echo02\nstop echo01\nstop state-server\n"
	if got := journal(t, s); got != want {
		t.Errorf("order:\n%swant:\n%s", got, want)
	}
	for _, line := range []string{"state-server | level=INFO msg=serving\n", "shard-02     | level=INFO msg=listening addr="} {
		if !strings.Contains(log.String(), line) {
			t.Errorf("the log has no %q:\n%s", line, log.String())
		}
	}
	if strings.Contains(log.String(), "\x1b") {
		t.Errorf("colours in a log that is no terminal:\n%s", log.String())
	}
}

func TestUnlimited(t *testing.T) {
	t.Parallel()
	cfg := config(t)
	cfg.Unlimited = []string{"192.0.2.0/24", "2001:db8::/32"}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	site, err := os.ReadFile(filepath.Join(s.Dir(), "nginx", "brigade-site.conf"))
	for _, network := range cfg.Unlimited {
		if !strings.Contains(string(site), network+" 1;") {
			t.Errorf("nginx's site has no %s (%v)", network, err)
		}
	}
	cfg.Unlimited = []string{"example.org"}
	if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), "--unlimited 'example.org'") {
		t.Errorf("a name instead of a network: %v", err)
	}
}

func TestWithoutNginx(t *testing.T) {
	t.Parallel()
	cfg := config(t)
	cfg.NoNginx, cfg.Root = true, "/does/not/exist"
	s := start(t, cfg)
	if got := get(t, s.URL()); got != "echo01" {
		t.Errorf("the site is %q, want shard 1 itself", got)
	}
	url := s.ShardURL(1) // of a port that the shard has picked
	if err := errors.Join(s.Kill("shard-01"), s.Restart(t.Context(), "shard-01")); err != nil {
		t.Error(err)
	}
	if s.ShardURL(1) != url {
		t.Errorf("shard 1 moved from %s to %s", url, s.ShardURL(1))
	}
	if got := strings.Join(s.Names(), " "); got != "state-server shard-01 shard-02" {
		t.Errorf("children %s", got)
	}
}

func TestOwnDirIsRemoved(t *testing.T) {
	t.Parallel()
	cfg := config(t)
	cfg.Dir = ""
	s := start(t, cfg)
	for _, dir := range []string{s.Dir(), s.Shared()} {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			t.Fatalf("no directory: %v", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, dir := range []string{s.Dir(), s.Shared()} {
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", dir, err)
		}
	}

	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(s.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a stack never started left %s: %v", s.Dir(), err)
	}
}

func TestContextStopsAll(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s, err := New(config(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(ctx, cancel); err != nil {
		t.Errorf("the end of the context is no error: %v", err)
	}
	if got := journal(t, s); !strings.HasSuffix(got, "stop state-server\n") {
		t.Errorf("the state server was not stopped last:\n%s", got)
	}
	if _, err := s.Pid("nginx"); !errors.Is(err, errStopped) {
		t.Errorf("the pid of nginx after the end: %v", err)
	}
}

func TestChildThatDies(t *testing.T) {
	t.Parallel()
	cfg := config(t)
	cfg.Args = map[string][]string{CodecShard: {"-noise", "30"}}
	s := start(t, cfg)
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	if resp, err := client.Get(s.ShardURL(2) + "/exit"); err == nil {
		resp.Body.Close()
		t.Fatalf("the shard lives: %s", resp.Status)
	}
	err := s.Wait()
	var died *DiedError
	if !errors.As(err, &died) || died.Name != "shard-02" {
		t.Fatalf("want the death of shard-02, got %v", err)
	}
	if len(died.Tail) != 20 || died.Tail[19] != `level=ERROR msg="out of luck"` || died.Tail[0] != "noise 12" {
		t.Errorf("%d last lines: %q", len(died.Tail), died.Tail)
	}
	for _, want := range []string{"shard-02", "exit status 7", "out of luck"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error has no %q: %v", want, err)
		}
	}
	if got := journal(t, s); !strings.HasSuffix(got, "stop echo01\nstop state-server\n") {
		t.Errorf("the others were not stopped:\n%s", got)
	}
}

func TestStartThatFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args map[string][]string
		want []string
	}{
		"a shard fails": {
			map[string][]string{CodecShard: {"-broken"}},
			[]string{"shard-01", "exit status 3", "cannot map the segment"},
		},
		"the state server fails": {
			map[string][]string{StateServer: {"-broken", "-noise", "1"}},
			[]string{"state-server", "exit status 3", "cannot map the segment"},
		},
		"the state server says nothing": {
			map[string][]string{StateServer: {"-silent"}},
			[]string{"state-server has printed no line", "not all was ready within 300ms"},
		},
		"nginx fails": {
			map[string][]string{Nginx: {"-g", "nonsense;"}},
			[]string{"nginx", "exit status 1", "nonsense"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config(t)
			cfg.Args, cfg.Dir = tt.args, ""
			if strings.Contains(name, "nothing") {
				cfg.StartTimeout = 300 * time.Millisecond
			}
			s, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			err = s.Start(t.Context())
			if err == nil {
				s.Close()
				t.Fatal("it started")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error has no %q: %v", want, err)
				}
			}
			if _, err := os.Stat(s.Dir()); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s is left behind: %v", s.Dir(), err)
			}
		})
	}
}

func TestKillAndRestart(t *testing.T) {
	t.Parallel()
	s := start(t, config(t))
	for _, name := range s.Names() {
		before, err := s.Pid(name)
		if err != nil {
			t.Fatal(err)
		}
		url := s.ShardURL(1)
		if err := s.Kill(name); err != nil {
			t.Fatalf("kill %s: %v", name, err)
		}
		if _, err := s.Pid(name); err == nil {
			t.Errorf("%s has a pid after it was killed", name)
		}
		if err := s.Kill(name); err == nil {
			t.Errorf("%s was killed twice", name)
		}
		if err := s.Restart(t.Context(), name); err != nil {
			t.Fatalf("restart %s: %v", name, err)
		}
		after, err := s.Pid(name)
		if err != nil || after == before {
			t.Errorf("%s has pid %d after %d: %v", name, after, before, err)
		}
		if s.ShardURL(1) != url {
			t.Errorf("shard 1 moved from %s to %s", url, s.ShardURL(1))
		}
		if got := get(t, s.URL()+"/api/01"); got != "echo01" {
			t.Errorf("after the restart of %s shard 1 is %q", name, got)
		}
	}
	if err := s.Restart(t.Context(), "shard-02"); err != nil { // while it runs
		t.Error(err)
	}
	if err := s.Kill("shard-09"); err == nil || !strings.Contains(err.Error(), "state-server, shard-01") {
		t.Errorf("a child that does not exist: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("kills that were asked for are no deaths: %v", err)
	}
}

// A killed nginx takes its workers along, and the port is free at once.
func TestKillTakesTheWholeGroup(t *testing.T) {
	t.Parallel()
	s := start(t, config(t))
	if err := s.Kill(Nginx); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", strings.TrimPrefix(s.URL(), "http://"))
	if err != nil {
		t.Fatalf("somebody still listens: %v", err)
	}
	l.Close()
}

// A master that crashes leaves its workers behind, who hold the port; the stack
// that stops for it ends them too.
func TestNothingIsLeftOfACrash(t *testing.T) {
	t.Parallel()
	s := start(t, config(t))
	pid, err := s.Pid(Nginx)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	var died *DiedError
	if err := s.Wait(); !errors.As(err, &died) || died.Name != Nginx {
		t.Errorf("want the death of nginx, got %v", err)
	}
	l, err := net.Listen("tcp", strings.TrimPrefix(s.URL(), "http://"))
	if err != nil {
		t.Fatalf("somebody still listens: %v", err)
	}
	l.Close()
}

func TestDeafChildIsKilled(t *testing.T) {
	t.Parallel()
	var log buffer
	cfg := config(t)
	cfg.NoNginx, cfg.Log, cfg.Shards, cfg.Grace = true, &log, 1, 50*time.Millisecond
	cfg.Args = map[string][]string{CodecShard: {"-deaf"}}
	s := start(t, cfg)
	pid, err := s.Pid("shard-01")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the deaf shard is still there: %v", err)
	}
	if !strings.Contains(log.String(), "shard-01     | still running 50ms after SIGTERM: killed") {
		t.Errorf("the log does not say that it was killed:\n%s", log.String())
	}
}
