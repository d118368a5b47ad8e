package measure

import (
	"math"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestBuckets(t *testing.T) {
	t.Parallel()
	if !slices.IsSorted(Bounds[:]) {
		t.Error("bounds are not sorted")
	}
	for _, c := range []struct {
		d      time.Duration
		bucket int
	}{
		{-time.Second, 0}, {0, 0}, {10 * time.Microsecond, 0}, {10*time.Microsecond + 1, 1}, {time.Millisecond, 6},
		{100 * time.Millisecond, 12}, {2500 * time.Millisecond, 16}, {2500*time.Millisecond + 1, 17}, {math.MaxInt64, 17},
	} {
		var h Histogram
		h.Observe(c.d)
		s := h.Snapshot()
		if s.Counts[c.bucket] != 1 || s.Count() != 1 || s.Sum != c.d {
			t.Errorf("%v: %v, sum %v, want bucket %d", c.d, s.Counts, s.Sum, c.bucket)
		}
	}
}

func TestManyGoroutinesCount(t *testing.T) {
	t.Parallel()
	var h Histogram
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				h.Observe(3 * time.Millisecond)
			}
		})
	}
	all.Wait()
	if s := h.Snapshot(); s.Count() != 8000 || s.Sum != 24*time.Second {
		t.Errorf("%d counted, %v", s.Count(), s.Sum)
	}
}

// Not parallel: it counts all allocations there are.
func TestMeasuringAllocatesNothing(t *testing.T) {
	var h Histogram
	if n := testing.AllocsPerRun(100, func() { h.Since(time.Now()) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	var h Histogram
	for b.Loop() {
		h.Observe(time.Millisecond)
	}
}

func BenchmarkSince(b *testing.B) {
	var h Histogram
	for b.Loop() {
		h.Since(time.Now())
	}
}
