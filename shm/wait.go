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
	// glancePolls is how often a side looks before it looks at the time: longer
	// than a peer that is running takes to answer when there is nothing to do.
	glancePolls = 512
	// spinLeast is longer than a peer that is running takes to react and shorter
	// than a sleep and its waking cost.
	spinLeast = 5 * time.Microsecond
	// spinMost is about what a sleep and its waking take: who would spin for
	// longer sleeps at once.
	spinMost = 50 * time.Microsecond
	// meanMost bounds what one wait adds to the mean, so that a single long one
	// is soon forgotten.
	meanMost = 4 * spinMost
	// meanOver is how many waits the mean looks back.
	meanOver = 8
	// probeFirst and probeLast bound how many waits go from one try to the next
	// where spinning does not pay.
	probeFirst, probeLast = 16, 256
	// spinsPerLook is how many polls go between two looks at the time.
	spinsPerLook = 256
	// markPolls is about as long as spinLeast.
	markPolls = 4096

	sleepLong  = 100 * time.Millisecond
	sleepShort = time.Millisecond
	// shortFor is how long sleeps stay short after a message that came without
	// a wake.
	shortFor = 10 * time.Second
)

// sleeper decides how long to spin and how long to sleep. It belongs to one
// goroutine.
//
// Who has just woken its peer sleeps at once: that takes longer than spinning
// pays. Else how long it pays to spin follows from how long the last waits were: twice
// their mean. If that is beyond spinMost it does not pay: the peer has work for
// longer, or nothing for us to do, or no processor. But where both sides sleep
// the wakes alone are long, so now and then a wait is spun through all the same:
//
//	mean <= spinMost      spin for 5 µs + 2 * mean, at most spinMost
//	mean >  spinMost      sleep at once; but every 16th wait, after a try in
//	                      vain every 32nd and so on, spin for spinMost: what
//	                      comes then is the new mean
type sleeper struct {
	wait  Wait
	alone bool          // there is one processor: the peer cannot run while we spin
	most  time.Duration // spinMost
	mean  time.Duration

	probeEvery int  // how many waits from one try to the next
	unprobed   int  // how many there were since
	probing    bool // this wait is one

	// peerSlept: the peer has just been woken. A processor that spins meanwhile
	// is one that it cannot run on, though what was copied lies in its cache.
	peerSlept bool

	shortUntil time.Time
}

func newSleeper(wait Wait) sleeper {
	return sleeper{wait: wait, most: spinMost, probeEvery: probeFirst, alone: runtime.GOMAXPROCS(0) == 1}
}

// glances is how often to look before the time matters.
func (s *sleeper) glances() int {
	if s.alone {
		return 1
	}
	return glancePolls
}

// spinLimit is until when to spin in a wait that starts now and ends at end.
func (s *sleeper) spinLimit(now, end time.Time) time.Time {
	switch {
	case s.wait == Spin:
		return end
	case s.alone || s.peerSlept:
		return now
	case s.mean <= s.most:
		return now.Add(min(spinLeast+2*s.mean, s.most))
	}
	if s.unprobed++; s.unprobed < s.probeEvery {
		return now
	}
	s.unprobed, s.probing = 0, true
	return now.Add(s.most)
}

// note takes down how long a wait was.
func (s *sleeper) note(took time.Duration) {
	switch {
	case s.peerSlept: // this says nothing of a peer that is awake
	case s.probing && took <= s.most:
		s.mean, s.probeEvery = took, probeFirst
	case s.probing:
		s.probeEvery = min(2*s.probeEvery, probeLast)
	case s.mean <= s.most || took < s.most:
		s.mean += (min(took, meanMost) - s.mean) / meanOver
	}
	s.probing = false
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
