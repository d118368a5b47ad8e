package voice

import (
	"math"
	"slices"
	"testing"
)

// choir is two sung voices of RMS 0.09 each.
func choir(seconds float64) []float32 {
	a, b := sungBy(1, seconds), sungBy(2, seconds)
	for i := range a {
		a[i] += b[i]
	}
	return a
}

func TestFindLocatesPatterns(t *testing.T) {
	t.Parallel()
	const n = 2 * SampleRate
	others := choir(2)
	for _, c := range []struct {
		name     string
		lag      int
		low, hi  int
		gain     float64
		from, to int // what part of the audio is heard
	}{
		{"from the start", 0, -48000, 48000, 0.3, 0, n},
		{"one late", 1, -48000, 48000, 0.3, 0, n},
		{"late", 40000, -48000, 48000, 0.3, 0, n},
		{"under way for ten seconds", -480001, -600000, 0, 0.3, 0, n},
		{"20 dB below", -12345, -48000, 48000, 0.127, 0, n},
		{"half a second", -777, -48000, 48000, 0.4, 0, n / 4},
		{"only one lag allowed", 5000, 5000, 5000, 0.3, 0, n},
		{"at the limits", 5000, 4000, 5000, 0.3, 0, n},
		{"loud", 99, 0, 100, 1, 0, n},
	} {
		heard := append([]float32(nil), others...)
		addAt(heard, patternFrom(7, -c.lag, n), 0, c.gain)
		s := Find(heard[c.from:c.to], 7, c.low, c.hi)
		if !s.Present() || s.Lag != c.lag || math.Abs(s.Gain-c.gain) > 0.1 {
			t.Errorf("%s: %+v, want lag %d and gain %v", c.name, s, c.lag, c.gain)
		}
		if s := Find(heard[c.from:c.to], 8, c.low, c.hi); s.Present() {
			t.Errorf("%s: the pattern of somebody else is found: %+v", c.name, s)
		}
	}
}

func TestFindTellsManyApart(t *testing.T) {
	t.Parallel()
	heard := choir(2)
	const singers = 8
	for id := range uint64(singers) {
		addAt(heard, Render(NewPattern(id), len(heard)), int(id)*311-1500, 0.15)
	}
	for id := range uint64(2 * singers) {
		s := Find(heard, id, -4800, 4800)
		if s.Present() != (id < singers) {
			t.Errorf("id %d: %+v", id, s)
		}
		if id < singers && s.Lag != int(id)*311-1500 {
			t.Errorf("id %d: lag %d, want %d", id, s.Lag, int(id)*311-1500)
		}
	}
}

func TestFindNothing(t *testing.T) {
	t.Parallel()
	for name, heard := range map[string][]float32{
		"nothing":    nil,
		"silence":    make([]float32, SampleRate),
		"one sample": {0.5},
		"choir":      choir(2),
		"noise":      whiteNoise(1, 0.1, 2*SampleRate),
		"faint tone": faintTone(),
		"room":       Render(NewRoomNoise(RoomNoiseConfig{}), 2*SampleRate),
	} {
		for id := range uint64(2) {
			if s := Find(heard, id, -10000, 300000); s.Present() {
				t.Errorf("%s: pattern %d found: %+v", name, id, s)
			}
		}
	}
}

// The transform of silence is rounding, which must not be taken for sound.
func TestFindInSilenceIsNothing(t *testing.T) {
	t.Parallel()
	for id := range uint64(3) {
		if s := Find(make([]float32, SampleRate), id, -1000, 1000); s != (Sighting{}) {
			t.Errorf("id %d: %+v, want nothing", id, s)
		}
	}
}

// A window that holds half of the pattern makes half the power of noise.
func TestScoresAreLevelled(t *testing.T) {
	t.Parallel()
	const n = 4800
	pattern := patternFrom(1, -n, 3*n) // silent until sample n
	scores := []float64{0: 1, n / 20: 1, n / 2: 1, 2 * n: 1}
	levelScores(scores, pattern, n)
	full := 1 / (patternRMS * math.Sqrt(n))
	for i, want := range map[int]float64{0: 0, n / 20: 0, n / 2: full * math.Sqrt2, 2 * n: full} {
		if math.Abs(scores[i]-want) > 0.03*full {
			t.Errorf("window at %d: %v, want %v", i, scores[i], want)
		}
	}
}

// faintTone has nothing but rounding in nearly every line.
func faintTone() []float32 {
	pcm := make([]float32, SampleRate)
	for i := range pcm {
		pcm[i] = float32(1e-9 * math.Sin(float64(i)*math.Pi/48))
	}
	return pcm
}

func TestPatternGoesOnWhereItIsMoved(t *testing.T) {
	t.Parallel()
	p := NewPattern(3)
	whole := Render(p, 20000)
	for _, position := range []int64{0, 1, 23, 24, 25, 1535, 1536, 1537, 12345} {
		p.MoveTo(position)
		if !slices.Equal(Render(p, 3000), whole[position:position+3000]) {
			t.Errorf("moved to %d the pattern goes on differently", position)
		}
	}
	p.MoveTo(1 << 50) // 700 years
	if level := rms(Render(p, 4800)); math.Abs(level-patternRMS) > 0.01 {
		t.Errorf("after centuries the RMS is %v", level)
	}
}

func TestPatternStaysInItsBand(t *testing.T) {
	t.Parallel()
	for id := range uint64(3) {
		pcm := Render(NewPattern(id), 4*SampleRate)
		if share := bandPower(pcm, 300, 4000); share < 0.98 {
			t.Errorf("id %d: %.4f of the power in 300..4000 Hz, want 0.98", id, share)
		}
		if share := bandPower(pcm, 1400, 2600); share < 0.5 || share > 0.8 {
			t.Errorf("id %d: %.4f of the power in 1400..2600 Hz, want 0.5..0.8", id, share)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	heard := choir(2)
	addAt(heard, patternFrom(7, 100, len(heard)), 0, 0.3)
	for b.Loop() {
		Find(heard, 7, -SampleRate, SampleRate)
	}
}
