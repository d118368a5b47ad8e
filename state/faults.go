package state

import (
	"log/slog"
	"time"
)

// faults counts messages that made no sense, so that a shard gone wrong is one
// line a second in the log.
type faults struct {
	n        int
	segment  string
	last     error
	reported time.Time
}

func (f *faults) count(segment string, err error) {
	f.n++
	f.segment, f.last = segment, err
}

// report logs what was counted, at most once a second.
func (f *faults) report(log *slog.Logger, now time.Time) {
	if f.n == 0 || now.Sub(f.reported) < time.Second {
		return
	}
	log.Warn("messages that make no sense", "count", f.n, "segment", f.segment, "last", f.last)
	f.n, f.reported = 0, now
}
