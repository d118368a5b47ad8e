package shard

import (
	"context"
	"sync/atomic"
	"time"

	"bucketbrigade/proto"
)

// watched is a backend of which it is known how it does.
type watched struct {
	Backend
	began time.Time
	heard atomic.Int64 // when it answered last, since began; 0: it never did
}

func watch(b Backend) *watched { return &watched{Backend: b, began: time.Now()} }

// Call is Backend's.
func (w *watched) Call(ctx context.Context, req *proto.Request, ans *proto.Answer) error {
	err := w.Backend.Call(ctx, req, ans)
	if err == nil {
		w.heard.Store(max(1, int64(time.Since(w.began))))
	}
	return err
}

// last is when the backend answered last; zero if it never did.
func (w *watched) last() time.Time {
	heard := w.heard.Load()
	if heard == 0 {
		return time.Time{}
	}
	return w.began.Add(time.Duration(heard))
}
