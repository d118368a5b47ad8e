package brigade

import (
	"fmt"

	"bucketbrigade/durable"
	"bucketbrigade/proto"
)

// A voice is added to what stands in the ring already, and a process may be killed
// over it. Added twice it would be heard twice, so what stood there is saved
// before: a request that was not committed is taken back, and the shard brings it
// again. What is cleared or filled at the front of the ring needs none of that: it
// is no position yet of what was committed, and is cleared anew.

// The regions of what is saved: the rings, in this order, and from firstStem on the
// stems.
const (
	audioRing = iota
	monitorRing
	peopleRing
	firstStem
)

// allRings stands for a ring that was being silenced. It is silenced then: whoever
// wanted it silent says so again.
const allRings = 1<<32 - 1

// savedPiece is how many samples are saved at once, and then changed: few enough to
// lie in the fastest cache meanwhile.
const savedPiece = 2048

// savedMost is the most that one request saves: its voice, as often as rounds repeat
// it.
func savedMost(stems bool) int {
	pieces := proto.MaxSamples/savedPiece + 3 // an interval is two runs at most
	rings := 4 + 2                            // bytes a sample, of audio and people
	if stems {
		rings += 4
	}
	once := pieces*4*durable.SavedBytes(0) + proto.MaxSamples*rings
	monitor := pieces*durable.SavedBytes(0) + 4*proto.MaxSamples
	return ((proto.MaxRepeats+1)*once+monitor)&^7 + 1024
}

// savePiece saves what stands at the indices [lo, hi), where a voice is added.
func (r *ring) savePiece(lo, hi int, sounds bool, how voicing) {
	r.store.Save(peopleRing, uint32(lo), bytesOf(r.People[lo:hi]))
	if !sounds {
		return
	}
	r.store.Save(audioRing, uint32(lo), bytesOf(r.Audio[lo:hi]))
	if how.soloed {
		r.store.Save(monitorRing, uint32(lo), bytesOf(r.Monitor[lo:hi]))
	}
	if r.Stems != nil {
		r.store.Save(uint32(firstStem+how.bucket), uint32(lo), bytesOf(r.Stems[how.bucket][lo:hi]))
	}
}

// region gives the memory of a region; nil if there is none of that number.
func (r *ring) region(n uint32) (memory []byte, sample int) {
	switch {
	case n == audioRing:
		return bytesOf(r.Audio), 4
	case n == monitorRing:
		return bytesOf(r.Monitor), 4
	case n == peopleRing:
		return bytesOf(r.People), 2
	case n >= firstStem && n < firstStem+uint32(len(r.Stems)):
		return bytesOf(r.Stems[n-firstStem]), 4
	}
	return nil, 1
}

// place finds where a piece belongs.
func (r *ring) place(p durable.Piece) ([]byte, error) {
	memory, sample := r.region(p.Region)
	from := int64(p.Offset) * int64(sample)
	if from+int64(len(p.Old)) > int64(len(memory)) {
		return nil, fmt.Errorf("%d bytes saved from %d of ring %d, which has %d bytes: it %w",
			len(p.Old), from, p.Region, len(memory), durable.ErrTorn)
	}
	return memory[from : from+int64(len(p.Old))], nil
}

// takeBack puts back what a request had changed that was not committed; silenced
// tells that the ring was being silenced, and is silent now. After an error nothing
// has changed.
func (r *ring) takeBack(pieces []durable.Piece) (silenced bool, err error) {
	for _, p := range pieces {
		if p.Region == allRings {
			silenced = true
		} else if _, err := r.place(p); err != nil {
			return false, err
		}
	}
	for _, p := range pieces {
		if p.Region != allRings {
			at, _ := r.place(p)
			copy(at, p.Old)
		}
	}
	if silenced {
		r.silence()
	}
	return silenced, nil
}

// silence clears everything, whatever is known of it.
func (r *ring) silence() {
	clear(r.Audio)
	clear(r.Backing)
	clear(r.Monitor)
	clear(r.People)
	for _, stem := range r.Stems {
		clear(stem)
	}
}
