package shm

import "time"

// deadline is when a call ends. Its clock starts with the first look at it: most
// calls are answered before anybody looks, and a look costs a tenth of a call.
// Whoever waits looks within microseconds.
type deadline struct {
	within time.Duration
	end    time.Time
}

// at gives the end.
func (d *deadline) at(now time.Time) time.Time {
	if d.end.IsZero() {
		d.end = now.Add(d.within)
	}
	return d.end
}

// over tells whether the call has ended at now.
func (d *deadline) over(now time.Time) bool { return !now.Before(d.at(now)) }

// left is how long the call still lasts.
func (d *deadline) left(now time.Time) time.Duration { return d.at(now).Sub(now) }
