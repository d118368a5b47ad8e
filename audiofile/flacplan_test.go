package audiofile

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mewkiz/flac/frame"
)

// riceBits is what codes take, counted one by one.
func riceBits(codes []uint32, k uint) int {
	total := 0
	for _, code := range codes {
		total += int(code>>k) + 1 + int(k)
	}
	return total
}

// The parameter is near the best one, and so is the length; also where numbers are
// greater than any parameter is made for.
func TestBestRice(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for _, mean := range []float64{0, 0.01, 0.3, 1, 3, 10, 100, 5000, 40_000, 1 << 18, 1 << 21} {
		codes := make([]uint32, 512)
		sum := uint64(0)
		for i := range codes {
			codes[i] = uint32(random.ExpFloat64() * mean)
			sum += uint64(codes[i])
		}
		least := math.MaxInt
		for k := range uint(maxRiceK + 1) {
			least = min(least, riceBits(codes, k))
		}
		k, total := bestRice(uint64(len(codes)), sum)
		if k > maxRiceK {
			t.Errorf("mean %v: k is %d", mean, k)
			continue
		}
		real := riceBits(codes, k)
		if off := float64(real)/float64(least) - 1; off > 0.02 {
			t.Errorf("mean %v: k = %d takes %d bits, %d would do", mean, k, real, least)
		}
		if off := float64(total)/float64(real) - 1; math.Abs(off) > 0.12 {
			t.Errorf("mean %v: k = %d takes %d bits, not %d", mean, k, real, total)
		}
	}
}

// Each kind of signal is written in its own way.
func TestPlannerChooses(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	const n = flacBlock
	hills := made(n, func(i int) float64 { return 3e4 * math.Sin(float64(i)/400) }) // no more than rounding is left
	loud := made(n, func(i int) float64 {
		if i < n/2 {
			return random.NormFloat64() * 2
		}
		return random.NormFloat64() * 2000
	})
	resonance := make([]int16, n)
	for i := 2; i < n; i++ {
		resonance[i] = int16(1.2*float64(resonance[i-1]) - 0.9*float64(resonance[i-2]) + 300*random.NormFloat64())
	}
	for _, c := range []struct {
		name    string
		samples []int16
		want    frame.Pred
		parts   bool    // more than one
		bits    float64 // a sample, at most
	}{
		{"constant", made(n, func(int) float64 { return -7 }), frame.PredConstant, false, 0.01},
		{"hills", hills, frame.PredFixed, false, 2.6},
		{"quiet, then loud", loud, frame.PredFixed, true, 8.2},
		{"a resonance", resonance, frame.PredFIR, false, 10.5},
		{"white noise", made(n, func(int) float64 { return random.Float64()*65535 - 32768 }), frame.PredVerbatim, false, 16.01},
		{"short", hills[:shortBlock-1], frame.PredVerbatim, false, 16.2},
	} {
		var planner flacPlanner
		sub := planner.frame(appendInt16s(nil, c.samples)).Subframes[0]
		parts := sub.RiceSubframe != nil && len(sub.RiceSubframe.Partitions) > 1
		a := float64(planner.best().bits) / float64(len(c.samples))
		if sub.Pred != c.want || c.parts && !parts || a > c.bits || a < 0 {
			t.Errorf("%s: way %d, in parts: %v, %.3f bits a sample; want way %d, in parts: %v, %v bits", c.name, sub.Pred, parts, a, c.want, c.parts, c.bits)
		}
	}
}

// The weights of a known resonance are found, and survive rounding.
func TestLPCFindsResonance(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8))
	samples := make([]int32, 1<<16)
	for i := 2; i < len(samples); i++ {
		samples[i] = int32(1.2*float64(samples[i-1]) - 0.9*float64(samples[i-2]) + 1000*random.NormFloat64())
	}
	var finder lpcFinder
	got, ok := finder.find(samples)
	if !ok || got.Order != lpcOrder || len(got.Coeffs) != lpcOrder {
		t.Fatalf("%+v, %v", got, ok)
	}
	for i, want := range [lpcOrder]float64{1.2, -0.9} {
		if w := math.Ldexp(float64(got.Coeffs[i]), -int(got.CoeffShift)); math.Abs(w-want) > 0.03 {
			t.Errorf("weight %d is %v, want %v", i, w, want)
		}
	}
}

func TestRoundWeights(t *testing.T) {
	t.Parallel()
	const limit = 1<<(lpcPrec-1) - 1
	for _, w := range [][lpcOrder]float64{
		{0.5}, {1.999999, -1.999999, 1.999999}, {-2, 2, -2}, {1e-9, -1e-9}, {1000, -999, 0.3}, {1.2, -0.9, 0.1, -0.1, 1e-5, 1e-5, 1e-5, 1e-5},
	} {
		coeffs, shift, ok := roundWeights(w)
		if !ok || shift < 0 || shift > maxLPCShift {
			t.Errorf("%v: shift %d, %v", w, shift, ok)
			continue
		}
		want, got := 0.0, 0.0
		for i, c := range coeffs {
			if c > limit || c < -limit-1 {
				t.Errorf("%v: weight %d is %d, at most %d has room", w, i, c, limit)
			}
			want, got = want+math.Ldexp(w[i], int(shift)), got+float64(c)
		}
		if math.Abs(want-got) > 1.5 {
			t.Errorf("%v: the sum is %v, %v after rounding", w, want, got)
		}
	}
	for _, w := range [][lpcOrder]float64{{}, {math.NaN()}, {math.Inf(1)}, {1e9}} {
		if coeffs, shift, ok := roundWeights(w); ok {
			t.Errorf("%v: %v, %d", w, coeffs, shift)
		}
	}
}
