package audiofile

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// tone is a sine of amplitude 1.
func tone(rate, n int, hertz float64) []float32 {
	pcm := make([]float32, n)
	for i := range pcm {
		pcm[i] = float32(math.Sin(2 * math.Pi * hertz * float64(i) / float64(rate)))
	}
	return pcm
}

func resample(from, to int, pcm []float32) []float32 {
	r := newResampler(from, to)
	return r.flush(r.push(nil, pcm))
}

// decibels is the RMS of the difference, 0 being that of a sine of amplitude 1.
func decibels(got, want []float32) float64 {
	var sum float64
	for i := range got {
		d := float64(got[i]) - float64(want[i])
		sum += d * d
	}
	return 10 * math.Log10(2*sum/float64(len(got))+1e-30)
}

// middle leaves out what is near the ends, where a tone begins and stops short.
func middle(pcm []float32) []float32 { return pcm[1000 : len(pcm)-1000] }

// A tone comes out with its frequency, amplitude and, to a small part of a
// sample, its time: the difference to the one computed at the other rate is small.
func TestResampleKeepsTones(t *testing.T) {
	t.Parallel()
	for _, from := range []int{8000, 11025, 12000, 16000, 22050, 24000, 32000, 44056, 44100, 64000, 88200, 96000, 176400, 192000, 191999} {
		for _, part := range []float64{0.001, 0.5, 0.9} { // of half the lower rate
			hertz := part * float64(min(from, 48000)) / 2
			got := resample(from, 48000, tone(from, from/8, hertz))
			if want := int(math.Ceil(float64(from/8) * 48000 / float64(from))); len(got) != want {
				t.Fatalf("%d Hz: %d samples, want %d", from, len(got), want)
			}
			want := tone(48000, len(got), hertz)
			if db := decibels(middle(got), middle(want)); db > -80 {
				t.Errorf("%d Hz: a tone of %.0f Hz comes out with a fault of %.1f dB", from, hertz, db)
			}
		}
	}
}

// What the new rate cannot carry must not come back as another tone.
func TestResampleHasNoAliases(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from  int
		hertz float64
	}{{96000, 24100}, {96000, 30000}, {96000, 47900}, {192000, 24100}, {192000, 90000}, {88200, 24100}, {64000, 31000}, {176400, 50000}} {
		got := resample(c.from, 48000, tone(c.from, c.from/4, c.hertz))
		if db := decibels(middle(got), middle(make([]float32, len(got)))); db > -80 {
			t.Errorf("%d Hz: a tone of %.0f Hz is left at %.1f dB", c.from, c.hertz, db)
		}
	}
}

func TestResampleHasNoDelay(t *testing.T) {
	t.Parallel()
	for _, from := range []int{8000, 44100, 96000} {
		pcm := make([]float32, from/2)
		pcm[from/4] = 1
		got := resample(from, 48000, pcm)
		peak := 0
		for i, x := range got {
			if x > got[peak] {
				peak = i
			}
		}
		if peak != 12000 {
			t.Errorf("%d Hz: a click at 0.25 s comes out at sample %d, want 12000", from, peak)
		}
		// The same on both sides.
		for i := range 100 {
			if a, b := got[12000-i], got[12000+i]; math.Abs(float64(a-b)) > 1e-4 {
				t.Fatalf("%d Hz: %v %d samples before the click and %v behind it", from, a, i, b)
			}
		}
	}
}

// It does not matter in what pieces samples come.
func TestResampleInPieces(t *testing.T) {
	t.Parallel()
	chance := rand.New(rand.NewPCG(1, 2))
	for _, from := range []int{8000, 44100, 192000} {
		pcm := make([]float32, 10000)
		for i := range pcm {
			pcm[i] = chance.Float32() - 0.5
		}
		whole := resample(from, 48000, pcm)
		r := newResampler(from, 48000)
		var pieces []float32
		for rest := pcm; len(rest) > 0; {
			n := min(chance.IntN(700), len(rest))
			pieces = r.push(pieces, rest[:n])
			rest = rest[n:]
		}
		if pieces = r.flush(pieces); !slices.Equal(whole, pieces) {
			t.Errorf("%d Hz: %d samples in pieces differ from %d at once", from, len(pieces), len(whole))
		}
	}
	for n := range 4 {
		if got, want := len(resample(44100, 48000, make([]float32, n))), []int{0, 2, 3, 4}[n]; got != want {
			t.Errorf("%d samples become %d, want %d", n, got, want)
		}
	}
}

// Once all rows are there and buffers have grown, nothing is allocated.
func TestResampleAllocatesNothing(t *testing.T) {
	r := newResampler(44100, 48000)
	in, out := make([]float32, 4410), make([]float32, 0, 6000)
	r.push(out, in)
	if n := testing.AllocsPerRun(20, func() { r.push(out, in) }); n > 0 {
		t.Errorf("%v allocations for 100 ms", n)
	}
}

func BenchmarkResample(b *testing.B) {
	r := newResampler(44100, 48000)
	in, out := make([]float32, 44100), make([]float32, 0, 50000)
	for b.Loop() {
		r.push(out, in)
	}
}
