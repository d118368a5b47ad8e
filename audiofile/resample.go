package audiofile

import "math"

// A resampler changes the rate of a signal by band-limited interpolation (J. O.
// Smith, "Digital Audio Resampling"): every output sample is the value that the
// one smooth curve through all input samples has at its time, a sum of sinc
// curves. What the lower of the two rates cannot carry is filtered away.
//
// For example 44100 Hz to 48000 Hz, in lowest terms 147 to 160. Output sample 1
// lies at input time 1·147/160 = 0.91875: between inputs 0 and 1, phase 147 of
// 160. Its weights are those of the curve at the distances -0.91875 (input 0),
// 0.08125 (input 1), 1.08125 (input 2) and so on, 64 to each side: 0.067, 0.941,
// -0.047 … Output 160 lies at input 147 just so and has the weights of phase 0
// again, so 160 rows of 128 weights are all there are.
//
// The curve is 0.952·sinc(0.952·t) under a Kaiser window of β 9.6, for 44100 Hz
// flat to 19.9 kHz and more than 90 dB down from 22.05 kHz on. To a lower rate it
// is stretched by the ratio. Output 0 lies at the time of input 0: no delay.
type resampler struct {
	in, out  int64   // the two rates in lowest terms
	cutoff   float64 // in units of half the input rate
	half     int64   // weights on each side
	weights  [][]float32
	samples  []float32 // those still needed
	first    int64     // number of samples[0]
	received int64
	next     int64 // number of the output to come
}

const (
	zeroCrossings  = 64    // on each side of the curve, at the lower rate
	relativeCutoff = 0.952 // of half the lower rate, where the filter is 6 dB down
	kaiserBeta     = 9.6
)

func newResampler(from, to int) *resampler {
	divisor := gcd(int64(from), int64(to))
	r := &resampler{in: int64(from) / divisor, out: int64(to) / divisor}
	stretch := max(1, float64(from)/float64(to))
	r.cutoff = relativeCutoff / stretch
	r.half = int64(math.Ceil(zeroCrossings * stretch))
	// Rows are made when first needed: odd ratios have thousands, and a file of
	// ten samples shall cost no more than ten of them.
	r.weights = make([][]float32, r.out)
	r.first = -(r.half - 1)
	r.samples = make([]float32, r.half-1)
	return r
}

// push takes samples and appends those to dst that can be told by now.
func (r *resampler) push(dst, samples []float32) []float32 {
	r.received += int64(len(samples))
	return r.produce(dst, samples, math.MaxInt64)
}

// flush appends the rest: n samples at rate in become n·out/in, rounded up.
func (r *resampler) flush(dst []float32) []float32 {
	end := (r.received*r.out + r.in - 1) / r.in
	return r.produce(dst, make([]float32, r.half+1), end)
}

func (r *resampler) produce(dst, samples []float32, end int64) []float32 {
	r.samples = append(r.samples, samples...)
	for r.next < end {
		at, phase := r.next*r.in/r.out, r.next*r.in%r.out
		from := at - (r.half - 1) - r.first
		if from+2*r.half > int64(len(r.samples)) {
			break
		}
		dst = append(dst, dot(r.row(phase), r.samples[from:from+2*r.half]))
		r.next++
	}
	used := min(max(r.next*r.in/r.out-(r.half-1)-r.first, 0), int64(len(r.samples)))
	r.samples = r.samples[:copy(r.samples, r.samples[used:])]
	r.first += used
	return dst
}

// row gives the weights for an output at phase/out behind an input.
func (r *resampler) row(phase int64) []float32 {
	if row := r.weights[phase]; row != nil {
		return row
	}
	row := make([]float32, 2*r.half)
	for i := range row {
		t := float64(int64(i)-(r.half-1)) - float64(phase)/float64(r.out)
		row[i] = float32(r.cutoff * sinc(r.cutoff*t) * kaiser(t/float64(r.half)))
	}
	r.weights[phase] = row
	return row
}

// dot is the sum of products. Four sums side by side are faster than one, where
// each addition waits for the one before. Both have the same length, a multiple
// of two.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	for len(a) >= 4 && len(b) >= 4 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	for i, x := range a {
		s0 += x * b[i]
	}
	return s0 + s1 + s2 + s3
}

// sinc is sin(πx)/πx.
func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// kaiser is the Kaiser window: 1 in the middle, nearly 0 at ±1, 0 beyond.
func kaiser(x float64) float64 {
	if x < -1 || x > 1 {
		return 0
	}
	return bessel(kaiserBeta*math.Sqrt(1-x*x)) / bessel(kaiserBeta)
}

// bessel is the modified Bessel function I₀ by its power series.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= x / 2 / k * x / 2 / k
		sum += term
	}
	return sum
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
