package shard

import (
	"math"
	"slices"
	"testing"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
	"bucketbrigade/voice"
)

// streamOf is what a guest heard last.
func (c *choir) streamOf(g *guest) *stream {
	return c.shard.roster.singers[singerKey{proto.UserID(g.id), proto.CookieSession(testCookie)}].listener.stream
}

// stride is the largest step from one sample to the next: a click is one that is
// larger than those of what is sung.
func stride(pcm []float32) (most float64) {
	for i := 1; i < len(pcm); i++ {
		most = max(most, math.Abs(float64(pcm[i]-pcm[i-1])))
	}
	return most
}

// worstPart is the least ratio of any 20 ms that sound.
func worstPart(want, got []float32) float64 {
	const part = second / 50
	worst := math.Inf(1)
	for i := 0; i+part <= len(want); i += part {
		if codec.RMS(want[i:i+part]) > 1e-3 {
			worst = min(worst, ratio(want[i:i+part], got[i:i+part]))
		}
	}
	return worst
}

// Who goes to another bucket hears what is sung there, and no click with the
// decoder that he has: back and forth between those who hear the leader alone and
// those who hear another with him.
func TestMoverHearsTheOtherBucket(t *testing.T) {
	t.Parallel()
	const near, far = 6 * second, 9 * second
	c := newChoir(t, 2, nil)
	between := c.enter(50, near)
	between.voice = singing(voice.Render(voice.NewSung(voice.SungConfig{Seed: 2, Pitch: 300}), 10*second))
	alone := map[int]*guest{near: c.beside(98, near), far: c.beside(99, far)}
	mover := c.enter(52, near)
	for _, g := range []*guest{between, alone[near], alone[far], c.enter(51, far), mover} {
		c.add(g)
	}
	c.run(7 * second)
	for _, to := range []int{far, near, far} {
		before, private := mover.heard, c.shard.counts.private.Load()
		mover.read, mover.fresh, mover.heard, mover.from = c.now().Add(-to), true, nil, 0
		c.due[len(c.due)-1] = c.now()
		c.run(5 * second)
		want, elsewhere := alone[to].at(mover.from, second), alone[near+far-to].at(mover.from, second)
		got := mover.heard[:second]
		junction := slices.Concat(before[len(before)-second/100:], got[:second/20])
		if step, usual := stride(junction), min(stride(before[len(before)-second:]), stride(want)); step > usual {
			t.Errorf("to %d: a step of %.3f, in the song are %.3f at most", to, step, usual)
		}
		const lead = leadFrames * proto.FrameSamples
		if r := ratio(want[lead:], got[lead:]); r < 12 {
			t.Errorf("to %d: he hears something else than those there: %.1f dB", to, r)
		}
		if r := ratio(want[lead:], elsewhere[lead:]); r > 6 {
			t.Errorf("to %d: both buckets hear the same, %.1f dB: nothing is shown", to, r)
		}
		if n := c.shard.counts.private.Load() - private; n != leadFrames {
			t.Errorf("to %d: %d frames were encoded for one, want %d", to, n, leadFrames)
		}
	}
}

// Who falls behind the others of his bucket goes over to the stream of those who
// are as late, without beginning anew, by way of one of his own.
func TestLateListenerChangesStreams(t *testing.T) {
	t.Parallel()
	c := newChoir(t, 3, nil)
	late := c.enter(300, 6*second+second/2)
	c.add(late)
	c.run(4 * second)
	g, private := c.listeners()[0], c.shard.counts.private.Load()
	c.due[1] = c.due[1].Add(second / 2)
	var changes []proto.Clock // where a stream was heard first
	for last := c.streamOf(g); len(changes) < 2; {
		end := g.from.Add(len(g.heard))
		c.run(batch)
		if s := c.streamOf(g); s != last {
			changes, last = append(changes, end), s
		}
		if end > late.from.Add(20*second) {
			t.Fatalf("changes at %v, two are expected", changes)
		}
	}
	if c.streamOf(g) != c.streamOf(late) {
		t.Error("he does not hear the stream of those who are as late")
	}
	c.run(batch)
	// A stream that he has for himself is as near to theirs as any two encoders
	// are. Theirs he hears as well as who has heard it all along.
	for i, least := range []float64{9, 15} {
		if r := worstPart(late.at(changes[i], batch), g.at(changes[i], batch)); r < least {
			t.Errorf("change %d: %.1f dB off what others hear, want %g", i, r, least)
		}
	}
	if n := c.shard.counts.private.Load() - private; n != 0 {
		t.Errorf("%d frames were encoded for one, who has only changed streams", n)
	}
}
