package shm

import (
	"fmt"
	"runtime"
	"time"
)

// Wait is how a side waits for its turn.
type Wait int

const (
	// Hybrid spins for a few microseconds and then sleeps in the kernel.
	Hybrid Wait = iota
	// Spin never sleeps: for a machine with a core to give.
	Spin
)

// String gives the flag's value.
func (w Wait) String() string {
	if w == Spin {
		return "spin"
	}
	return "hybrid"
}

// ParseWait reads "hybrid" or "spin".
func ParseWait(s string) (Wait, error) {
	switch s {
	case "hybrid":
		return Hybrid, nil
	case "spin":
		return Spin, nil
	}
	return 0, fmt.Errorf("wait %q is not known: \"hybrid\" or \"spin\"", s)
}

const (
	// spinFor is longer than a peer that is running takes to react and shorter
	// than a sleep and its waking cost.
	spinFor = 5 * time.Microsecond
	// spinsPerLook is how many polls go between two looks at the time.
	spinsPerLook = 32
	// markPolls is about as long as spinFor.
	markPolls = 4096

	sleepLong  = 100 * time.Millisecond
	sleepShort = time.Millisecond
	// shortFor is how long sleeps stay short after a message that came without
	// a wake.
	shortFor = 10 * time.Second
)

// sleeper decides how long to spin and how long to sleep. It belongs to one
// goroutine.
type sleeper struct {
	wait       Wait
	shortUntil time.Time
}

// spinLimit is until when to spin in a wait that starts now and ends at end.
func (s *sleeper) spinLimit(now, end time.Time) time.Time {
	switch {
	case s.wait == Spin:
		return end
	case runtime.GOMAXPROCS(0) == 1:
		return now
	}
	return now.Add(spinFor)
}

// sleepLimit is how long one sleep may last in a wait that ends at end.
func (s *sleeper) sleepLimit(now, end time.Time) time.Duration {
	limit := sleepLong
	if now.Before(s.shortUntil) {
		limit = sleepShort
	}
	return min(limit, end.Sub(now))
}

// foundByTimeout notes that a message was there after a sleep that nobody ended.
func (s *sleeper) foundByTimeout(now time.Time) { s.shortUntil = now.Add(shortFor) }
