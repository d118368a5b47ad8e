package shard

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"bucketbrigade/proto"
)

// pipes is a listener whose connections lie in memory, fit for a bubble of fake
// time.
type pipes struct {
	dialled chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.dialled:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

// dial gives the client's end of a new connection.
func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.dialled <- server
	return client
}

// runOnPipes runs a shard in a bubble, as adjust wants it unless that is nil; stop ends it and gives what Run gave.
func runOnPipes(t *testing.T, b Backend, adjust func(*Config)) (s *Server, p *pipes, stop func() error) {
	s = newTestServer(t, b, adjust)
	_ = s.closeListeners()
	p = &pipes{dialled: make(chan net.Conn), closed: make(chan struct{})}
	s.listeners = []net.Listener{p}
	ctx, cancel := testContext(t)
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return s, p, func() error { cancel(); return <-done }
}

// head is the head of a singer's request with a body of n bytes.
func head(user, k, n int) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nCookie: %s=%s\r\nContent-Length: %d\r\n\r\n",
		target(user, now.Add(k*batch), batch, nil), cookieName, testCookie, n)
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

// taken asks for batch k of a user and tells how long the answer took.
func taken(t *testing.T, s *Server, user, k int) time.Duration {
	t.Helper()
	start := time.Now()
	if w := ask(s, http.MethodPost, target(user, now.Add(k*batch), batch, nil), nil); w.Code != 200 {
		t.Errorf("user %d, batch %d: %d %s", user, k, w.Code, w.Body)
	}
	return time.Since(start)
}

func TestWhoDoesNotReadHisAnswerDelaysOnlyHimself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, p, stop := runOnPipes(t, &stub{clock: now}, nil)
		c := p.dial()
		defer c.Close()
		send(t, c, head(7, 1, 0))
		synctest.Wait()
		if d := taken(t, s, 8, 1); d != 0 {
			t.Errorf("another singer's answer took %v", d)
		}
		if d := taken(t, s, 7, 2); d != answerTimeout {
			t.Errorf("his own next answer took %v, want %v", d, answerTimeout)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestWhoDoesNotSendHisBodyHasNoTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, p, stop := runOnPipes(t, &stub{clock: now}, nil)
		c := p.dial()
		defer c.Close()
		start := time.Now()
		send(t, c, head(7, 2, 1000)+"half")
		synctest.Wait()
		if d := taken(t, s, 7, 1) + taken(t, s, 7, 2); d != 0 {
			t.Errorf("the singer's own answers took %v", d)
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if d := time.Since(start); resp.StatusCode != 400 || d != readTimeout || !resp.Close {
			t.Errorf("the slow request: %d after %v, closing %v; want 400 after %v and the end", resp.StatusCode, d, resp.Close, readTimeout)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestStopsInSpiteOfAStalledClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, p, stop := runOnPipes(t, &stub{clock: now}, nil)
		c := p.dial()
		defer c.Close()
		send(t, c, head(7, 1, 1000)+"half")
		synctest.Wait()
		start := time.Now()
		if err := stop(); err != nil {
			t.Errorf("a client must not make the end a failure: %v", err)
		}
		if d := time.Since(start); d != shutdownGrace {
			t.Errorf("stopped after %v, want %v", d, shutdownGrace)
		}
	})
}

func TestAClientThatGoesGivesTheTurnBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s, p, stop := runOnPipes(t, &stub{clock: now, hold: func(q proto.Query) {
			if q.Read == now.Add(batch) {
				<-release
			}
		}}, nil)
		c := p.dial()
		send(t, c, head(7, 1, 0))
		synctest.Wait()
		c.Close()
		synctest.Wait()
		close(release)
		if d := taken(t, s, 7, 2); d != 0 {
			t.Errorf("the next request took %v", d)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestWhoWaitsAndGoesGetsNoAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newHandlerOnly(&stub{clock: now})
		taken(t, s, 7, 1)
		ctx, cancel := testContext(t)
		end := make(chan any)
		go func() {
			defer func() { end <- recover() }()
			r := newTestRequest(http.MethodPost, target(7, now.Add(3*batch), batch, nil), nil, testCookie)
			w := serve(s, r.WithContext(ctx))
			t.Errorf("answered %d", w.Code)
		}()
		synctest.Wait()
		cancel()
		if r := <-end; r != http.ErrAbortHandler {
			t.Errorf("the handler ended with %v, want an abort", r)
		}
		if n := len(s.roster.singers[testKey].waiting); n != 0 {
			t.Errorf("%d requests still wait", n)
		}
		taken(t, s, 7, 2)
	})
}

