package load

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
	"bucketbrigade/singer"
	"bucketbrigade/voice"
)

const batch = singer.BatchSamples

// stage is a pilot who has sung eight batches from position 1 000 000 on, each
// acknowledged as it was sent, and the window of a listener.
func stage(t *testing.T) (*pilot, *window, time.Time) {
	t.Helper()
	p, err := newPilot("ann", 77, 20, nil)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Unix(1_700_000_000, 0)
	for k := range 8 {
		sung := p.sing(proto.Clock(1_000_000+k*batch), 3+k, start.Add(time.Duration(k)*singer.Pace))
		sung.acknowledged = sung.sent
	}
	w := &window{listener: &pilot{name: "bob"}, behind: 6, start: 1_000_000 + 2*batch + 500, pcm: make([]float32, windowSamples), songStart: 900_000}
	for j := range w.asked {
		w.asked[j] = start.Add(time.Duration(3+j)*singer.Pace + settled)
	}
	w.answered = w.asked[2].Add(10 * time.Millisecond)
	return p, w, start
}

func TestExpect(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(p *pilot, w *window)
		want  expectation
	}{
		{"all was there", func(*pilot, *window) {}, mustHear},
		{"the last piece is not acknowledged", func(p *pilot, _ *window) { p.sung[5].acknowledged = time.Time{} }, undecided},
		{"it came too late to be sure", func(p *pilot, _ *window) { p.sung[4].acknowledged = p.sung[4].acknowledged.Add(time.Second) }, undecided},
		{"a piece is missing", func(p *pilot, _ *window) { p.sung = append(p.sung[:3:3], p.sung[4:]...) }, undecided},
		{"the beginning is missing", func(p *pilot, _ *window) { p.sung = p.sung[3:] }, undecided},
		{"sung anew after a move", func(p *pilot, _ *window) { p.sing(1_000_000+4*batch+77, 1, time.Now()).acknowledged = time.Now() }, undecided},
		{"he has not come so far", func(p *pilot, w *window) { p.sung = p.sung[:2]; p.sung[1].sent = w.answered }, mustNotHear},
		{"he sings no more", func(p *pilot, w *window) { p.sung = p.sung[:2]; p.sung[1].sent = w.answered.Add(-5 * time.Second) }, undecided},
		{"he never sang", func(p *pilot, _ *window) { p.sung = nil }, undecided},
		{"he began later", func(p *pilot, _ *window) { p.sung = p.sung[6:] }, undecided},
	} {
		p, w, _ := stage(t)
		c.spoil(p, w)
		got, pattern := p.expect(w)
		if got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
		if got != undecided && pattern != 5*batch+500 {
			t.Errorf("%s: the window begins with sample %d of the pattern, want %d", c.name, pattern, 5*batch+500)
		}
	}
}

// heardBy puts what the pilot sang, as late as two encoders, into the window.
func heardBy(w *window, id uint64, at int, gain float32) {
	v := voice.NewPattern(id)
	v.MoveTo(int64(at))
	v.Read(w.pcm)
	room := voice.Render(voice.NewSung(voice.SungConfig{Seed: 3}), len(w.pcm))
	for i := range w.pcm {
		w.pcm[i] = gain*w.pcm[i] + room[i]
	}
}

func TestEarJudges(t *testing.T) {
	t.Parallel()
	const at = 5*batch + 500
	for _, c := range []struct {
		name  string
		hears func(p *pilot, w *window)
		kind  string
	}{
		{"as it should be", func(_ *pilot, w *window) { heardBy(w, 77, at-432, 1) }, ""},
		{"nothing", func(*pilot, *window) {}, KindLost},
		{"another", func(_ *pilot, w *window) { heardBy(w, 78, at-432, 1) }, KindLost},
		{"one packet late", func(_ *pilot, w *window) { heardBy(w, 77, at-432-2880, 1) }, KindMisplaced},
		{"two seconds late", func(_ *pilot, w *window) { heardBy(w, 77, at-432-96000, 1) }, KindMisplaced},
		{"not late at all", func(_ *pilot, w *window) { heardBy(w, 77, at, 1) }, KindMisplaced},
		{"before it was sung", func(p *pilot, w *window) {
			heardBy(w, 77, at-432, 1)
			p.sung = p.sung[:2]
			p.sung[1].sent = w.answered
		}, KindEarly},
		{"before it was sung, rightly nothing", func(p *pilot, w *window) {
			p.sung = p.sung[:2]
			p.sung[1].sent = w.answered
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, w, start := stage(t)
			e := newEar(newRecorder(start, 0, time.Second, defaultListed), time.Second)
			e.pilots = []*pilot{p, w.listener}
			c.hears(p, w)
			e.take(w)
			pairs := e.result()
			if len(pairs) != 1 || pairs[0].Singer != "ann" || pairs[0].Listener != "bob" {
				t.Fatalf("%+v", pairs)
			}
			if c.kind == "" {
				if len(e.rec.failures) > 0 || pairs[0].Verdict != "heard" && pairs[0].Verdict != "rightly not heard" {
					t.Errorf("%+v, %+v", pairs[0], e.rec.failures)
				}
				return
			}
			if len(e.rec.failures) != 1 || e.rec.failures[0].Kind != c.kind || e.rec.failures[0].Singer != "ann" || pairs[0].Verdict != c.kind {
				t.Errorf("%+v, %+v; want %s of ann", pairs[0], e.rec.failures, c.kind)
			}
			// Once looked at, a pair is left alone for a while.
			e.take(w)
			if again := e.result(); again[0].Expected+again[0].Unsung != 1 {
				t.Errorf("looked at once more: %+v", again[0])
			}
		})
	}
}

