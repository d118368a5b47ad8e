package shard

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"bucketbrigade/internal/measure"
	"bucketbrigade/proto"
)

// watched is a backend of which it is known how it does.
type watched struct {
	Backend
	began time.Time
	heard atomic.Int64 // when it answered last, since began; 0: it never did
	calls [callOutcomes]measure.Histogram
	odd   func(time.Duration) // is called for each call that takes longer than slowAfter
}

func watch(b Backend) *watched {
	return &watched{Backend: b, began: time.Now(), odd: func(time.Duration) {}}
}

// Call is Backend's.
func (w *watched) Call(ctx context.Context, req *proto.Request, ans *proto.Answer) error {
	began := time.Now()
	err := w.Backend.Call(ctx, req, ans)
	outcome := outcomeOf(err, ans)
	d := w.calls[outcome].Since(began)
	if outcome != timedOut && d > slowAfter {
		w.odd(d)
	}
	if err == nil {
		w.heard.Store(max(1, int64(time.Since(w.began))))
	}
	return err
}

// What becomes of a call.
const (
	answeredCall = iota
	refusedCall
	timedOut
	failedCall
	callOutcomes
)

// outcomeNames are what operators are told.
var outcomeNames = [callOutcomes]string{"answered", "refused", "timed_out", "failed"}

// slowAfter is how long a call may take that was answered; less than a
// millisecond is usual.
const slowAfter = 100 * time.Millisecond

func outcomeOf(err error, ans *proto.Answer) int {
	switch {
	case err == nil && ans.Error == "":
		return answeredCall
	case err == nil:
		return refusedCall
	case proto.AsRefusal(err).Code == http.StatusServiceUnavailable:
		return timedOut
	}
	return failedCall // too large, or nobody waits any more, or no sense in the answer
}

// last is when the backend answered last; zero if it never did.
func (w *watched) last() time.Time {
	heard := w.heard.Load()
	if heard == 0 {
		return time.Time{}
	}
	return w.began.Add(time.Duration(heard))
}
