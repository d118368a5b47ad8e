package brigade

import "bucketbrigade/proto"

// Recorder takes songs down. Its methods are called on the goroutine that owns
// the brigade: they must not wait, and must not keep the slices.
type Recorder interface {
	// Begin opens a song that began at clock start. What was begun is ended
	// before another begins.
	Begin(start proto.Clock)
	// Resume opens the song again that began at clock start and was not ended
	// when another process was, in place of Begin, and gives how many samples of it
	// are recorded; false if it is lost. Only Restore calls it, and it may wait.
	Resume(start proto.Clock) (samples int, ok bool)
	// Write brings the song's samples from clock at on, which is where the last
	// ones ended or, if some were lost, later. parts[0] is the mix as heard with
	// one's backing at 1. With stems parts[1] is the backing and parts[2] to
	// parts[7] are the voices of the buckets: they add up to the mix. All are of
	// one length, at most half a second. Full scale is 1; what is loud lies
	// beyond.
	Write(at proto.Clock, parts [][]float32)
	// End closes the song.
	End()
}

const (
	// takeBehind is how long after the last bucket a position is taken down:
	// all who sing have been heard then, as a client's voice comes within 2.9 s.
	// Taken down is what lies maxPosition + 6 s behind, whenever one looks: 0.75 s
	// are left for ticks, for takeStep, and for the disk.
	takeBehind = 5*proto.SampleRate + proto.SampleRate/4
	// takeStep is the least that is taken down at once, but at the end.
	takeStep = proto.SampleRate / 8
	// takeChunk is the most that is mixed at once.
	takeChunk = proto.SampleRate / 2
	// takeMax is how long one recording gets: an hour.
	takeMax = 3600 * proto.SampleRate
)

// take is the recording of one song. It is plain data: it can be written down
// and read back.
//
//	start        next                sungTo      S
//	  |============|.....................|........|
//	   taken down   last bucket + 5.25 s
type take struct {
	on    bool // there is a song to take down
	begun bool // the recorder has been told
	start proto.Clock
	next  proto.Clock // the first position that is not taken down
	// sungTo is the end of the latest voice.
	sungTo proto.Clock
	// last is how far behind the last bucket stands, in seconds: the most that
	// it was while this song lasted.
	last int
}

// startTake begins to take down the song that starts at clock at.
func (b *Brigade) startTake(at proto.Clock) {
	if b.recorder != nil {
		b.take = take{on: true, start: at, next: at, sungTo: at, last: b.state.maxPosition}
	}
}

// record takes down what has been sung by all at clock now and is in the ring,
// and everything if nobody is left.
func (b *Brigade) record(now proto.Clock) {
	t := &b.take
	if !t.on {
		return
	}
	if b.empty() {
		b.FinishRecording()
		return
	}
	t.last = max(t.last, b.state.maxPosition)
	end, ended := now.Add(-t.last*proto.SampleRate-takeBehind), false
	if e := b.state.songEnd; e != 0 && e <= end {
		end, ended = e, true
	}
	end = min(end, b.cleared)
	if ended || end.Sub(t.next) >= takeStep {
		b.takeDown(end)
	}
	if ended && t.next >= b.state.songEnd || t.next.Sub(t.start) >= takeMax {
		b.endTake()
	}
}

// FinishRecording takes down at once what is left of a song: nothing more will
// be sung. It belongs before a brigade is given up.
func (b *Brigade) FinishRecording() {
	if !b.take.on {
		return
	}
	end := b.take.sungTo
	if b.state.songEnd != 0 {
		end = b.state.songEnd
	}
	b.takeDown(min(end, b.cleared))
	b.endTake()
}

// endTake ends the recording, if there is one.
func (b *Brigade) endTake() {
	if b.take.begun {
		b.recorder.End()
	}
	b.take = take{}
}

// takeDown hands everything before end to the recorder.
func (b *Brigade) takeDown(end proto.Clock) {
	t := &b.take
	end = min(end, t.start.Add(takeMax))
	t.next = max(t.next, b.cleared.Add(-b.ring.size)) // what is older is gone
	for t.next < end {
		if !t.begun {
			b.recorder.Begin(t.start)
			t.begun = true
		}
		n := min(takeChunk, end.Sub(t.next))
		b.mixParts(t.next, n)
		b.recorder.Write(t.next, b.parts)
		t.next = t.next.Add(n)
	}
}

// mixParts mixes [from, from+n) for the recorder, into b.parts.
func (b *Brigade) mixParts(from proto.Clock, n int) {
	parts := 1
	if b.ring.Stems != nil {
		parts += 1 + len(b.ring.Stems)
	}
	if b.parts == nil {
		b.parts = make([][]float32, parts)
		for i := range b.parts {
			b.parts[i] = make([]float32, takeChunk)
		}
	}
	voices, back := b.state.gains(1)
	for i := range b.parts {
		b.parts[i] = b.parts[i][:n]
		for _, run := range b.ring.runs(from, n) {
			b.mixPart(i, b.parts[i][run.off:run.off+run.hi-run.lo], run, voices, back)
		}
	}
}

// mixPart mixes one run of one part.
func (b *Brigade) mixPart(part int, dst []float32, run run, voices, back float32) {
	r := &b.ring
	backing, people := r.Backing[run.lo:run.hi], r.People[run.lo:run.hi]
	switch {
	case part == 0 && b.state.noAutoGain:
		mixFlat(dst, r.Audio[run.lo:run.hi], backing, voices, back)
	case part == 0:
		mixGained(dst, r.Audio[run.lo:run.hi], backing, people, b.gains, voices, back)
	case part == 1:
		scaleInto(dst, backing, back)
	case b.state.noAutoGain:
		scaleInto(dst, r.Stems[part-2][run.lo:run.hi], voices)
	default:
		gainInto(dst, r.Stems[part-2][run.lo:run.hi], people, b.gains, voices)
	}
}

// bucketOf is the bucket, from 0, in which a singer stands: the nearest.
func (s *state) bucketOf(u *user) int {
	d := u.delaySeconds() - s.firstBucket
	if d < 0 {
		return 0
	}
	return min((d+proto.BucketSeconds/2)/proto.BucketSeconds, Buckets-1)
}
