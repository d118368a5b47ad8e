package audiofile

import (
	"math"
	"slices"
	"testing"
)

// scaled is a copy of pcm.
func scaled(pcm []float32, gain float32) []float32 {
	out := slices.Clone(pcm)
	for i := range out {
		out[i] *= gain
	}
	return out
}

// The values are those of the standard and of EBU Tech 3341 for sines, one channel
// having 3.01 dB less than two.
func TestLoudness(t *testing.T) {
	t.Parallel()
	sine := tone(SampleRate, 20*SampleRate, 997)
	silence := make([]float32, 20*SampleRate)
	for _, c := range []struct {
		name string
		pcm  []float32
		want float64
	}{
		{"full scale", sine, -3.01},
		{"-20 dB", scaled(sine, 0.1), -23.01},
		{"too quiet", scaled(sine, 1e-4), math.Inf(-1)},
		{"silence", silence, math.Inf(-1)},
		{"nothing", nil, math.Inf(-1)},
		{"half of it silent", slices.Concat(sine, silence), -3.01},
		{"half of it 16 dB quieter", slices.Concat(sine, scaled(sine, 0.158)), -3.01},
		{"half of it 6 dB quieter", slices.Concat(sine, scaled(sine, 0.5)), -3.01 + 10*math.Log10(0.625)},
		{"300 ms", sine[:300*48], -3.01},
		{"deep bass counts less", tone(SampleRate, 20*SampleRate, 20), -17},
		{"treble counts more", tone(SampleRate, 20*SampleRate, 8000), 0.3},
	} {
		if got := loudness(c.pcm); math.Abs(got-c.want) > 0.5 && got != c.want || math.Abs(c.want+3.01) < 0.01 && math.Abs(got-c.want) > 0.1 {
			t.Errorf("%s: %.2f LUFS, want %.2f", c.name, got, c.want)
		}
	}
}

func TestLevel(t *testing.T) {
	t.Parallel()
	sine := tone(SampleRate, 2*SampleRate, 997)
	click := slices.Clone(scaled(sine, 0.05))
	click[SampleRate] = 0.9
	for _, c := range []struct {
		name string
		pcm  []float32
		want float64 // gain
	}{
		{"loud", sine, math.Pow(10, (-16+3.01)/20)},
		{"quiet", scaled(sine, 0.05), math.Pow(10, (-16+3.01)/20) / 0.05},
		{"all but silent", scaled(sine, 1e-3), math.Pow(10, 30.0/20)},
		{"too quiet to be measured", scaled(sine, 1e-4), 1},
		{"limited by one click", click, 0.99 / 0.9},
		{"full scale of integers", scaled(sine, 32768), math.Pow(10, (-16+3.01)/20) / 32768},
		{"empty", nil, 1},
	} {
		got := slices.Clone(c.pcm)
		level(got)
		for i := range got {
			if want := float64(c.pcm[i]) * c.want; math.Abs(float64(got[i])-want) > 0.01*math.Abs(want)+1e-9 || math.Abs(float64(got[i])) > 1 {
				t.Errorf("%s: sample %d becomes %v, want %v", c.name, i, got[i], want)
				break
			}
		}
	}
}
