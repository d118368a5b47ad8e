// Package measure counts durations where every microsecond counts: a [Histogram]
// is a row of atomic words, so that measuring takes some 20 ns, allocates nothing
// and waits for nobody.
//
//	up to  10 25 50 µs  0.1 0.25 0.5  1 2.5 5  10 25 50  100 250 500 ms  1 2.5 s  longer
//	         3 18 40 …                                                                0
package measure

import (
	"sync/atomic"
	"time"
)

// Bounds are the upper ends of a histogram's buckets, each inclusive; one more
// bucket holds what is longer.
var Bounds = [...]time.Duration{
	10 * time.Microsecond, 25 * time.Microsecond, 50 * time.Microsecond,
	100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond,
}

// Histogram counts durations. Its zero value is empty; any goroutine may use it.
type Histogram struct {
	counts [len(Bounds) + 1]atomic.Uint64
	sum    atomic.Int64 // nanoseconds
}

// Observe counts one duration.
func (h *Histogram) Observe(d time.Duration) {
	i := 0
	for i < len(Bounds) && d > Bounds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Add(int64(d))
}

// Since counts the time since begin, and gives it.
func (h *Histogram) Since(begin time.Time) time.Duration {
	d := time.Since(begin)
	h.Observe(d)
	return d
}

// Snapshot is what a histogram has counted.
type Snapshot struct {
	// Counts are those of each bucket by itself; the last is for what is longer
	// than all Bounds.
	Counts [len(Bounds) + 1]uint64
	Sum    time.Duration
}

// Count is how many durations were counted.
func (s *Snapshot) Count() (n uint64) {
	for _, k := range s.Counts {
		n += k
	}
	return n
}

// Snapshot copies what was counted. What is counted meanwhile may be in it in
// part.
func (h *Histogram) Snapshot() (s Snapshot) {
	for i := range h.counts {
		s.Counts[i] = h.counts[i].Load()
	}
	s.Sum = time.Duration(h.sum.Load())
	return s
}
