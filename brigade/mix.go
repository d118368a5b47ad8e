package brigade

import "bucketbrigade/proto"

// source is what an answer's audio is made of.
type source uint8

const (
	fromRing source = iota
	fromMonitor
	fromLoopback
)

// reply is the audio of the answer at hand.
type reply struct {
	source  source
	from    proto.Clock
	samples int
	// sounding is how many of the samples come from the ring; silence follows.
	sounding int
	// voices, back: the gains of voices and backing.
	voices, back float32
	autoGain     bool
}

// Samples is how many samples the answer handled last carries.
func (b *Brigade) Samples() int { return b.reply.samples }

// Mix writes the audio of the answer handled last into dst, which must have
// Samples() samples. It can be called until the next Handle or Tick.
func (b *Brigade) Mix(dst []float32) {
	r := &b.reply
	if len(dst) != r.samples {
		panic("brigade: Mix needs room for exactly the samples of the answer")
	}
	if r.source == fromLoopback {
		copy(dst, b.loopback)
		return
	}
	clear(dst[r.sounding:])
	silentBacking := r.from >= b.ring.backingTo
	for _, run := range b.ring.runs(r.from, r.sounding) {
		part := dst[run.off : run.off+run.hi-run.lo]
		audio, backing := b.ring.Audio[run.lo:run.hi], b.ring.Backing[run.lo:run.hi]
		switch {
		case r.source == fromMonitor:
			copy(part, b.ring.Monitor[run.lo:run.hi])
		case r.autoGain && silentBacking:
			gainInto(part, audio, b.ring.People[run.lo:run.hi], b.gains, r.voices)
		case r.autoGain:
			mixGained(part, audio, backing, b.ring.People[run.lo:run.hi], b.gains, r.voices, r.back)
		default:
			mixFlat(part, audio, backing, r.voices, r.back)
		}
	}
}

// planReply decides what Mix writes for u.
func (b *Brigade) planReply(u *user, o *order) {
	s := &b.state
	r := reply{from: o.want.From, samples: o.want.Len()}
	if r.samples == 0 {
		b.reply = reply{from: o.hears}
		return
	}
	switch {
	case o.query.Loopback:
		r.source = fromLoopback
		r.from, r.samples = o.hears.Add(-o.samples), o.samples
	case u.hearsSolos:
		r.source, r.sounding = fromMonitor, r.samples
	default:
		r.sounding = s.sounding(r.from, r.samples, o.wanted)
		r.voices, r.back = s.gains(u.backingVolume)
		r.autoGain = !s.noAutoGain
	}
	b.reply = r
}

// gains are the factors for voices and backing, own being the listener's for
// the latter.
func (s *state) gains(own float64) (voices, back float32) {
	scalar := s.backingVolume * own
	if s.bpm <= 0 {
		scalar *= trackMix
	}
	return float32(s.globalVolume), float32(scalar * s.globalVolume)
}

// sounding is how many of n samples from from on are heard, silence follows.
// A client's whole interval sounds if its first sample does. Samples that are
// picked for a shared stream are judged frame by frame, because the same frame
// must sound alike whoever asks for it: [f, f+2880) sounds if f lies before the
// end of the song. A song that ends at 3000 sounds up to 5760.
func (s *state) sounding(from proto.Clock, n int, frames bool) int {
	switch {
	case s.songStart == 0:
		return 0
	case s.songEnd == 0:
		return n
	case frames:
		const frame = proto.FrameSamples
		end := (s.songEnd + frame - 1) / frame * frame
		return max(0, min(n, end.Sub(from)))
	case s.sounds(from):
		return n
	}
	return 0
}

// peopleHeard is the number of voices at the first sample that u is told it
// hears; -1 if it hears no mix.
func (b *Brigade) peopleHeard(u *user, o *order) int {
	if o.query.Loopback || u.hearsSolos {
		return -1
	}
	return b.ring.peopleAt(o.hears.Add(-o.samples))
}

// keepForLoopback copies the input of a singer that wants it back.
func (b *Brigade) keepForLoopback(o *order, pcm []float32) {
	if o.query.Loopback {
		b.loopback = append(b.loopback[:0], pcm...)
		if len(pcm) == 0 {
			b.loopback = append(b.loopback, make([]float32, o.samples)...)
		}
	}
}

// write stores the audio of a request, if it has a write clock.
func (b *Brigade) write(now proto.Clock, u *user, o *order, pcm []float32) {
	q := &o.query
	if !q.HasWrite {
		return
	}
	u.joinWrite, u.joinsWrite = q.Write, true
	u.lastSung, u.hasSung = q.Write, true
	from := q.Write.Add(-o.samples)
	if !b.state.stores(from, q.Write) {
		return
	}
	b.take.sungTo = max(b.take.sungTo, q.Write)
	how := voicing{now: now, soloed: u.soloed, bucket: b.state.bucketOf(u)}
	if b.state.isLate(now, from, how.bucket) {
		b.lateWrites++
	}
	if len(pcm) == 0 { // silent, but there
		b.sing(now, from, o.samples, nil, how)
		return
	}
	how.gain = u.micGain
	if b.state.hasLeader && b.state.leader == u.id {
		how.gain *= b.boost
	}
	b.sing(now, from, o.samples, pcm, how)
}
