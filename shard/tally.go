package shard

import (
	"context"
	"log/slog"
	"sync"

	"bucketbrigade/proto"
)

// tally counts what goes wrong, so that a flood of it is one line a second in
// the log.
type tally struct {
	mu    sync.Mutex
	count map[int]int
	last  map[int]string
}

// refused counts one refusal.
func (t *tally) refused(r *proto.Refusal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count == nil {
		t.count, t.last = make(map[int]int), make(map[int]string)
	}
	t.count[r.Code]++
	t.last[r.Code] = r.Reason
}

// report logs what was counted since the last report: what is our own trouble
// as a warning, what is the clients' as information.
func (t *tally) report(log *slog.Logger) {
	t.mu.Lock()
	count, last := t.count, t.last
	t.count, t.last = nil, nil
	t.mu.Unlock()
	for code, n := range count {
		level := slog.LevelInfo
		if code >= 500 {
			level = slog.LevelWarn
		}
		log.Log(context.Background(), level, "requests refused", "status", code, "count", n, "last", last[code])
	}
}
