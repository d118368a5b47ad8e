package voice

import (
	"math"
	"math/bits"
	"math/cmplx"
)

// fft is a Fourier transform of one length, a power of two, in place.
type fft struct {
	n     int
	turns []complex128 // turns[k] = exp(-2πi k/n), k < n/2
}

// newFFT makes a transform for at least n points.
func newFFT(n int) *fft {
	size := 1
	for size < n {
		size *= 2
	}
	f := &fft{n: size, turns: make([]complex128, max(size/2, 1))}
	for k := range f.turns {
		f.turns[k] = cmplx.Rect(1, -2*math.Pi*float64(k)/float64(size))
	}
	return f
}

// transform replaces the n points of x by X[k] = sum over j of
// x[j] exp(-2πi jk/n): 1 0 0 0 becomes 1 1 1 1, and 1 1 1 1 becomes 4 0 0 0.
func (f *fft) transform(x []complex128) {
	shift := 64 - bits.TrailingZeros(uint(f.n))
	for i := range x {
		// Shifting by 64, for one point, gives 0.
		if j := int(bits.Reverse64(uint64(i)) >> shift); j > i {
			x[i], x[j] = x[j], x[i]
		}
	}
	for half := 1; half < f.n; half *= 2 {
		stride := f.n / (2 * half)
		for start := 0; start < f.n; start += 2 * half {
			low, high := x[start:start+half], x[start+half:start+2*half]
			for k := range low {
				t := f.turns[k*stride] * high[k]
				low[k], high[k] = low[k]+t, low[k]-t
			}
		}
	}
}

// inverse undoes transform.
func (f *fft) inverse(x []complex128) {
	for i, v := range x {
		x[i] = cmplx.Conj(v)
	}
	f.transform(x)
	scale := 1 / float64(f.n)
	for i, v := range x {
		x[i] = complex(real(v)*scale, -imag(v)*scale)
	}
}

// crossSpectrum turns the transform of a + i·b, for two real signals, into that
// of their cross-correlation: A[k] times the conjugate of B[k]. A's share of
// the packed transform is its Hermitian part, B's the rest:
//
//	A[k] = (X[k] + conj X[-k]) / 2        i B[k] = (X[k] - conj X[-k]) / 2
//
// weight, if any, scales each product; it is given k <= n/2 and B[k].
func (f *fft) crossSpectrum(x []complex128, weight func(k int, b complex128) float64) {
	for k := 0; k <= f.n/2; k++ {
		mirror := (f.n - k) % f.n
		p, q := x[k], cmplx.Conj(x[mirror])
		a, b := (p+q)/2, (p-q)/complex(0, 2)
		product := a * cmplx.Conj(b)
		if weight != nil {
			product *= complex(weight(k, b), 0)
		}
		x[k], x[mirror] = product, cmplx.Conj(product)
	}
}
