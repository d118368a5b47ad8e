package brigade

import "bucketbrigade/proto"

// roundSeconds is how long a round lasts, 0 if no rounds are sung: bpr beats
// at bpm beats a minute. It is a formula of floats because the truncated
// results are what clients count on.
func (s *state) roundSeconds() float64 {
	if s.bpm == 0 || s.bpr == 0 || s.repeats == 0 {
		return 0
	}
	return 60 / float64(s.bpm) * float64(s.bpr)
}

// sing stores a voice of n samples from from on, and in a round again each round
// later, as often as is behind the server clock now. Repeats are not soloed. A
// silent voice is nil: it counts as a person and adds nothing.
//
// 120 bpm and 4 beats a round are 96000 samples: a voice at 1000 comes again
// at 97000 and, with 2 repeats, at 193000.
func (b *Brigade) sing(now, from proto.Clock, n int, voice []float32, how voicing) {
	b.ring.addVoice(from, n, voice, how)
	how.soloed = false
	round := int(b.state.roundSeconds() * proto.SampleRate)
	if round == 0 {
		return
	}
	for i := 1; i <= b.state.repeats; i++ {
		at := from.Add(i * round)
		if at.Add(n) >= now {
			break
		}
		b.ring.addVoice(at, n, voice, how)
	}
}
