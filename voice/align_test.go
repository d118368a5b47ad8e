package voice

import (
	"math"
	"testing"
)

func TestAlignFindsLags(t *testing.T) {
	t.Parallel()
	song := sungBy(1, 2)
	for _, c := range []struct {
		name        string
		lag, maxLag int
		gain, noise float64 // the noise in times the song
		n           int
		corr        float64 // what it should be, to 0.02
	}{
		{"at once", 0, 48000, 1, 0, 2 * SampleRate, 1},
		{"nothing else allowed", 0, 0, 1, 0, 2 * SampleRate, 1},
		{"one late", 1, 4800, 1, 0, 2 * SampleRate, 1},
		{"one early", -1, 4800, 1, 0, 2 * SampleRate, 1},
		{"late", 31234, 48000, 0.3, 0, 2 * SampleRate, 1},
		{"early", -31234, 48000, 3, 0, 2 * SampleRate, 1},
		{"at the limit", 48000, 48000, 1, 0, 2 * SampleRate, 1},
		{"at the other limit", -48000, 48000, 1, 0, 2 * SampleRate, 1},
		{"short part heard", -30000, 48000, 1, 0, SampleRate, 1},
		{"heard longer than sung", 95000, 150000, 1, 0, 4 * SampleRate, 1},
		{"in noise as loud", 7777, 48000, 1, 1, 2 * SampleRate, 0.707},
		{"10 dB below noise", -7777, 48000, 1, math.Sqrt(10), 2 * SampleRate, 0.3015},
		{"few samples", 10, 50, 1, 0, 400, 1},
	} {
		heard := heardOf(c.n, plant{song, c.lag, c.gain}, plant{whiteNoise(1, 1, c.n), 0, c.noise * rms(song)})
		lag, corr := Align(heard, song, c.maxLag)
		if lag != c.lag || math.Abs(corr-c.corr) > 0.02 {
			t.Errorf("%s: lag %d with %.4f, want %d with %.3f", c.name, lag, corr, c.lag, c.corr)
		}
	}
}

func TestAlignWithNothingInCommon(t *testing.T) {
	t.Parallel()
	song, zeros := sungBy(1, 2), make([]float32, 2*SampleRate)
	for name, c := range map[string]struct{ heard, sung []float32 }{
		"nothing heard":  {nil, song},
		"nothing sung":   {song, nil},
		"nothing at all": {nil, nil},
		"silence heard":  {zeros, song},
		"silence sung":   {song, zeros},
		"short silence":  {zeros[:10], song[:10]},
	} {
		if lag, corr := Align(c.heard, c.sung, 4800); lag != 0 || corr != 0 {
			t.Errorf("%s: lag %d with %v, want 0 with 0", name, lag, corr)
		}
	}
	if _, corr := Align(song, whiteNoise(2, 0.1, len(song)), 48000); corr > 0.05 {
		t.Errorf("a song correlates with noise by %v", corr)
	}
}

// The numbers in Align's documentation.
func TestAlignExample(t *testing.T) {
	t.Parallel()
	lag, corr := Align([]float32{0, 0, 2, 4, 6}, []float32{1, 2, 3}, 4)
	if lag != 2 || math.Abs(corr-1) > 1e-12 {
		t.Errorf("lag %d with %v, want 2 with 1", lag, corr)
	}
}

func TestBothWaysToCorrelateAgree(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ heard, sung, reach int }{
		{1, 1, 0}, {10, 3, 9}, {3, 10, 9}, {700, 700, 699}, {1000, 333, 500}, {64, 64, 64 - 1},
	} {
		heard, sung := whiteNoise(1, 1, c.heard), whiteNoise(2, 1, c.sung)
		direct, fast := correlateDirect(heard, sung, c.reach), correlateFFT(heard, sung, c.reach)
		if len(direct) != len(fast) {
			t.Fatalf("%v: %d and %d lags", c, len(direct), len(fast))
		}
		for i := range direct {
			if math.Abs(direct[i]-fast[i]) > 1e-9 {
				t.Fatalf("%v: lag %d is %v one by one and %v transformed", c, i-c.reach, direct[i], fast[i])
			}
		}
	}
}

func BenchmarkAlign(b *testing.B) {
	song := sungBy(1, 4)
	heard := heardOf(len(song), plant{song, 4321, 1})
	for b.Loop() {
		Align(heard, song, SampleRate)
	}
}
