package voice

import (
	"math"
	"math/cmplx"
)

// rms is the root of the mean square.
func rms(pcm []float32) float64 {
	if len(pcm) == 0 {
		return 0
	}
	return math.Sqrt(runningPower(pcm)[len(pcm)] / float64(len(pcm)))
}

func peak(pcm []float32) float64 {
	var most float64
	for _, x := range pcm {
		most = max(most, math.Abs(float64(x)))
	}
	return most
}

// soundingRMS is the RMS of those 20 ms parts that are above 0.02, and their share.
func soundingRMS(pcm []float32) (level, share float64) {
	var kept []float32
	for ; len(pcm) >= 960; pcm = pcm[960:] {
		if rms(pcm[:960]) > 0.02 {
			kept = append(kept, pcm[:960]...)
		}
		share++
	}
	return rms(kept), float64(len(kept)/960) / share
}

// spectrum is the power at each line of a Hann-windowed transform and the width
// of a line in Hz.
func spectrum(pcm []float32) (power []float64, width float64) {
	f := newFFT(len(pcm))
	x := make([]complex128, f.n)
	for i, v := range pcm {
		window := 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/float64(len(pcm)))
		x[i] = complex(float64(v)*window, 0)
	}
	f.transform(x)
	power = make([]float64, f.n/2)
	for i := range power {
		power[i] = real(x[i] * cmplx.Conj(x[i]))
	}
	return power, float64(SampleRate) / float64(f.n)
}

// bandPower is the share of the power between two frequencies in Hz.
func bandPower(pcm []float32, low, high float64) float64 {
	power, width := spectrum(pcm)
	var inside, all float64
	for i, p := range power {
		all += p
		if hz := float64(i) * width; hz >= low && hz < high {
			inside += p
		}
	}
	return inside / all
}

// decibels of a ratio of amplitudes.
func decibels(ratio float64) float64 { return 20 * math.Log10(ratio) }

// plant is a voice that is heard so late and so loud.
type plant struct {
	pcm  []float32
	lag  int
	gain float64
}

func heardOf(n int, plants ...plant) []float32 {
	heard := make([]float32, n)
	for _, p := range plants {
		addAt(heard, p.pcm, p.lag, p.gain)
	}
	return heard
}

func whiteNoise(seed uint64, level float64, n int) []float32 {
	c := newChance(seed, 99)
	pcm := make([]float32, n)
	for i := range pcm {
		pcm[i] = float32(level * c.white())
	}
	return pcm
}

func sungBy(seed uint64, seconds float64) []float32 {
	return Render(NewSung(SungConfig{Seed: seed}), int(seconds*SampleRate))
}
