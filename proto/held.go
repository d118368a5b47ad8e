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

// MarshalJSON gives [to, at].
func (r HeldRead) MarshalJSON() ([]byte, error) { return r.append(make([]byte, 0, 36)), nil }

func (r HeldRead) append(b []byte) []byte {
	b = strconv.AppendInt(append(b, '['), int64(r.To), 10)
	b = strconv.AppendInt(append(b, ','), int64(r.At), 10)
	return append(b, ']')
}

// UnmarshalJSON reads [to, at], both at least 0.
func (r *HeldRead) UnmarshalJSON(data []byte) error {
	var pair []Clock
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	if len(pair) != 2 || pair[0] < 0 || pair[0] > maxClock || pair[1] < 0 || pair[1] > maxClock {
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
