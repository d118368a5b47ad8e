package shard

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"bucketbrigade/proto"
)

// maxWaiting bounds the requests of one singer that wait; a client in the
// field has at most four under way.
const maxWaiting = 8

// A shard that takes over the socket of one that ended does not know where its singers
// stand, and finds several requests of one in the queue. In its youth it waits for
// gather, once a singer, and begins with the earliest.
const (
	youth  = 5 * time.Second
	gather = 50 * time.Millisecond
)

// roster knows the singers of this shard and whose turn it is.
type roster struct {
	youngUntil  time.Time // zero: there was no queue
	reorderWait time.Duration
	idle        time.Duration
	max         int

	mu      sync.Mutex
	singers map[singerKey]*singer
}

func newRoster(cfg Config) *roster {
	return &roster{
		reorderWait: cfg.ReorderWait,
		idle:        cfg.SingerIdle,
		max:         cfg.MaxSingers,
		singers:     make(map[singerKey]*singer),
	}
}

// enter waits for the singer's turn, in the order of the clocks. A request
// whose predecessor does not come within the reorder wait is refused (409), as
// is one that can no longer fit. After a nil error the caller has the turn and
// must call leave.
func (r *roster) enter(ctx context.Context, key singerKey, song *song) (*singer, error) {
	r.mu.Lock()
	s := r.singer(key)
	fits, err := s.fits(song)
	r.gather(s, song)
	if !s.busy && !s.gathering && (fits || err != nil) {
		s.busy = err == nil
		r.mu.Unlock()
		return s, err
	}
	if len(s.waiting) >= maxWaiting {
		r.mu.Unlock()
		return nil, proto.Refuse(http.StatusTooManyRequests, "%d requests of userid %d wait already", maxWaiting, key.user)
	}
	w := &waiter{song, make(chan error, 1)}
	s.waiting = append(s.waiting, w)
	r.mu.Unlock()
	return s, r.await(ctx, s, w)
}

// gather has a singer wait if this may not be the first of his requests that are here.
// The caller holds the mutex.
func (r *roster) gather(s *singer, song *song) {
	if s.busy || s.gathering || s.chained || song.query.Reset || !time.Now().Before(r.youngUntil) {
		return
	}
	s.gathering = true
	time.AfterFunc(gather, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		s.gathering = false
		s.handOn()
	})
}

// await waits for the turn of w. A wait that runs out while another request has
// the turn begins anew: the predecessor may be that one.
func (r *roster) await(ctx context.Context, s *singer, w *waiter) error {
	timer := time.NewTimer(r.reorderWait)
	defer timer.Stop()
	for {
		var gone error
		select {
		case err := <-w.turn:
			return err
		case <-ctx.Done():
			gone = ctx.Err()
		case <-timer.C:
			gone = conflict("read_clock %d with %d samples: what comes before did not arrive within %v; start afresh with reset_user_state",
				w.song.query.Read, w.song.samples, r.reorderWait)
		}
		r.mu.Lock()
		if ctx.Err() == nil && s.busy && s.isWaiting(w) {
			r.mu.Unlock()
			timer.Reset(r.reorderWait)
			continue
		}
		stillWaiting := s.withdraw(w)
		r.mu.Unlock()
		if stillWaiting {
			return gone
		}
		return <-w.turn // given in the meantime
	}
}

// leave ends the turn. outcome tells why the request was not carried out, nil if
// it was; if not, the singer starts from nothing next time. If the state server
// is away, those who wait are told at once: each would wait for it in turn, one
// time-out after the other.
func (r *roster) leave(s *singer, song *song, outcome error, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.busy = false
	if outcome == nil {
		s.heard(song, now)
	} else {
		s.chained, s.wrote = false, false
		s.decoder, s.listener = nil, listener{}
		if proto.AsRefusal(outcome).Code == http.StatusServiceUnavailable {
			s.refuseAll(outcome)
		}
	}
	s.handOn()
	if outcome != nil && !s.busy && !s.gathering && len(s.waiting) == 0 {
		delete(r.singers, s.key)
	}
}

// refuseAll refuses whatever waits.
func (s *singer) refuseAll(err error) {
	for _, w := range s.waiting {
		w.turn <- err
	}
	s.waiting = nil
}

// handOn gives the free turn to the waiting request that fits, the earliest if
// several do, and refuses those that never will.
func (s *singer) handOn() {
	var next *waiter
	kept := s.waiting[:0]
	for _, w := range s.waiting {
		switch fits, err := s.fits(w.song); {
		case err != nil:
			w.turn <- err
		case fits && next == nil:
			next = w
		case fits && !s.chained && w.song.start() < next.song.start():
			kept = append(kept, next)
			next = w
		default:
			kept = append(kept, w)
		}
	}
	clear(s.waiting[len(kept):])
	s.waiting = kept
	if next != nil {
		s.busy = true
		next.turn <- nil
	}
}

func (s *singer) isWaiting(w *waiter) bool {
	return slices.Contains(s.waiting, w)
}

// withdraw takes w off the list; false if it is not on it.
func (s *singer) withdraw(w *waiter) bool {
	for i, x := range s.waiting {
		if x == w {
			s.waiting = slices.Delete(s.waiting, i, i+1)
			return true
		}
	}
	return false
}

// singer finds the singer or makes room for him. The caller holds the mutex.
func (r *roster) singer(key singerKey) *singer {
	if s := r.singers[key]; s != nil {
		return s
	}
	if len(r.singers) >= r.max {
		r.evict()
	}
	s := &singer{key: key}
	r.singers[key] = s
	return s
}

// evict forgets the longest silent singer who is not in the middle of
// anything. He goes on as if the shard had been restarted.
func (r *roster) evict() {
	var oldest *singer
	for _, s := range r.singers {
		if !s.busy && !s.gathering && len(s.waiting) == 0 && (oldest == nil || s.lastHeard.Before(oldest.lastHeard)) {
			oldest = s
		}
	}
	if oldest != nil {
		delete(r.singers, oldest.key)
	}
}

// sweep forgets singers unheard for the idle time.
func (r *roster) sweep(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, s := range r.singers {
		if !s.busy && !s.gathering && len(s.waiting) == 0 && now.Sub(s.lastHeard) > r.idle {
			delete(r.singers, key)
		}
	}
}

// len is the number of singers known.
func (r *roster) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.singers)
}
