package shard

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"bucketbrigade/proto"
)

// tally counts what goes wrong, so that a flood of it is one line a second in
// the log.
type tally struct {
	mu    sync.Mutex
	count map[int]int
	last  map[int]string
	odds  [len(oddNames)]oddity
}

// oddity is how often something took odd time, and the longest.
type oddity struct {
	count int
	worst time.Duration
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

// odd counts something that took odd time.
func (t *tally) odd(what int, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.odds[what].count++
	t.odds[what].worst = max(t.odds[what].worst, d)
}

// report logs what was counted since the last report: what is our own trouble
// as a warning, what is the clients' as information.
func (t *tally) report(log *slog.Logger) {
	t.mu.Lock()
	count, last, odds := t.count, t.last, t.odds
	t.count, t.last, t.odds = nil, nil, [len(oddNames)]oddity{}
	t.mu.Unlock()
	for code, n := range count {
		level := slog.LevelInfo
		if code >= 500 {
			level = slog.LevelWarn
		}
		log.Log(context.Background(), level, "requests refused", "status", code, "count", n, "last", last[code])
	}
	reportOdd(log, odds)
}

// reportOdd logs all that took odd time as one line.
func reportOdd(log *slog.Logger, odds [len(oddNames)]oddity) {
	var attrs []any
	for what, o := range odds {
		if o.count > 0 {
			attrs = append(attrs, oddNames[what], o.count, oddNames[what]+"_worst", o.worst.Round(time.Millisecond))
		}
	}
	if attrs != nil {
		log.Warn("odd timing", attrs...)
	}
}