// A song begins with what must not be heard yet; the voice itself, a little later, is
// not passed over for that.
func TestEarHearsWhoComesLater(t *testing.T) {
	t.Parallel()
	p, w, start := stage(t)
	e := newEar(newRecorder(start, 0, time.Second, defaultListed), time.Second)
	e.pilots = []*pilot{p, w.listener}
	sung, sent := p.sung, p.sung[1].sent
	p.sung, p.sung[1].sent = sung[:2], w.answered
	e.take(w)
	p.sung, p.sung[1].sent = sung, sent
	heardBy(w, 77, 5*batch+500-432, 1)
	e.take(w)
	if pairs := e.result(); len(pairs) != 1 || pairs[0].Unsung != 1 || pairs[0].Heard != 1 {
		t.Errorf("%+v", pairs)
	}
}

// Outside of a song nobody is expected to hear anything.
func TestEarKnowsSongs(t *testing.T) {
	t.Parallel()
	for _, spoil := range []func(w *window){
		func(w *window) { w.songStart = 0 },
		func(w *window) { w.songStart, w.songEnd = 1, 1 },
		func(w *window) { w.songStart = w.start.Add(-songMargin + 1) },
		func(w *window) { w.songEnd = w.end() - 1 },
	} {
		p, w, start := stage(t)
		spoil(w)
		e := newEar(newRecorder(start, 0, time.Second, defaultListed), time.Second)
		e.pilots = []*pilot{p, w.listener}
		e.take(w)
		if got := e.result(); len(got) > 0 {
			t.Errorf("song %d..%d, window from %d: %+v", w.songStart, w.songEnd, w.start, got)
		}
	}
}

// What a pilot sends decodes to his pattern at the place that he notes.
func TestPilotSingsWhatHeNotes(t *testing.T) {
	t.Parallel()
	p, err := newPilot("ann", 77, 6, nil)
	if err != nil {
		t.Fatal(err)
	}
	heard := decoded(t, p.loop)
	s := voice.Find(heard[batch:4*batch], 77, -2*batch, 0)
	if !s.Present() || s.Lag < -batch+308 || s.Lag > -batch+316 || s.Gain < 2 || s.Gain > 2.6 || codec.RMS(heard) < 0.2 {
		t.Errorf("%+v, want a lag of %d", s, -batch+312)
	}
}

// A pilot hands on a window for each of the others, one after another, and then
// only as many as are looked at; he decodes no more than those.
func TestPilotRests(t *testing.T) {
	t.Parallel()
	silence, err := codec.NewEncoder().AppendPacked(nil, make([]float32, singer.BatchSamples))
	if err != nil {
		t.Fatal(err)
	}
	ears := make(chan window, 100)
	p := &pilot{fellows: []*pilot{{}, {}}, ears: ears}
	p.connected()
	start := time.Unix(1.8e9, 0)
	song := proto.Clock(5)
	for i := range 50 {
		at := start.Add(time.Duration(i) * singer.Pace)
		clock, n := proto.ClockAt(at), singer.BatchSamples
		a := answer{told: told{ServerClock: &clock, ClientReadClock: &clock, Samples: &n, SongStart: &song}, packed: silence}
		if err := p.hear(&flight{sent: at, arrived: at, answer: a}); err != nil {
			t.Fatal(err)
		}
	}
	var times []string
	for len(ears) > 0 {
		w := <-ears
		if len(w.pcm) != windowSamples || w.end() != proto.ClockAt(w.answered) {
			t.Errorf("a window of %d samples, %d to %d", len(w.pcm), w.start, w.end())
		}
		times = append(times, fmt.Sprintf("%.1f", w.answered.Sub(start).Seconds()))
	}
	// Of 8 s each pair wants one look: a window in 4 s for each of two, and one
	// answer more for the decoder to begin with.
	if got, want := strings.Join(times[:5], " "), "1.8 3.6 7.8 12.0 16.2"; got != want {
		t.Errorf("windows at %s s, want %s", got, want)
	}
}
