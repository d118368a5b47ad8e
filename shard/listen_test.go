package shard

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"testing"
	"time"

	"bucketbrigade/brigade"
	"bucketbrigade/codec"
	"bucketbrigade/proto"
	"bucketbrigade/voice"
)

const second = proto.SampleRate

// choir is a hall with a leader who sings and some who stand one bucket behind,
// each asking at a moment of its own.
type choir struct {
	*hall
	leader *guest
	guests []*guest // the leader is the first
	due    []proto.Clock
}

func (c *choir) listeners() []*guest { return c.guests[1:] }

func newChoir(t *testing.T, listeners int, adjust func(*Config)) *choir {
	c := &choir{hall: newHall(t, adjust)}
	c.leader = c.enter(1, 3*second)
	c.leader.voice = singing(voice.Render(voice.NewSung(voice.SungConfig{Seed: 1}), 10*second))
	c.add(c.leader)
	c.run(second)
	c.ask(c.leader, url.Values{"mark_start_singing": {"1"}})
	c.fill(listeners)
	return c
}

// fill adds listeners, who ask at any time.
func (c *choir) fill(listeners int) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range listeners {
		c.run(rng.IntN(2 * batch / (listeners + 1)))
		c.add(c.enter(100+i, 6*second+rng.IntN(4000)))
	}
}

// add makes a guest ask each 600 ms, from now on.
func (c *choir) add(g *guest) {
	c.guests = append(c.guests, g)
	c.due = append(c.due, c.now())
	c.run(1)
}

// ask gives a guest something to ask for with its next request.
func (c *choir) ask(g *guest, p url.Values) {
	c.t.Helper()
	g.wish = p
	for g.wish != nil {
		c.run(480)
	}
}

// run lets time pass, in which everybody asks when it is time.
func (c *choir) run(samples int) {
	c.t.Helper()
	for end := c.now().Add(samples); c.now() < end; c.pass(min(480, end.Sub(c.now()))) {
		for i, g := range c.guests {
			if c.now() >= c.due[i] {
				c.due[i] = c.due[i].Add(batch)
				wish := g.wish
				g.wish = nil
				g.step(batch, wish)
			}
		}
	}
}

// beside gives a guest of another shard in the same hall, where everybody has an
// encoder of his own.
func (c *choir) beside(id, delay int) *guest {
	s := newTestServer(c.t, backendFunc(c.call), func(cfg *Config) { cfg.Private = true })
	g := c.enter(id, delay)
	g.shard = s
	return g
}

// Forty listeners of one bucket cost one encoder, and hear as well as one who has
// it all for himself.
func TestOneStreamForManyListeners(t *testing.T) {
	t.Parallel()
	const listeners = 40
	c := newChoir(t, listeners, nil)
	alone := c.beside(99, 6*second)
	c.add(alone)
	c.run(3 * second)
	n := &c.shard.counts
	shared, kept, private, sent := n.shared.Load(), n.kept.Load(), n.private.Load(), c.sent
	c.run(9 * second)
	shared, kept, private = n.shared.Load()-shared, n.kept.Load()-kept, n.private.Load()-private
	t.Logf("in 9 s: %d frames encoded for all, %d taken from there, %d encoded for one; %d streams; %d samples sent",
		shared, kept, private, c.shard.streams.len(), c.sent-sent)
	// 150 frames went by, for the leader's bucket and for the listeners' one.
	if want := int64(2 * 150); shared > want+20 || private != 0 || kept < listeners*150-want {
		t.Errorf("%d frames encoded for all, want %d; %d for one, want none; %d kept", shared, want, private, kept)
	}
	if got, most := c.sent-sent, 2*(2*150+400)*proto.FrameSamples+9*second; got > most {
		t.Errorf("the brigade mixed %d samples, want at most %d", got, most)
	}
	from := c.now().Add(-9 * second)
	for _, g := range c.listeners() {
		if g == alone {
			continue
		}
		if r := ratio(alone.at(from.Add(-9*second/8), second), g.at(from.Add(-9*second/8), second)); r < 12 {
			t.Errorf("listener %d hears something else: %.1f dB", g.id, r)
		}
	}
}

