package voice

import (
	"math"
	"testing"
)

// scaled is pcm at another gain.
func scaled(pcm []float32, gain float64) []float32 {
	out := make([]float32, len(pcm))
	for i, x := range pcm {
		out[i] = float32(gain) * x
	}
	return out
}

// sum adds two sounds.
func sum(a, b []float32) []float32 {
	out := make([]float32, len(a))
	for i := range out {
		out[i] = a[i] + b[i]
	}
	return out
}

// sine is n samples of amplitude 0.3.
func sine(n int, hz float64) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(0.3 * math.Sin(2*math.Pi*hz*float64(i)/SampleRate))
	}
	return out
}

func TestCompareGivesWhatIsKnown(t *testing.T) {
	t.Parallel()
	const n = 2 * SampleRate
	white := func(seed uint64, rms float64) []float32 {
		c, out := newChance(seed, 1), make([]float32, n)
		for i := range out {
			out[i] = float32(rms * c.white())
		}
		return out
	}
	noise := white(1, 0.1)
	for _, c := range []struct {
		name            string
		want, got       []float32
		snr, distance   float64
		tolerance       float64
		masked, masked2 float64 // bounds of NoiseToMask
	}{
		{"a copy", noise, noise, 35, 0, 1e-9, -91, -89},
		{"6 dB down", noise, scaled(noise, 0.5), 6.02, 6.02, 0.02, -5, 5},
		{"nothing", noise, make([]float32, n), 0, 55, 8, 0, 10},
		{"noise of a tenth", noise, sum(noise, white(2, 0.01)), 20, 0.6, 0.7, -21, -10},
	} {
		q := Compare(c.want, c.got)
		if math.Abs(q.SNR-c.snr) > c.tolerance || math.Abs(q.Distance-c.distance) > c.tolerance ||
			q.NoiseToMask < c.masked || q.NoiseToMask > c.masked2 {
			t.Errorf("%s: %+v, want SNR %g, distance %g (±%g), noise to mask %g..%g", c.name, q, c.snr, c.distance, c.tolerance, c.masked, c.masked2)
		}
	}
}

// Noise beside a tone is heard less than the same noise far from it, and less
// above it than below.
func TestMaskingFollowsTheEar(t *testing.T) {
	t.Parallel()
	const n = SampleRate
	tone := sine(n, 1000)
	heard := func(hz float64) float64 {
		return Compare(tone, sum(tone, scaled(sine(n, hz), 0.03))).NoiseToMask
	}
	near, above, below, far := heard(1050), heard(1600), heard(600), heard(8000)
	if !(near < above && above < below && above < far && near < 0 && far > 10) {
		t.Errorf("noise to mask: at the tone %.1f dB, above %.1f, below %.1f, far %.1f", near, above, below, far)
	}
}

// The levels of all bands add up to the mean square of what lies in them.
func TestLevelsAddUp(t *testing.T) {
	t.Parallel()
	for _, hz := range []float64{150, 1000, 9000} {
		var total float64
		for _, level := range newEar().levels(sine(qualityWindow, hz)) {
			total += level
		}
		if math.Abs(total-0.045) > 0.002 {
			t.Errorf("%g Hz: %g, want 0.045", hz, total)
		}
	}
}

func TestCompareRefusesNonsense(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(){
		"lengths": func() { Compare(make([]float32, 9000), make([]float32, 9001)) },
		"silence": func() { Compare(make([]float32, 9000), make([]float32, 9000)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}
