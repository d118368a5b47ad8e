package shard

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// linger is how long a silent connection stays open once the shard is to stop:
	// longer than a singer is silent, so that most connections end with an answer
	// that says so, and none is closed just as a request comes.
	linger = 700 * time.Millisecond
	// drainLook is how often a shard that is to stop looks at its connections.
	drainLook = 5 * time.Millisecond
)

// connections are those of a shard's HTTP server. They are known so that a shard
// can stop without losing a request: http.Server.Shutdown by itself drops
// connections that were accepted and not read yet, and closes idle ones whatever
// is on its way.
//
//	stop     answers say "Connection: close"; new connections are still taken
//	  |      until no connection is older than the stop, or for linger
//	listeners closed     whoever connects now waits in the queue of systemd's
//	  |                  copy of the socket, for the next shard
//	  |      what is under way is answered; who is silent for linger is closed
//	no connection left
type connections struct {
	stopping atomic.Bool

	mu    sync.Mutex
	state map[net.Conn]connection
}

// connection is what is known of one.
type connection struct {
	silent bool // no request of it is being answered
	since  time.Time
}

func newConnections() *connections {
	return &connections{state: make(map[net.Conn]connection)}
}

// note is http.Server.ConnState.
func (c *connections) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew, http.StateIdle, http.StateActive:
		c.state[conn] = connection{silent: state != http.StateActive, since: time.Now()}
	default:
		delete(c.state, conn)
	}
}

// farewell has the answers say that they are the last ones of their connections
// once the shard is to stop.
func (c *connections) farewell(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.stopping.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// drain ends all connections without losing a request, until ctx ends: how many
// are left then it returns. closeListeners returns when no connection is accepted
// any more.
func (c *connections) drain(ctx context.Context, closeListeners func()) (left int) {
	begin := time.Now()
	c.stopping.Store(true)
	tick := time.NewTicker(drainLook)
	defer tick.Stop()
	wait := func() bool {
		select {
		case <-tick.C:
			return true
		case <-ctx.Done():
			return false
		}
	}
	for c.olderThan(begin) && time.Since(begin) < linger && wait() {
	}
	closeListeners()
	for {
		if left = c.closeSilent(begin); left == 0 || !wait() {
			return left
		}
	}
}

// olderThan tells whether a connection is as it was before begin.
func (c *connections) olderThan(begin time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, is := range c.state {
		if is.since.Before(begin) {
			return true
		}
	}
	return false
}

// closeSilent closes connections that are silent for linger, of what comes after
// begin, and tells how many others there are.
func (c *connections) closeSilent(begin time.Time) (left int) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn, is := range c.state {
		if is.since.Before(begin) {
			is.since = begin
		}
		if is.silent && now.Sub(is.since) >= linger {
			_ = conn.Close() // its goroutine takes it off the list
		}
		left++
	}
	return left
}
