package brigade

import (
	"math"
	"slices"
	"testing"

	"bucketbrigade/proto"
)

func value(t *testing.T, p *string) string {
	t.Helper()
	if p == nil {
		return "(not told)"
	}
	return *p
}

// allOf tells whether all samples are x.
func allOf(pcm []float32, x float64) bool {
	return len(pcm) > 0 && !slices.ContainsFunc(pcm, func(y float32) bool { return math.Abs(float64(y)-x) > 1e-6 })
}

func TestLeaderWhoNeverSangEndsTheSong(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	lea := r.join(1, 30000, 0)
	lea.ask(params{"request_lead": "1"})
	lea.ask(params{"mark_start_singing": "1"})
	m := lea.ask(params{"mark_stop_singing": "1"})
	if m.SongEndClock != m.ClientReadClock || m.Leader != nil {
		t.Errorf("song ends at %d, leader %v; want %d and none", m.SongEndClock, m.Leader, m.ClientReadClock)
	}
}

func TestLateJoinerIsToldTheBacking(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	lea := r.join(1, 30000, 0)
	lea.ask(params{"bpm": "100"})
	lea.ask(params{"mark_start_singing": "1"})
	if m := r.join(2, 60000, 0).ask(nil); value(t, m.BackingTrackType) != "Metronome" {
		t.Errorf("told %s", value(t, m.BackingTrackType))
	}
	lea.ask(params{"mark_stop_singing": "1"})
	if m := r.join(3, 60000, 0).ask(nil); m.BackingTrackType != nil {
		t.Errorf("told %s after the song", *m.BackingTrackType)
	}
}

// A track that is uploaded while people sing can be used at once, plays at 0.8
// and is mixed at 0.2; its end ends the song.
func TestUploadedTrack(t *testing.T) {
	t.Parallel()
	tracks := trackMap{}
	r := newRoom(t, Config{Tracks: tracks})
	lea := r.join(1, frame, 0)
	lea.ask(params{"track": "late"})
	r.pass(frame)
	if m := lea.ask(params{"mark_start_singing": "1"}); value(t, m.BackingTrackType) != "" {
		t.Errorf("an unknown track plays as %q", *m.BackingTrackType)
	}
	tracks["late"] = slices.Repeat([]float32{0.5}, 2*frame)
	r.pass(frame)
	lea.ask(params{"track": "late"})
	r.pass(frame)
	m := lea.ask(params{"mark_start_singing": "1"})
	begin := r.now
	if value(t, m.BackingTrackType) != "Backing Track" || r.b.state.requestedTrack != "" {
		t.Errorf("told %q", value(t, m.BackingTrackType))
	}
	if m := r.join(2, 30000, 0).ask(nil); m.Tracks == nil || !slices.Equal(*m.Tracks, []string{"late"}) {
		t.Errorf("newcomer is told tracks %v", m.Tracks)
	}
	r.pass(frame)
	if m = lea.ask(nil); m.SongEndClock != 0 {
		t.Error("song ended early")
	}
	if want := 0.5 * 0.8 * 0.2 * 1.2; !allOf(r.audio(), want) {
		t.Errorf("track sounds as %v, want %v", r.audio()[:3], want)
	}
	r.pass(frame)
	if m = lea.ask(nil); m.SongEndClock != begin.Add(2*frame) || value(t, m.BackingTrackType) != "" {
		t.Errorf("song ends at %d, want %d; type %q", m.SongEndClock, begin.Add(2*frame), value(t, m.BackingTrackType))
	}
}

// In a round each voice comes again one round later, as often as wished, but
// only behind the server clock, and not soloed.
func TestRounds(t *testing.T) {
	t.Parallel()
	const round = 60 * proto.SampleRate / 120 * 2 // 120 bpm, 2 beats
	for _, c := range []struct {
		name   string
		behind int // from the end of the voice to the server clock
		want   int // how often it is there
	}{
		{"all repeats", 3*round + 10, 4},
		{"the last one would end at the clock", 3 * round, 3},
		{"just behind", 3*round + 1, 4},
		{"one", round + 1, 2},
		{"none", round - 5, 1},
	} {
		r := newRoom(t, Config{})
		r.b.state = state{songStart: 1, bpm: 120, bpr: 2, repeats: 3}
		from := r.now.Add(-c.behind - frame)
		r.b.sing(r.now, from, frame, slices.Repeat([]float32{0.5}, frame), voicing{gain: 1, soloed: true})
		got := 0
		for i := range 5 {
			at := from.Add(i * round)
			run := r.b.ring.runs(at, frame)[0]
			if r.b.ring.Audio[run.lo] == 0.5 && r.b.ring.peopleAt(at) == 1 {
				got++
			}
			if soloed := r.b.ring.Monitor[run.lo] != 0; soloed != (i == 0) {
				t.Errorf("%s: repeat %d soloed: %t", c.name, i, soloed)
			}
		}
		if got != c.want {
			t.Errorf("%s: there %d times, want %d", c.name, got, c.want)
		}
	}
}
