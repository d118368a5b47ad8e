package load

import (
	"fmt"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/singer"
)

// Pacing says how fast singers ask.
type Pacing string

const (
	// PaceReal is a request each 600 ms, whatever happens.
	PaceReal Pacing = "real"
	// PaceNone is the next request as soon as the last one is answered.
	PaceNone Pacing = "none"
)

// UnmarshalText takes "real" or "none"; nothing is "real".
func (p *Pacing) UnmarshalText(text []byte) error {
	switch Pacing(text) {
	case "":
		*p = PaceReal
		return nil
	case PaceReal, PaceNone:
		*p = Pacing(text)
		return nil
	}
	return fmt.Errorf("pace %s is not known, real and none are", proto.Shown(string(text)))
}

// Plan says which singers a machine has and when they ask. All of it follows
// from these numbers alone.
type Plan struct {
	Start time.Time
	// Users is the number of singers of all machines together.
	Users int
	// Ramp is the time in which they join.
	Ramp time.Duration
	// Machine is 1..Machines.
	Machine, Machines int
}

// Count is how many singers this machine has.
func (p Plan) Count() int { return (p.Users - p.Machine + p.Machines) / p.Machines }

// Number is the number among all of this machine's singer i, 0..Count()-1. Of
// eight singers the first of three machines has 0, 3 and 6.
func (p Plan) Number(i int) int { return p.Machine - 1 + i*p.Machines }

// golden is the part of the golden ratio behind the point: its multiples, taken
// modulo 1, lie evenly however many there are.
const golden = 0.61803398874989484820

// Join is when singer i of this machine asks for the clock. The singers join
// one after another, and spread over the 600 ms between two requests: with a
// ramp of 6 s the third of ten, number 2, joins in the third interval, after 1.2
// s, and 0.236 of an interval later: at 1.342 s.
func (p Plan) Join(i int) time.Time {
	number := p.Number(i)
	at := time.Duration(float64(p.Ramp) * float64(number) / float64(p.Users))
	phase := golden * float64(number)
	phase -= float64(int(phase))
	return p.Start.Add(at.Truncate(singer.Pace) + time.Duration(phase*float64(singer.Pace)))
}

// Due is when request k, from 0, of a connection is due that was to be made at
// base: a browser has to record 600 ms first.
func Due(base time.Time, k int) time.Time { return base.Add(time.Duration(k+1) * singer.Pace) }

// FirstDue is the first request that can be sent by who has his connection at
// now: those that were due before cannot exist, since nothing is recorded until
// the clock is known.
func FirstDue(base, now time.Time) int {
	k := int(now.Sub(base) / singer.Pace)
	if now.After(base) && now.Sub(base)%singer.Pace == 0 {
		k--
	}
	return max(k, 0)
}

// MaxUsers is how many singers a run may have, so that userids do not meet.
const MaxUsers = 100_000

// User is the userid of the singer of a number. Runs that start in different
// seconds of thirty years have different ones: to a server who sings with another
// cookie is another, and may not use the same userid.
func (p Plan) User(number int) proto.UserID {
	return proto.UserID(p.Start.Unix()%1e9*MaxUsers + int64(number))
}

// MarshalText gives the name.
func (p Pacing) MarshalText() ([]byte, error) { return []byte(p), nil }
