package brigade

import (
	"math"

	"bucketbrigade/proto"
)

// missable is how long before a singer reads a voice may come and be missed all
// the same, if what is heard was encoded for somebody else just before.
const missable = proto.SampleRate / 4

// primer is what an encoder that begins in the middle hears first, in samples.
const primer = proto.FrameSamples

// mixing is what every mix depends on, beside the voices and the backing that
// are in the ring. While it stays the same, so does what was read of the ring, but
// for voices that come late.
type mixing struct {
	globalVolume, backingVolume float64
	metronome, noAutoGain       bool
	songStart, songEnd          proto.Clock
	silenced                    int // how often the whole ring was
}

// noteMixing notices, at clock now, that all mixes have changed. It is called
// before anybody reads.
func (b *Brigade) noteMixing(now proto.Clock) {
	s := &b.state
	m := mixing{
		globalVolume: s.globalVolume, backingVolume: s.backingVolume,
		metronome: s.bpm > 0, noAutoGain: s.noAutoGain,
		songStart: s.songStart, songEnd: s.songEnd,
		silenced: b.ring.silenced,
	}
	if m != b.mixing {
		b.mixing, b.mixedSince = m, now
	}
}

// mixOf names what u hears: 1 more than a thousand times its backing volume on
// the friendly scale, so that volumes that sound alike are one mix. Solos and
// loopback are nobody else's.
func (u *user) mixOf(o *order) proto.Mix {
	if u.hearsSolos || o.query.Loopback {
		return 0
	}
	return 1 + proto.Mix(math.Round(1000*friendlyOf(u.backingVolume)))
}

// keep judges what a shard holds of the interval of o: everything before the
// clock it gives is as it would be mixed now; 0 if nothing is. What was read less
// than missable ago may lack a voice.
func (b *Brigade) keep(now proto.Clock, mix proto.Mix, o *order) proto.Clock {
	if o.held == nil || mix == 0 || o.held.Mix != mix {
		return 0
	}
	from := o.hears.Add(-o.samples)
	for _, r := range o.held.Reads {
		if r.At <= b.mixedSince || r.At > now { // by a clock that was ahead
			break
		}
		if now.Sub(r.At) > missable {
			if at, ok := b.ring.changedSince(from, r.To, r.At); ok {
				from = at
				break
			}
		}
		from = r.To
	}
	if from == o.hears.Add(-o.samples) {
		return 0
	}
	return from
}

// share decides, for an answer that is to carry what a shard lacks, what that is:
// as the shard wants it, but from the first sample on that it holds in vain.
func (b *Brigade) share(now proto.Clock, u *user, o *order) (mix proto.Mix, keep proto.Clock) {
	if !o.wanted {
		return 0, 0
	}
	mix = u.mixOf(o)
	if o.held == nil {
		return mix, 0
	}
	keep = b.keep(now, mix, o)
	first := max(keep, o.hears.Add(-o.samples))
	if first < o.want.From || o.want.Len() == 0 && first < o.hears {
		from := first.Add(-primer)
		if from < now.Add(-b.ring.size) || o.hears.Sub(from) > proto.MaxSamples {
			from = first
		}
		o.want = proto.Span{From: from, To: o.hears}
	}
	return mix, keep
}

// frames remembers, for each 60 ms of the ring, when a voice was added last. The
// place of a frame is its number modulo their count, which is more than the ring
// has: what is found there is the frame's own, or older than the ring.
type frames []proto.Clock

func newFrames(ringSize int) frames { return make(frames, ringSize/proto.FrameSamples+2) }

// at is the place of the frame that holds position c.
func (f frames) at(c proto.Clock) *proto.Clock {
	i := c / proto.FrameSamples % proto.Clock(len(f))
	if i < 0 {
		i += proto.Clock(len(f))
	}
	return &f[i]
}

// mark notes that [from, from+n) was added to at clock now.
func (f frames) mark(from proto.Clock, n int, now proto.Clock) {
	for c := from - from%proto.FrameSamples; c < from.Add(n); c = c.Add(proto.FrameSamples) {
		*f.at(c) = now
	}
}

// changedSince gives the first frame of [from, to), from and to on the grid, that
// was added to at clock since or later; false if none was.
func (r *ring) changedSince(from, to, since proto.Clock) (proto.Clock, bool) {
	for c := from; c < to; c = c.Add(proto.FrameSamples) {
		if *r.changed.at(c) >= since {
			return c, true
		}
	}
	return 0, false
}
