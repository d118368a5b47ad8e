package brigade

import (
	"slices"
	"testing"

	"bucketbrigade/proto"
)

// What was sung, soloed and played is gone when its place in the ring is used
// again, whether the clock gets there in steps or in one.
func TestRingIsClearedBehind(t *testing.T) {
	t.Parallel()
	const seconds = 2
	const size = seconds * proto.SampleRate
	for _, rings := range []*Rings{nil, newRings(size, true)} {
		for _, step := range []int{frame, size - 1, size, size + 1, 3*size + 7} {
			if rings != nil { // content that nobody knows
				for _, samples := range [][]float32{rings.Audio, rings.Backing, rings.Monitor, rings.Stems[2]} {
					copy(samples[size/2:], slices.Repeat([]float32{1}, 999))
				}
				copy(rings.People[size/2:], slices.Repeat([]uint16{1}, 999))
			}
			r := newRoomOf(t, Config{Rings: rings, Stems: rings != nil}, seconds)
			silent := func(when string) {
				t.Helper()
				if r.ringSum() != newRoomOf(t, Config{Stems: rings != nil}, seconds).ringSum() {
					t.Fatalf("%s, steps of %d: there is something in the ring", when, step)
				}
			}
			r.b.Tick(r.now)
			silent("at first")
			for i := range 3 {
				from := r.now.Add(-3 * frame)
				voice := slices.Repeat([]float32{0.5}, frame)
				r.b.ring.addVoice(from, frame, voice, voicing{gain: 1, soloed: true, now: r.now})
				r.b.ring.copyBacking(from.Add(frame), voice, 1)
				if i > 0 {
					r.b.ring.setBacking(r.now-1, 1)
				}
				for gone := 0; gone < size+3*frame; gone += step {
					r.pass(step)
					r.b.Tick(r.now)
				}
				silent("a round later")
			}
		}
	}
}
