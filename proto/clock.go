package proto

import (
	"strconv"
	"time"
)

const (
	// SampleRate is the rate of every clock and of all audio on the wire, in Hz.
	SampleRate = 48000
	// FrameSamples is the length of one Opus frame here: 60 ms.
	FrameSamples = 2880
	// RingSamples is the length of the shared ring: 120 s.
	RingSamples = 120 * SampleRate
	// BucketSeconds is how far apart neighbouring buckets stand.
	BucketSeconds = 3
)

// Clock is a position in time, in samples of 48 kHz since the Unix epoch. A
// clock that is sent with audio always names the END of the interval: read
// clock 10 with 4 samples means positions 6, 7, 8 and 9.
//
// Lengths are plain int counts of samples; only positions are Clocks.
type Clock int64

// ClockAt gives the sample clock of a wall-clock time, rounded down.
//
// Seconds and nanoseconds are scaled apart: their product would not fit 64
// bits together.
func ClockAt(t time.Time) Clock {
	return Clock(t.Unix()*SampleRate + int64(t.Nanosecond())*SampleRate/int64(time.Second))
}

// Time gives the wall-clock time of a sample clock, in UTC, rounded down to
// nanoseconds.
func (c Clock) Time() time.Time {
	return time.Unix(0, int64(SamplesDuration(int(c)))).UTC()
}

// Add gives the clock n samples later (earlier if n is negative).
func (c Clock) Add(n int) Clock { return c + Clock(n) }

// Sub gives the number of samples from earlier to c.
func (c Clock) Sub(earlier Clock) int { return int(c - earlier) }

// String gives the decimal form that is used on the wire.
func (c Clock) String() string { return strconv.FormatInt(int64(c), 10) }

// Span is the half-open interval of clocks [From, To). As JSON it is a pair
// [from, to]; the empty list stands for an empty span.
type Span struct {
	From, To Clock
}

// Len is the number of samples in the span; negative if To lies before From.
func (s Span) Len() int { return s.To.Sub(s.From) }

// DurationSamples is the number of whole samples in d.
func DurationSamples(d time.Duration) int {
	s := d / time.Second
	return int(s)*SampleRate + int((d-s*time.Second)*SampleRate/time.Second)
}

// SamplesDuration is how long n samples last, rounded down to nanoseconds.
func SamplesDuration(n int) time.Duration {
	return time.Duration(n/SampleRate)*time.Second +
		time.Duration(n%SampleRate)*time.Second/SampleRate
}
