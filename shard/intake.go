package shard

import (
	"context"
	"errors"
	"sync"
	"time"
)

// uploadGrace is how long the uploads under way get once the shard is to stop,
// while singers are answered as always: a track decodes for up to 40 s
// (upload.DecodeTime), and then the state server takes it up for up to readyTime.
const uploadGrace = 52 * time.Second

// StopTime is how long a shard takes to stop at most; a supervisor has to wait
// longer before it kills.
const StopTime = uploadGrace + shutdownGrace

// errCut is why the context of an upload ends that was cut off.
var errCut = errors.New("the grace of the uploads under way is over")

// intake knows the uploads under way, so that a shard that is to stop can wait for
// them before it lets anybody else wait. Requests enter and leave, the goroutine of
// Run closes it and cuts off.
type intake struct {
	mu       sync.Mutex
	closed   bool
	underWay map[*place]struct{}
	none     chan struct{} // closed once it is closed and nobody is inside
}

// place is that of one upload.
type place struct{ cut func() }

func newIntake() *intake {
	return &intake{underWay: make(map[*place]struct{}), none: make(chan struct{})}
}

// enter takes an upload in, unless ok is false: none is taken any more. stop is
// called, at most once and before leave returns, when its grace is over; the
// context that it gets ends then, too, with the cause errCut.
func (i *intake) enter(ctx context.Context, stop func()) (_ context.Context, leave func(), ok bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return nil, nil, false
	}
	ctx, end := context.WithCancelCause(ctx)
	p := &place{cut: func() { end(errCut); stop() }}
	i.underWay[p] = struct{}{}
	return ctx, func() { i.leave(p); end(nil) }, true
}

func (i *intake) leave(p *place) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.underWay, p)
	if i.closed && len(i.underWay) == 0 {
		close(i.none)
	}
}

// close takes nothing in any more. It tells how many uploads are under way; none
// is closed once the last of them has left.
func (i *intake) close() (left int, none <-chan struct{}) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closed = true
	if len(i.underWay) == 0 {
		close(i.none)
	}
	return len(i.underWay), i.none
}

// cutOff ends the uploads that are still under way, and tells how many.
func (i *intake) cutOff() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	for p := range i.underWay {
		p.cut()
	}
	return len(i.underWay)
}

// look tells whether the intake is closed, and how many uploads are under way.
func (i *intake) look() (closed bool, underWay int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.closed, len(i.underWay)
}

// lastUploads refuses uploads from here on and waits for those under way, but no
// longer than uploadGrace. Singers are served meanwhile, and the n-th second and
// those after it are kept house in.
func (s *Server) lastUploads(ctx context.Context, tick <-chan time.Time, n int) {
	left, none := s.intake.close()
	if left == 0 {
		return
	}
	s.cfg.Log.Info("stopping once the uploads under way are done; singers are answered, no upload is taken",
		"uploads", left, "atMost", uploadGrace)
	bound := time.NewTimer(uploadGrace)
	defer bound.Stop()
	for ; ; n++ {
		select {
		case <-none:
			return
		case <-tick:
			s.housekeep(ctx, n)
		case <-bound.C:
			s.cfg.Log.Warn("uploads cut off", "after", uploadGrace, "uploads", s.intake.cutOff())
			return
		}
	}
}