// Whatever changes for all is heard at once, in a stream as by oneself.
func TestChangesAreHeardInStreams(t *testing.T) {
	t.Parallel()
	for _, change := range []url.Values{
		{"volume": {"0.8"}}, {"disableAutoGain": {"1"}}, {"mark_stop_singing": {"1"}}, {"bpm": {"140"}}, {"backing_volume": {"0.5"}},
		{"mark_start_singing": {"1"}}, {"mic_volume": {`[["1",0.4]]`}}, {"request_lead": {"1"}},
	} {
		t.Run(fmt.Sprint(change), func(t *testing.T) {
			t.Parallel()
			// Who is alone asks just after the leader has changed something, so the
			// others have asked for the most beyond.
			c := newChoir(t, 0, nil)
			alone := c.beside(99, 6*second)
			c.add(alone)
			c.fill(8)
			c.run(4 * second)
			c.ask(c.leader, change)
			// All hear of it with their next request.
			asked := make([]proto.Clock, len(c.listeners()))
			for i, g := range c.listeners() {
				asked[i] = g.from.Add(len(g.heard))
			}
			ref := alone.from.Add(len(alone.heard))
			c.run(3 * second)
			for i, g := range c.listeners()[1:] {
				// From where both have asked after the change, and their decoders
				// have forgotten what was before.
				from := max(asked[i+1], ref).Add(second / 20)
				want, got := alone.at(from, second), g.at(from, second)
				if codec.RMS(want) < 1e-4 {
					if codec.RMS(got) > 1e-3 {
						t.Errorf("listener %d hears %.4f where silence should be", g.id, codec.RMS(got))
					}
				} else if r := ratio(want, got); r < 9 {
					t.Errorf("listener %d hears something else: %.1f dB", g.id, r)
				}
			}
		})
	}
}

// A newcomer's sound fades in and is then everybody's.
func TestNewcomerFadesIn(t *testing.T) {
	t.Parallel()
	c := newChoir(t, 3, nil)
	alone := c.beside(99, 6*second)
	c.add(alone)
	c.run(5 * second)
	private := c.shard.counts.private.Load()
	for round := range 5 {
		g := c.enter(200+round, 6*second)
		g.step(batch, nil)
		g.step(batch, nil)
		c.run(2 * second)
		want, got := alone.at(g.from, 2*batch), g.at(g.from, 2*batch)
		const lead = leadFrames * proto.FrameSamples
		if head, all := codec.RMS(got[:lead/4]), codec.RMS(want[:lead]); head > all/2 {
			t.Errorf("newcomer %d begins with %.3f, the song has %.3f", round, head, all)
		}
		// What precedes the stream is as loud as it is.
		const faded = fadeFrames * proto.FrameSamples
		if r := codec.RMS(got[faded:lead]) / codec.RMS(want[faded:lead]); r < 0.9 || r > 1.1 {
			t.Errorf("newcomer %d hears %.2f of the song just before the stream takes over", round, r)
		}
		if r := ratio(want[lead:], got[lead:]); r < 9 {
			t.Errorf("newcomer %d hears something else: %.1f dB", round, r)
		}
	}
	if got := c.shard.counts.private.Load() - private; got != 5*leadFrames {
		t.Errorf("%d frames were encoded for newcomers, want %d", got, 5*leadFrames)
	}
}

// Solos and loopback are one's own; whose backing is louder shares with those who
// have it as loud.
func TestMixesOfOnesOwn(t *testing.T) {
	t.Parallel()
	c := newChoir(t, 4, nil)
	c.ask(c.leader, url.Values{"bpm": {"100"}})
	c.run(3 * second)
	g := c.listeners()[0]
	private := func(extra url.Values, steps int) int64 {
		n := c.shard.counts.private.Load()
		for range steps {
			g.wish = extra
			c.run(batch)
		}
		return c.shard.counts.private.Load() - n
	}
	if n := private(nil, 3); n != 0 {
		t.Errorf("%d frames of a usual listener are private", n)
	}
	if n := private(url.Values{"hear_monitor": {"1"}}, 3); n != 30 {
		t.Errorf("%d frames of 30 of solos are private", n)
	}
	if n := private(nil, 3); n != 10 {
		t.Errorf("back from solos %d frames are private, want those of one answer", n)
	}
	streams := c.shard.streams.len()
	if n := private(url.Values{"user_backing_volume": {"0.3"}}, 4); n != 10 || c.shard.streams.len() != streams+1 {
		t.Errorf("%d frames are private when the backing changes, %d streams; want 10 and one more than %d", n, c.shard.streams.len(), streams)
	}
	if n := private(url.Values{"loopback": {"true"}}, 2); n != 20 {
		t.Errorf("%d frames of 20 of loopback are private", n)
	}
}

