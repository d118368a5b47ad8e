package brigade

import (
	"slices"
	"testing"

	"bucketbrigade/proto"
)

// lateTracks are tracks that are not decoded yet, but for those that are.
type lateTracks struct {
	trackMap
	decoded bool
}

func (l *lateTracks) Track(name string) ([]float32, bool) {
	if !l.decoded {
		return nil, false
	}
	return l.trackMap.Track(name)
}

// A track goes on without its samples as far as it is kept ahead; what is missing
// then is filled once they are there, and the song ends where it would have.
func TestTrackGoesOnBeforeItIsDecoded(t *testing.T) {
	t.Parallel()
	track := make([]float32, 6*proto.SampleRate)
	for i := range track {
		track[i] = float32(i%997+1) / 1000
	}
	for _, ahead := range []int{0, 2 * proto.SampleRate, AheadSamples} {
		for _, requested := range []bool{false, true} { // the song starts after the restart
			tracks := &lateTracks{trackMap{"song": track}, true}
			h := newHome(t, Config{MaxUsers: 3, Tracks: tracks}, 12)
			h.rings.Ahead = h.rings.Ahead[:0]
			if ahead > 0 {
				h.rings.Ahead = make([]float32, ahead)
			}
			h.b.ring.Ahead = h.rings.Ahead
			ann := h.join(1, 3*frame, 0)
			start := h.now
			sing := func(p params, frames int) {
				for range frames {
					ann.ask(p)
					h.pass(frame)
					p = nil
				}
			}
			ann.ask(params{"track": "song"})
			if !requested {
				ann.ask(params{"mark_start_singing": "1"})
				sing(nil, 20)
			}
			tracks.decoded = false
			h.restart()
			if want := []string{"song"}; !slices.Equal(h.b.AwaitedTracks(), want) {
				t.Errorf("%v are awaited, want %v", h.b.AwaitedTracks(), want)
			}
			if requested {
				ann.ask(params{"mark_start_singing": "1"})
				start = h.now
			}
			sing(nil, 30)
			if kept := h.backing(start, 19*frame); !requested && !slices.Equal(kept, scaled(track[:19*frame])) {
				t.Errorf("ahead %d: what was filled before the restart changed", ahead)
			}
			if got := h.backing(start, 30*frame); ahead == AheadSamples && !requested && !slices.Equal(got, scaled(track[:30*frame])) {
				t.Errorf("the track does not go on from what is kept ahead")
			}
			since, owed := h.b.mixedSince, h.b.state.playing.owed
			tracks.decoded = true
			sing(nil, 1)
			if changed := h.b.mixedSince != since; changed != (owed > 0) || (ahead == AheadSamples && !requested) != (owed == 0) {
				t.Errorf("ahead %d, requested %t: %d samples were owed, shards may keep what they have: %t", ahead, requested, owed, !changed)
			}
			sing(nil, 79)
			if got := h.backing(start, 7*proto.SampleRate-frame); !slices.Equal(got[:len(track)], scaled(track)) || slices.Max(got[len(track):]) != 0 {
				t.Errorf("ahead %d, requested %t: the track is not whole", ahead, requested)
			}
			if h.b.state.songEnd != start.Add(len(track)) {
				t.Errorf("ahead %d: the song ends %d samples after its start, the track has %d", ahead, h.b.state.songEnd.Sub(start), len(track))
			}
		}
	}
}

// backing is what lies in the ring from a clock on.
func (h *home) backing(from proto.Clock, n int) (pcm []float32) {
	for _, run := range h.b.ring.runs(from, n) {
		pcm = append(pcm, h.b.ring.Backing[run.lo:run.hi]...)
	}
	return pcm
}

// scaled is a track as it lies in the ring.
func scaled(pcm []float32) []float32 {
	out := make([]float32, len(pcm))
	scaleInto(out, pcm, trackGain)
	return out
}
