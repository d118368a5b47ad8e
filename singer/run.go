package singer

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"time"
)

// maxInFlight is how many requests a web client has under way at most; when one
// more is due it gives the connection up.
const maxInFlight = 4

// ErrTooSlow is why a connection ends whose answers take longer than the
// client waits.
var ErrTooSlow = errors.New("answers take too long: a fifth request is due")

// Events are what a running singer tells. Each may be nil; all are called on
// Run's goroutine.
type Events struct {
	// Heard is called with each answer, in order.
	Heard func(*Answer)
	// Ask gives the one-shot parameters of the next request; nil for none.
	Ask func() url.Values
	// Failed is called when a connection ends by an error; the singer connects
	// again a second later.
	Failed func(error)
	// Moved is called when the server assigns another place in the chain.
	Moved func(offset int)
}

// result is what became of one request.
type result struct {
	req *request
	ans *Answer
	err error
}

// Run sings at real pace until ctx ends: a request each 600 ms whether or not
// the last was answered, answers taken in order, a new connection after an
// error or when the server assigns another place. Nothing of it runs on after it
// has returned.
func (s *Singer) Run(ctx context.Context, ev Events) {
	for ctx.Err() == nil {
		err := s.connection(ctx, ev)
		if ctx.Err() != nil || err == nil {
			continue
		}
		if ev.Failed != nil {
			ev.Failed(err)
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}

// connection is one connection, from the clock request on. It ends with an
// error, or with nil when the singer has to move or ctx ends.
func (s *Singer) connection(ctx context.Context, ev Events) error {
	var posts sync.WaitGroup
	defer posts.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := s.Connect(ctx); err != nil {
		return err
	}
	// The microphone does not wait: a request that was late does not delay the
	// next one.
	due := time.Now().Add(Pace)
	pace := time.NewTimer(Pace)
	defer pace.Stop()
	var flying []chan result // one for each request under way, oldest first
	for {
		r, landed := next(ctx, flying, pace.C)
		switch {
		case ctx.Err() != nil:
			return nil
		case landed:
			flying = flying[1:]
			if done, err := s.land(r, ev); done || err != nil {
				return err
			}
			continue
		case len(flying) == maxInFlight:
			return ErrTooSlow
		}
		c, err := s.launch(ctx, &posts, ev)
		if err != nil {
			return err
		}
		flying = append(flying, c)
		due = due.Add(Pace)
		pace.Reset(time.Until(due))
	}
}

// next waits for the answer to the oldest request under way, or until the next
// request is due. An answer that is there goes first.
func next(ctx context.Context, flying []chan result, due <-chan time.Time) (r result, landed bool) {
	var oldest chan result
	if len(flying) > 0 {
		oldest = flying[0]
	}
	select {
	case r := <-oldest:
		return r, true
	default:
	}
	select {
	case r := <-oldest:
		return r, true
	case <-due:
	case <-ctx.Done():
	}
	return result{}, false
}

// launch sends the next request.
func (s *Singer) launch(ctx context.Context, posts *sync.WaitGroup, ev Events) (chan result, error) {
	var extra url.Values
	if ev.Ask != nil {
		extra = ev.Ask()
	}
	req, err := s.next(extra)
	if err != nil {
		return nil, err
	}
	c := make(chan result, 1)
	posts.Go(func() {
		ans, err := s.post(ctx, req)
		c <- result{req, ans, err}
	})
	return c, nil
}

// land takes an answer; done tells that the singer has to connect anew because
// the server gave him another place.
func (s *Singer) land(r result, ev Events) (done bool, err error) {
	if r.err != nil {
		return false, r.err
	}
	if err := s.accept(r.req, r.ans); err != nil {
		return false, err
	}
	if ev.Heard != nil {
		ev.Heard(r.ans)
	}
	if d := r.ans.Metadata.DelaySeconds; d != nil && *d > 0 {
		s.Move(*d)
		if ev.Moved != nil {
			ev.Moved(*d)
		}
		return true, nil
	}
	return false, nil
}
