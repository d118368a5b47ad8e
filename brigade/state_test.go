package brigade

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"bucketbrigade/proto"
)

// A state reset is told to who was there before, by a tick as by a request.
func TestResetIsTold(t *testing.T) {
	t.Parallel()
	for _, tick := range []bool{false, true} {
		r := newRoom(t, Config{})
		ann, bob := r.join(1, 30000, 9000), r.join(2, 60000, 0)
		bob.ask(nil)
		req := ann.request(frame, 0, params{"bpm": "90", "volume": "0.5", "disableSongVideo": "1", "request_lead": "1"})
		ann.done(frame)
		r.must(req)
		lyrics := "la"
		req = ann.request(frame, 0.5, params{"mark_start_singing": "1", "image": "1", "disableAutoGain": "1"})
		req.Lyrics = &lyrics
		ann.done(frame)
		r.must(req)
		bob.ask(nil)
		r.pass(proto.UserInactive)
		if tick {
			r.b.Tick(r.now)
			r.b.Tick(r.now + 5)
		}
		bob.fresh, bob.read = true, r.now.Add(-60000)
		m := bob.ask(nil)
		if m.BPM == nil || *m.BPM != 0 || m.GlobalVolume == nil || math.Abs(*m.GlobalVolume-1.0263573879235801) > 1e-12 ||
			m.DisableSongVideo == nil || *m.DisableSongVideo || value(t, m.Lyrics) != "" || value(t, m.Image) != "" ||
			value(t, m.BackingTrackType) != "" || m.FirstBucket == nil || *m.FirstBucket != 3 {
			t.Errorf("tick %t: told %+v", tick, m.News)
		}
		if m.Leader != nil || m.SongStartClock != 0 || r.b.state.noAutoGain || !slices.Equal(r.audio(), make([]float32, frame)) {
			t.Errorf("tick %t: after the reset: %+v", tick, m)
		}
		if m := bob.ask(nil); m.BPM != nil {
			t.Errorf("tick %t: told twice", tick)
		}
	}
}

// What lay in the ring when the state was reset is cleared when its time comes
// round again: the gap between reset and next request too.
func TestGapAfterResetIsCleared(t *testing.T) {
	t.Parallel()
	for _, tick := range []bool{false, true} {
		r := newRoom(t, Config{})
		ann := r.join(1, 5760, 2880)
		ann.ask(nil)
		ann.sing(0.5, params{"mark_start_singing": "1", "monitor": "1"})
		for range 40 {
			r.pass(frame)
			ann.sing(0.5, nil)
		}
		for range 4 { // each step but the last resets the state
			r.pass(proto.UserInactive)
			if tick {
				r.b.Tick(r.now)
			}
			ann.fresh, ann.read = true, r.now.Add(-5760)
			ann.write = ann.read.Add(-2880)
			ann.ask(nil)
		}
		if peak := slices.Max(r.b.ring.Monitor); peak != 0 {
			t.Errorf("tick %t: %v is left of 20 s ago in a ring of %d s", tick, peak, ringSeconds)
		}
		if peak := slices.Max(r.b.ring.People); peak != 0 {
			t.Errorf("tick %t: %d people are left", tick, peak)
		}
	}
}

// Ticks move the ring on; nobody notices otherwise.
func TestTicksChangeNoAnswer(t *testing.T) {
	t.Parallel()
	answers := func(tick bool) (out []string) {
		r := newRoom(t, Config{Tracks: trackMap{"t": slices.Repeat([]float32{0.5}, 30000)}})
		lea, fay := r.join(1, 30000, 9000), r.join(2, 60000, 9000)
		ask := func(s *singer, p params) {
			s.sing(0.25, p)
			out = append(out, r.ans.Metadata, fmt.Sprint(r.audio()))
		}
		ask(fay, nil)
		ask(lea, params{"track": "t"})
		for i := range 60 {
			r.pass(frame / 2)
			if tick {
				r.b.Tick(r.now)
			}
			r.pass(frame / 2)
			p := params{}
			switch i {
			case 2:
				p["mark_start_singing"] = "1"
			case 30:
				p["bpm"] = "200"
			case 40:
				p["mark_start_singing"] = "1"
			}
			ask(lea, p)
			ask(fay, nil)
		}
		return out
	}
	if with, without := answers(true), answers(false); !slices.Equal(with, without) {
		t.Error("answers differ when there are ticks")
	}
}

func TestTickForgetsAndIsMonotonic(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	r.b.Tick(r.now)
	s := r.join(1, 30000, 0)
	s.ask(nil)
	r.pass(frame)
	r.b.Tick(r.now)
	before := r.digest()
	r.b.Tick(r.now - 100)
	if r.digest() != before {
		t.Error("a tick from the past left a trace")
	}
	r.pass(-1000)
	if m := s.ask(nil); m.ServerClock != r.now+1000 {
		t.Errorf("a request from the past was handled at %d, want the latest known, %d", m.ServerClock, r.now+1000)
	}
}

// After a silence as long as the ring nothing is left of it, and the clock of
// the request before is told as the oldest that is kept.
func TestLongGapClearsAll(t *testing.T) {
	t.Parallel()
	for _, more := range []int{0, 1, 50 * ringSeconds * proto.SampleRate} {
		r := newRoom(t, Config{})
		ann := r.join(1, 5760, 2880)
		ann.ask(nil)
		ann.sing(0.5, params{"mark_start_singing": "1", "monitor": "1"})
		for range 150 { // 9 s of it
			r.pass(frame)
			ann.sing(0.5, nil)
		}
		if n := slices.Max(r.b.ring.People); n != 1 {
			t.Fatalf("%d voices in the ring", n)
		}
		r.pass(r.b.ring.size + more)
		ann.fresh, ann.read = true, r.now.Add(-5760)
		ann.write = ann.read.Add(-2880)
		m := ann.ask(nil)
		if slices.Max(r.b.ring.Monitor) != 0 || slices.Max(r.b.ring.Audio) != 0 || slices.Max(r.b.ring.People) != 0 {
			t.Errorf("%d samples more than the ring: something is left", more)
		}
		if want := r.now.Add(-r.b.ring.size); m.LastRequestClock != want {
			t.Errorf("last request at %d, want %d", m.LastRequestClock, want)
		}
	}
}
