package audiofile

import (
	"math"

	"github.com/mewkiz/flac/frame"
)

const (
	lpcOrder = 8
	// lpcPrec is how many bits a weight has, with its sign.
	lpcPrec = 12
	// maxLPCShift is the greatest that all decoders take.
	maxLPCShift = 15
)

// An lpcFinder finds the weights with which the samples before predict the next
// one best, in the mean over a block (J. Makhoul, "Linear Prediction", 1975).
type lpcFinder struct {
	window   []float64 // of the length of the last block
	weighted []float64
}

// find gives the weights as integers and the shift that scales their sum down;
// false where there are none.
func (l *lpcFinder) find(samples []int32) (frame.SubHeader, bool) {
	l.fade(samples)
	weights, ok := solveLPC(correlate(l.weighted))
	if !ok {
		return frame.SubHeader{}, false
	}
	coeffs, shift, ok := roundWeights(weights)
	return frame.SubHeader{
		Pred: frame.PredFIR, Order: lpcOrder,
		CoeffPrec: lpcPrec, CoeffShift: shift, Coeffs: coeffs,
	}, ok
}

// fade fades the block in and out, a fourth of it each, so that its ends count no
// more than they should.
func (l *lpcFinder) fade(samples []int32) {
	if n := len(samples); len(l.window) != n {
		l.window, l.weighted = make([]float64, n), make([]float64, n)
		for i := range n {
			edge := min(1, (min(float64(i), float64(n-1-i))+0.5)/(float64(n)/4))
			l.window[i] = (1 - math.Cos(math.Pi*edge)) / 2
		}
	}
	for i, sample := range samples {
		l.weighted[i] = float64(sample) * l.window[i]
	}
}

// correlate gives the sum of products of samples that are 0, 1 … lpcOrder apart.
func correlate(x []float64) (r [lpcOrder + 1]float64) {
	for lag := range r {
		sum := 0.0
		for i, a := range x[lag:] {
			sum += a * x[i]
		}
		r[lag] = sum
	}
	return r
}

// solveLPC finds the weights by the recursion of Levinson and Durbin: from the
// best 1, 2 … weights follow the best of one more. It fails on silence, and where
// the arithmetic gives out.
func solveLPC(r [lpcOrder + 1]float64) (w [lpcOrder]float64, ok bool) {
	left := r[0] * (1 + 1e-9) // energy that is not predicted; rounding shall not make it negative
	for i := range w {
		if !(left > 0) {
			return w, false
		}
		reflection := r[i+1]
		for j := range i {
			reflection -= w[j] * r[i-j]
		}
		reflection /= left
		before := w
		for j := range i {
			w[j] -= reflection * before[i-1-j]
		}
		w[i] = reflection
		left *= 1 - reflection*reflection
	}
	return w, true
}

// roundWeights scales the weights by a power of two so that the greatest just fits
// lpcPrec bits, and rounds them. What rounding adds or takes goes into the next.
func roundWeights(w [lpcOrder]float64) (coeffs []int32, shift int32, ok bool) {
	const limit = 1<<(lpcPrec-1) - 1
	greatest := 0.0
	for _, x := range w {
		greatest = max(greatest, math.Abs(x))
	}
	if !(greatest > 0) || math.IsInf(greatest, 0) {
		return nil, 0, false
	}
	_, exponent := math.Frexp(greatest) // greatest < 2^exponent
	shift = int32(min(lpcPrec-1-exponent, maxLPCShift))
	if shift < 0 {
		return nil, 0, false
	}
	rest := 0.0
	for _, x := range w {
		rest += math.Ldexp(x, int(shift))
		c := min(max(math.Round(rest), -limit-1), limit)
		rest -= c
		coeffs = append(coeffs, int32(c))
	}
	return coeffs, shift, true
}