func TestAPanicGivesTurnAndCoderBack(t *testing.T) {
	t.Parallel()
	silent := &stub{clock: now}
	failing := true
	s := newTestServer(t, backendFunc(func(req *proto.Request, ans *proto.Answer) error {
		if failing {
			panic("a fault of ours")
		}
		return silent.Call(t.Context(), req, ans)
	}), nil)
	func() {
		defer func() {
			if r := recover(); r != "a fault of ours" {
				t.Errorf("the handler ended with %v", r)
			}
		}()
		ask(s, http.MethodPost, target(7, now, 2880, nil), sung(t, 1))
	}()
	if s.roster.len() != 0 || len(s.coders) != 0 {
		t.Errorf("%d singers, %d coders at work", s.roster.len(), len(s.coders))
	}
	failing = false
	if w := ask(s, http.MethodPost, target(7, now, 2880, nil), nil); w.Code != 200 {
		t.Errorf("the next request: %d", w.Code)
	}
}

func TestRunEndsWellWhenClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, &stub{clock: now}, nil)
		_ = s.listeners[0].Close()
		s.listeners[0] = &pipes{closed: make(chan struct{})}
		done := make(chan error, 1)
		go func() { done <- s.Run(t.Context()) }()
		synctest.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestStateAwayIsToldToAllWhoWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const timeout = 2 * time.Second
		s := newHandlerOnly(&stub{clock: now, fail: func() error {
			timer := time.NewTimer(timeout)
			<-timer.C
			return proto.Refuse(503, "away")
		}})
		var all sync.WaitGroup
		for k := 1; k <= 4; k++ { // as a singer does, each 600 ms
			all.Go(func() {
				start := time.Now()
				w := ask(s, http.MethodPost, target(7, now.Add(k*batch), batch, nil), nil)
				if d := time.Since(start); w.Code != 503 || d > timeout || w.Header().Get("Retry-After") != "1" {
					t.Errorf("request %d: %d after %v, want 503 within %v", k, w.Code, d, timeout)
				}
			})
			pace := time.NewTimer(600 * time.Millisecond)
			<-pace.C
		}
		all.Wait()
		if s.roster.len() != 0 {
			t.Errorf("%d singers are left", s.roster.len())
		}
	})
}

func TestTheEarliestGoesFirstAfterAFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newTestRoster()
		s, err := r.enter(t.Context(), testKey, part(1))
		if err != nil {
			t.Fatal(err)
		}
		took := make(chan string, 10)
		for _, k := range []int{3, 4, 2} {
			go takeTurn(t.Context(), r, k, took)
			synctest.Wait()
		}
		r.leave(s, part(1), errors.New("refused"), time.Now())
		var order []string
		for range 3 {
			order = append(order, <-took)
		}
		if got := strings.Join(order, " "); got != "2 3 4" {
			t.Errorf("turns in the order %s, want 2 3 4", got)
		}
	})
}

func TestASlowStateHoldsNoCoder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := newHandlerOnly(&stub{clock: now, hold: func(q proto.Query) {
			if q.User == 7 {
				<-release
			}
		}})
		s.coders = make(chan struct{}, 1)
		done := make(chan int)
		go func() {
			w := ask(s, http.MethodPost, target(7, now, 2880, nil), sung(t, 1))
			done <- w.Code
		}()
		synctest.Wait()
		if w := ask(s, http.MethodPost, target(8, now, 2880, nil), sung(t, 1)); w.Code != 200 {
			t.Errorf("the other singer: %d", w.Code)
		}
		close(release)
		if code := <-done; code != 200 {
			t.Errorf("the singer whose state was slow: %d", code)
		}
	})
}
