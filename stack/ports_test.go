package stack

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestPortInUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	port := l.Addr().(*net.TCPAddr).Port
	owner := fmt.Sprintf("(pid %d)", os.Getpid())

	tests := []struct {
		change func(*Config)
		want   []string
	}{
		{func(c *Config) { c.Listen = l.Addr().String() }, []string{l.Addr().String(), "wanted for nginx", owner, "make run PORT="}},
		{func(c *Config) { c.BasePort = port - 2 }, []string{l.Addr().String(), "wanted for shard-02", owner, "make run BASE_PORT="}},
	}
	for _, tt := range tests {
		cfg := config(t)
		tt.change(&cfg)
		_, err := New(cfg)
		var taken *PortError
		if !errors.As(err, &taken) || !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("want a *PortError, got %v", err)
			continue
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error has no %q: %v", want, err)
			}
		}
	}
}

func TestBadConfig(t *testing.T) {
	t.Parallel()
	tests := []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Shards = 65 }, "65 shards: must be from 1 to 64"},
		{func(c *Config) { c.Shards = -1 }, "-1 shards"},
		{func(c *Config) { c.BasePort = 65534 }, "base port 65534 with 2 shards"},
		{func(c *Config) { c.BasePort = -1 }, "base port -1"},
		{func(c *Config) { c.BinDir = "/does/not/exist" }, "make build"},
		{func(c *Config) { c.Root = "/does/not/exist" }, "-root"},
		{func(c *Config) { c.Listen = "8080" }, `"8080"`},
		{func(c *Config) { c.Listen = "localhost:8080" }, "must be an IP address"},
		{func(c *Config) { c.Listen = "127.0.0.1:http" }, "must be a number"},
		{func(c *Config) { c.NginxPath = "/does/not/exist" }, ""},
		{func(c *Config) { c.Args = map[string][]string{"stateserver": nil} }, `"stateserver"`},
	}
	for _, tt := range tests {
		cfg := config(t)
		tt.change(&cfg)
		s, err := New(cfg)
		if err == nil { // some faults show only at the start
			err = s.Start(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("want %q, got %v", tt.want, err)
		}
	}
}

// The runner is killed with SIGKILL, so it can do nothing; all its children,
// nginx's workers too, are gone all the same.
func TestChildrenDieWithTheirParent(t *testing.T) {
	t.Parallel()
	bin := binDir(t)
	t.Cleanup(func() { removeLeft("/dev/shm") })
	cmd := exec.Command(filepath.Join(bin, "runner"), bin, t.TempDir())
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var fds []int
	url := ""
	for lines := bufio.NewScanner(stdout); url == "" && lines.Scan(); {
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			url = lines.Text()
			continue
		}
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			t.Errorf("child %d: %v", pid, err)
		}
		defer unix.Close(fd)
		fds = append(fds, fd)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the runner was not killed")
	}
	if len(fds) != 4 {
		t.Fatalf("%d children, want 4; the runner said %q", len(fds), url)
	}
	for i, fd := range fds {
		// A pid's file descriptor is readable once the process has ended.
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(10*time.Second/time.Millisecond))
		if n != 1 || err != nil {
			t.Errorf("child %d of 4 outlived its parent by 10 s: %v", i+1, err)
		}
	}
	if c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
		c.Close()
		t.Errorf("something still answers at %s", url)
	}
}
