package shard

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/upload"
)

// load is who asks without a break, and what becomes of it.
type load struct {
	addr           string
	stop           chan struct{}
	asking         sync.WaitGroup
	answered, lost atomic.Int64
	reason         atomic.Pointer[string]
}

// post sends one request over a connection and reads the answer; last says that
// the connection ends with it.
func (l *load) post(c net.Conn, r *bufio.Reader) (last bool, err error) {
	if _, err := fmt.Fprintf(c, "POST /?action=status HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"); err != nil {
		return true, err
	}
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return true, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return true, fmt.Errorf("status %d", resp.StatusCode)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.Close, err
}

// ask asks until stop, on connections that are kept for up to n requests.
func (l *load) ask(n int) {
	for {
		c, err := net.Dial("tcp", l.addr)
		if err != nil {
			l.lose(err)
			continue
		}
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		r := bufio.NewReader(c)
		for range n {
			last, err := l.post(c, r)
			if err != nil {
				l.lose(err)
			} else {
				l.answered.Add(1)
			}
			select {
			case <-l.stop:
				c.Close()
				return
			default:
			}
			if last || err != nil {
				break
			}
		}
		c.Close()
	}
}

func (l *load) lose(err error) {
	why := err.Error()
	l.reason.Store(&why)
	l.lost.Add(1)
}

// slowUpload uploads to a running shard something that is usable once pending is
// false, and returns when it is under way; done waits for the answer.
func slowUpload(t *testing.T, s *Server, pending *atomic.Bool) (done func()) {
	t.Helper()
	pending.Store(true)
	answered, file := make(chan error, 1), pngFile(t)
	go func() {
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
		resp, err := client.Post("http://"+s.Addr().String()+"/upload?type=image", "", bytes.NewReader(file))
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				err = errors.New(resp.Status)
			}
		}
		answered <- err
	}()
	for {
		if _, n := s.intake.look(); n > 0 {
			break
		}
		<-time.After(time.Millisecond)
	}
	return func() {
		<-time.After(20 * time.Millisecond)
		pending.Store(false)
		if err := <-answered; err != nil {
			t.Errorf("an upload is lost: %v", err)
		}
	}
}

// A shard that is stopped while another process has its socket open, and started
// anew, twenty times, loses no request: neither on connections that are kept nor
// on new ones, neither of those in the queue nor of those under way, be it that
// something is uploaded or not.
func TestRestartsLoseNoRequest(t *testing.T) {
	t.Parallel()
	held, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	l := &load{addr: held.Addr().String(), stop: make(chan struct{})}
	for _, n := range []int{1, 1, 1, 1, 1000, 1000, 1000, 7} {
		l.asking.Go(func() { l.ask(n) })
	}
	var under atomic.Int64
	b := &stub{clock: now, hold: func(proto.Query) {
		if under.Add(1)%16 == 0 {
			<-time.After(10 * time.Millisecond) // a state server that takes its time
		}
	}}
	var pending atomic.Bool
	b.upload = func(string) string {
		if pending.Load() {
			return proto.UploadPending
		}
		return proto.UploadReady
	}
	store, err := upload.NewStore(t.TempDir(), slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	for round := range 20 {
		inherited := inherit(t, held)
		s := newTestServer(t, b, func(c *Config) { c.Listeners, c.Uploads = []net.Listener{inherited}, store })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		for before := l.answered.Load(); l.answered.Load() < before+200; {
			<-time.After(time.Millisecond)
		}
		uploaded := func() {}
		if round%4 == 0 {
			uploaded = slowUpload(t, s, &pending)
		}
		cancel()
		uploaded()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	last := newTestServer(t, b, func(c *Config) { c.Listeners = []net.Listener{inherit(t, held)} })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- last.Run(ctx) }()
	close(l.stop)
	l.asking.Wait()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := l.lost.Load(); n > 0 {
		t.Errorf("%d of %d requests were lost, the last one: %s", n, n+l.answered.Load(), *l.reason.Load())
	}
}

// inherit gives a listener as a new process gets it from systemd: a copy of the
// descriptor.
func inherit(t *testing.T, l net.Listener) net.Listener {
	t.Helper()
	file, err := l.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	copied, err := net.FileListener(file)
	if err != nil {
		t.Fatal(err)
	}
	return copied
}

// A connection on which nothing comes does not keep a shard from stopping, nor
// is it closed before linger is over; a request that comes meanwhile is answered,
// and is the last one.
func TestSilentConnectionsAreClosedAfterAWhile(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, &stub{clock: now}, nil)
	ctx, stop := testContext(t)
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	l := &load{addr: s.Addr().String()}
	dial := func(requests int) (net.Conn, *bufio.Reader) {
		c, err := net.Dial("tcp", l.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		r := bufio.NewReader(c)
		for range requests {
			if last, err := l.post(c, r); last || err != nil {
				t.Fatalf("last %t, %v", last, err)
			}
		}
		return c, r
	}
	silent, _ := dial(1)
	c, r := dial(1)
	begin := time.Now()
	stop()
	for !s.connections.stopping.Load() {
		<-time.After(time.Millisecond)
	}
	if last, err := l.post(c, r); !last || err != nil {
		t.Errorf("a request while the shard stops: last %t, %v", last, err)
	}
	if n, err := silent.Read(make([]byte, 1)); n > 0 || time.Since(begin) < linger {
		t.Errorf("the silent connection: %d bytes, %v after %v", n, err, time.Since(begin))
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > shutdownGrace {
		t.Errorf("it took %v", took)
	}
}

// A request that comes to no end is cut off when the grace is over.
func TestStopIsBounded(t *testing.T) {
	t.Parallel()
	conns := newConnections()
	client, server := net.Pipe()
	defer client.Close()
	conns.note(server, http.StateActive)
	grace, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	closed := false
	if left := conns.drain(grace, func() { closed = true }); left != 1 || !closed {
		t.Errorf("%d are left, listeners closed: %t", left, closed)
	}
}

func TestUnixSocketsPeerIsOnThisMachine(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("unix", t.TempDir()+"/s")
	if err != nil {
		t.Fatal(err)
	}
	b := &stub{clock: now}
	s := newTestServer(t, b, func(c *Config) { c.Listeners = []net.Listener{l} })
	ctx, stop := testContext(t)
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	c, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = fmt.Fprintf(c, "POST /?action=status HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if b.last.ClientAddress != "203.0.113.5" || !strings.HasPrefix(string(b.last.Session), "address:") {
		t.Errorf("the state server was told %q, %q", b.last.ClientAddress, b.last.Session)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
