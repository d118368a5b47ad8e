package main

import (
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"bucketbrigade/internal/service/servicetest"
)

func TestMain(m *testing.M) { servicetest.Main(m, main) }

// listener gives a socket as systemd opens it, and its address.
func listener(t *testing.T) (*os.File, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file, l.Addr().String()
}

// A shard as systemd runs it: with a socket, a watchdog, and a state server that
// never comes. It is alive and says so all the same, and who connects while no
// shard runs is answered by the next.
func TestRunsUnderSystemd(t *testing.T) {
	t.Parallel()
	socket, addr := listener(t)
	sharded := []string{"-dir", t.TempDir(), "-segment", "echo01"}
	for _, c := range []struct {
		args   []string
		status string
		asks   string
		says   string
	}{
		{append(sharded, "-listen", "127.0.0.1:1"), "STATUS=singers 0, shared streams 0, state server does not answer",
			"OPTIONS", "-listen is not used: systemd has opened sockets"},
		{nil, "", "POST", "listening"},
	} {
		answered := make(chan error, 1)
		go func() {
			req, err := http.NewRequest(c.asks, "http://"+addr+"/?action=status", nil)
			if err == nil {
				var resp *http.Response
				if resp, err = http.DefaultClient.Do(req); err == nil {
					resp.Body.Close()
				}
			}
			answered <- err
		}()
		p := servicetest.Start(t, servicetest.Unit{Args: c.args, Socket: socket, SocketName: "http", Watchdog: 2 * time.Second})
		if ready := p.Await("READY=1"); !strings.Contains(ready, c.status) {
			t.Errorf("ready as %q, want %q", ready, c.status)
		}
		if err := <-answered; err != nil {
			t.Error(err)
		}
		p.Await("WATCHDOG=1")
		p.Await("WATCHDOG=1")
		if status := p.Stop(); status != 0 {
			t.Errorf("exit status %d", status)
		}
		p.Await("STOPPING=1")
		if !strings.Contains(p.Log(), c.says) {
			t.Errorf("logged\n%s\nwant %q", p.Log(), c.says)
		}
	}
}

func TestSocketsOfOtherNamesAreRefused(t *testing.T) {
	t.Parallel()
	socket, _ := listener(t)
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, c := range []struct {
		socket *os.File
		name   string
		says   string
	}{
		{socket, "shard@01.socket", "sockets called shard@01.socket: say FileDescriptorName=http"},
		{null, "http", "socket http of systemd"},
	} {
		p := servicetest.Start(t, servicetest.Unit{Socket: c.socket, SocketName: c.name})
		if status := p.Wait(); status != 1 || !strings.Contains(p.Log(), c.says) {
			t.Errorf("%s: exit status %d, said %q, want 1 and %q", c.name, status, p.Log(), c.says)
		}
	}
}
