package proto

import (
	"encoding/json"
	"strconv"
)

// Mix names a mix: see Answer.Mix.
type Mix int

// Held says which samples of a mix a shard has encoded already.
type Held struct {
	Mix   Mix        `json:"mix"`
	Reads []HeldRead `json:"read"`
}

// MaxHeldReads bounds Held.Reads: one for each frame.
const MaxHeldReads = MaxSamples / FrameSamples

// HeldRead says that the samples up to To were read from the ring at clock At.
// They begin at the To before, the first ones at the start of the request's
// interval. As JSON it is a pair [to, at].
type HeldRead struct {
	To, At Clock
}

// append appends the JSON of h.
func (h *Held) append(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"mix":`...), int64(h.Mix), 10)
	if h.Reads == nil {
		return append(b, `,"read":null}`...)
	}
	b = append(b, `,"read":[`...)
	for i, r := range h.Reads {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendPair(b, r.To, r.At)
	}
	return append(b, "]}"...)
}

// MarshalJSON gives [to, at].
func (r HeldRead) MarshalJSON() ([]byte, error) {
	return appendPair(make([]byte, 0, 40), r.To, r.At), nil
}

// possible tells whether both are clocks from 0 on.
func (r HeldRead) possible() bool {
	return r.To >= 0 && r.To <= maxClock && r.At >= 0 && r.At <= maxClock
}

// UnmarshalJSON reads [to, at], both at least 0.
func (r *HeldRead) UnmarshalJSON(data []byte) error {
	var pair []Clock
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	if len(pair) != 2 || !(HeldRead{pair[0], pair[1]}).possible() {
		return malformed("%s is not [to, at] with clocks from 0 on", Shown(string(data)))
	}
	*r = HeldRead{pair[0], pair[1]}
	return nil
}

// checkHeld refuses more reads than an interval has frames.
func checkHeld(h *Held) error {
	if h != nil && len(h.Reads) > MaxHeldReads {
		return malformed("held names %d reads, at most %d are taken", len(h.Reads), MaxHeldReads)
	}
	return nil
}