func TestStreamsAreFoundAndEnd(t *testing.T) {
	t.Parallel()
	s := streams{max: 3, opus: codec.Default()}
	at := time.Unix(1000, 0)
	find := func(mix proto.Mix, lag int, current *stream) *stream { return s.find(mix, lag, current, at) }
	a, b := find(1001, 100_000, nil), find(1001, 200_000, nil)
	if a == b || find(1001, 100_000+joinLag, nil) != a || find(1001, 200_000-joinLag, nil) != b {
		t.Error("a stream near by is not found")
	}
	if find(1002, 100_000, a) == a {
		t.Error("another mix is found")
	}
	if find(1003, 0, nil) != nil || s.len() != 3 {
		t.Errorf("%d streams, want 3 at most", s.len())
	}
	if find(1001, a.lag+leaveLag, a) != a || find(1001, a.lag+leaveLag, b) == a || find(1001, a.lag+leaveLag+1, a) == a {
		t.Error("a listener that drifts stays with its stream for a while, and only it")
	}
	// The listeners of b drift towards a; b follows, and in the end all are one.
	for lag := b.lag; lag > a.lag+joinLag; lag -= 100 {
		if got := find(1001, lag, b); got != b {
			t.Fatalf("at %d a listener of b was given another stream", lag)
		}
	}
	if find(1001, a.lag+joinLag, b) != a {
		t.Error("two streams that have come close do not become one")
	}
	at = at.Add(streamIdle)
	find(1001, 100_000, a)
	s.sweep(at)
	if s.len() != 3 {
		t.Errorf("%d streams, one has ended early", s.len())
	}
	at = at.Add(1)
	if s.sweep(at); s.len() != 1 || find(1001, a.lag, nil) != a {
		t.Errorf("%d streams are left, want the one that was used", s.len())
	}
	if find(1001, 200_000, b) == b {
		t.Error("a stream that has ended is found")
	}
}

// Who lags behind the others in earnest has a stream of his own.
func TestLaggardHasItsOwnStream(t *testing.T) {
	t.Parallel()
	c := newChoir(t, 4, nil)
	c.add(c.enter(300, 6*second+second/2))
	c.run(4 * second)
	if n := c.shard.streams.len(); n != 3 {
		t.Errorf("%d streams, want the leader's, the bucket's and the laggard's", n)
	}
}

// Who sends silence brings nobody any samples, and counts as before.
func TestSilenceCrossesNothing(t *testing.T) {
	t.Parallel()
	c := newChoir(t, 2, nil)
	c.leader.voice = func(dst []float32, _ proto.Clock) { clear(dst) }
	c.run(4 * second)
	c.mu.Lock()
	brought := c.brought
	c.mu.Unlock()
	c.run(4 * second)
	if c.brought != brought {
		t.Errorf("%d samples of silence were brought", c.brought-brought)
	}
	if n := c.listeners()[0].last.PeopleHeard; n != 1 {
		t.Errorf("%d people are heard, want the silent one", n)
	}
}

// While others are at work on a stream for long, one goes on without.
func TestBusyStreamIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	c := newChoir(t, 1, nil)
	c.run(3 * second)
	g := c.listeners()[0]
	st := c.shard.roster.singers[singerKey{proto.UserID(g.id), proto.CookieSession(testCookie)}].listener.stream
	<-st.turn
	private := c.shard.counts.private.Load()
	c.due[1] = c.now() // nobody else asks meanwhile
	c.run(1)
	if n := c.shard.counts.private.Load() - private; n != batch/proto.FrameSamples {
		t.Errorf("%d frames are private, want all of one answer", n)
	}
	st.release()
	c.run(2 * second)
	if n := c.shard.counts.private.Load() - private; n != batch/proto.FrameSamples {
		t.Errorf("%d frames are private afterwards", n)
	}
}

// After a state server whose clock was ahead its streams begin anew: nobody is
// told what was encoded then, and nobody stays without a stream.
func TestStreamsOfAnotherClockBeginAnew(t *testing.T) {
	t.Parallel()
	c := newChoir(t, 3, nil)
	c.run(3 * second)
	back := 20 * second
	c.mu.Lock()
	c.brigade, c.clock = brigade.New(brigade.Config{}), c.clock.Add(-back)
	c.mu.Unlock()
	for i, g := range c.guests {
		c.due[i] = c.due[i].Add(-back)
		g.read = g.read.Add(-back)
		g.restart()
	}
	c.run(3 * second)
	private := c.shard.counts.private.Load()
	c.run(3 * second)
	if n := c.shard.counts.private.Load() - private; n != 0 {
		t.Errorf("%d frames were encoded for one", n)
	}
	for _, g := range c.listeners() {
		if r := codec.RMS(g.heard); r > 1e-3 {
			t.Errorf("listener %d hears %.4f of a song that is over", g.id, r)
		}
	}
}

// Whose interval begins at the end of the ring is answered without the frame
// before it.
func TestListenerAtTheEndOfTheRing(t *testing.T) {
	t.Parallel()
	for _, lag := range []int{proto.RingSamples - batch, proto.RingSamples - batch - 2000, proto.RingSamples - batch - 4000, proto.RingSamples - batch - 6000} {
		c := newChoir(t, 1, nil)
		end := c.now().Add(-lag + 600)
		g := c.enter(400, 0)
		g.read = end.Add(-batch)
		g.step(batch, nil)
	}
}
