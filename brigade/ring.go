package brigade

import (
	"fmt"
	"math"

	"bucketbrigade/durable"
	"bucketbrigade/proto"
)

// Rings is the memory of the ring: four slices of proto.RingSamples each.
// Position c of the clock lies at index c mod proto.RingSamples.
type Rings struct {
	Audio   []float32 // all voices
	Backing []float32 // metronome or backing track
	Monitor []float32 // soloed voices
	People  []uint16  // how many voices were added; stays at 65535 if there are more
	// Stems are the voices of each bucket by itself, for recordings; nil if
	// nobody wants them, else Buckets.
	Stems [][]float32
	// Ahead is what is yet to be played of a track, for who goes on with it in
	// another process; nil if nobody does, else of AheadSamples.
	Ahead []float32
	// Silent says that they are all zero; else what they hold is cleared.
	Silent bool
}

// Buckets is how many there are: the leader's and five behind it.
const Buckets = 1 + followerBuckets

// newRings allocates silent rings.
func newRings(size int, stems bool) *Rings {
	r := &Rings{
		Audio:   make([]float32, size),
		Backing: make([]float32, size),
		Monitor: make([]float32, size),
		People:  make([]uint16, size),
	}
	for range Buckets {
		if stems {
			r.Stems = append(r.Stems, make([]float32, size))
		}
	}
	return r
}

// ring is Rings with what is known about their content.
type ring struct {
	Rings
	size int
	// low is where sound may begin: all between the oldest valid position and
	// low is zero. It saves clearing 81 MB at each start of a song.
	low proto.Clock
	// backingTo and monitorTo are the ends of what was written to backing and
	// monitor: what belongs to later positions is zero and needs no clearing.
	backingTo, monitorTo proto.Clock
	// changed tells when voices came; silenced counts how often all was cleared.
	changed  frames
	silenced int
	// store takes what stood where a voice is added, if there is one.
	store *durable.Store
}

// never is a clock that no position reaches.
const never = proto.Clock(math.MaxInt64)

// wrapRings takes rings; of nil it allocates silent ones.
func wrapRings(r *Rings, size int, stems bool) ring {
	if r == nil {
		r = newRings(size, stems)
		r.Silent = true
	}
	for _, stem := range r.Stems {
		if len(stem) != size {
			panic(fmt.Sprintf("brigade: the ring of a stem has %d samples, it must have %d", len(stem), size))
		}
	}
	if stems != (len(r.Stems) == Buckets) {
		panic(fmt.Sprintf("brigade: rings of %d stems, stems wanted: %t", len(r.Stems), stems))
	}
	if len(r.Audio) != size || len(r.Backing) != size || len(r.Monitor) != size || len(r.People) != size {
		panic(fmt.Sprintf("brigade: rings of %d, %d, %d and %d samples, each must have %d",
			len(r.Audio), len(r.Backing), len(r.Monitor), len(r.People), size))
	}
	if r.Silent {
		return ring{Rings: *r, size: size, changed: newFrames(size), low: never, backingTo: math.MinInt64, monitorTo: math.MinInt64}
	}
	return ring{Rings: *r, size: size, changed: newFrames(size), low: math.MinInt64, backingTo: never, monitorTo: never}
}

// run is a contiguous piece of the ring: indices [lo, hi), which are the
// samples from off on of the interval that was split.
type run struct{ lo, hi, off int }

// runs splits [from, from+n), n at most the size of the ring, where the ring
// wraps. The second run may be empty. With a ring of 10, from 18 and n 4 the
// runs are [8, 10) and [0, 2).
func (r *ring) runs(from proto.Clock, n int) [2]run {
	if n < 0 || n > r.size {
		panic(fmt.Sprintf("brigade: an interval of %d samples in a ring of %d", n, r.size))
	}
	lo := int(from % proto.Clock(r.size))
	if lo < 0 {
		lo += r.size
	}
	first := min(n, r.size-lo)
	return [2]run{{lo, lo + first, 0}, {0, n - first, first}}
}

// clear silences [from, from+n). What lies there belongs to positions from oldest
// on.
func (r *ring) clear(from proto.Clock, n int, oldest proto.Clock) {
	for _, run := range r.runs(from, n) {
		clear(r.Audio[run.lo:run.hi])
		clear(r.People[run.lo:run.hi])
		if r.backingTo > oldest {
			clear(r.Backing[run.lo:run.hi])
		}
		if r.monitorTo > oldest {
			clear(r.Monitor[run.lo:run.hi])
		}
		for _, stem := range r.Stems {
			clear(stem[run.lo:run.hi])
		}
	}
}

// clearAll silences everything; now is the end of what is valid.
func (r *ring) clearAll(now proto.Clock) {
	if r.store != nil {
		r.store.Save(allRings, 0, nil)
	}
	from := max(r.low, now.Add(-r.size))
	if from < now {
		r.clear(from, now.Sub(from), from)
	}
	r.low, r.backingTo, r.monitorTo = never, math.MinInt64, math.MinInt64
	r.silenced++
}

// voicing says how loud a voice is, and where it goes beside the mix.
type voicing struct {
	gain   float32
	now    proto.Clock // when it came
	soloed bool        // to the monitor
	bucket int         // to this stem, from 0
}

// addVoice adds a voice of n samples to the positions from from on; one that is
// nil is silent and only counts.
func (r *ring) addVoice(from proto.Clock, n int, voice []float32, how voicing) {
	r.low = min(r.low, from)
	r.changed.mark(from, n, how.now)
	if how.soloed && voice != nil {
		r.monitorTo = max(r.monitorTo, from.Add(n))
	}
	for _, run := range r.runs(from, n) {
		var part []float32
		if voice != nil {
			part = voice[run.off : run.off+run.hi-run.lo]
		}
		if r.store == nil {
			r.addPiece(run.lo, run.hi, part, how)
			continue
		}
		for lo := run.lo; lo < run.hi; lo += savedPiece {
			hi := min(lo+savedPiece, run.hi)
			r.savePiece(lo, hi, voice != nil, how)
			if voice != nil {
				r.addPiece(lo, hi, part[lo-run.lo:hi-run.lo], how)
			} else {
				r.addPiece(lo, hi, nil, how)
			}
		}
	}
}

// addPiece adds a voice to the indices [lo, hi); one that is nil only counts.
func (r *ring) addPiece(lo, hi int, voice []float32, how voicing) {
	count(r.People[lo:hi])
	if voice == nil {
		return
	}
	addScaled(r.Audio[lo:hi], voice, how.gain)
	if how.soloed {
		addScaled(r.Monitor[lo:hi], voice, how.gain)
	}
	if r.Stems != nil {
		addScaled(r.Stems[how.bucket][lo:hi], voice, how.gain)
	}
}

// setBacking sets one sample of the backing.
func (r *ring) setBacking(at proto.Clock, x float32) {
	r.low = min(r.low, at)
	r.backingTo = max(r.backingTo, at+1)
	r.Backing[r.runs(at, 1)[0].lo] = x
}

// copyBacking sets the backing from from on to pcm × gain.
func (r *ring) copyBacking(from proto.Clock, pcm []float32, gain float32) {
	r.low = min(r.low, from)
	r.backingTo = max(r.backingTo, from.Add(len(pcm)))
	for _, run := range r.runs(from, len(pcm)) {
		scaleInto(r.Backing[run.lo:run.hi], pcm[run.off:], gain)
	}
}

// peopleAt is the number of voices at one position.
func (r *ring) peopleAt(c proto.Clock) int { return int(r.People[r.runs(c, 1)[0].lo]) }
