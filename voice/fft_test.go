package voice

import (
	"math"
	"math/cmplx"
	"testing"
)

func TestTransformAgainstItsDefinition(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 4, 8, 64, 256} {
		c := newChance(uint64(n), 0)
		x := make([]complex128, n)
		for i := range x {
			x[i] = complex(c.signed(), c.signed())
		}
		got := append([]complex128(nil), x...)
		f := newFFT(n)
		f.transform(got)
		for k := range got {
			var want complex128
			for j, v := range x {
				want += v * cmplx.Rect(1, -2*math.Pi*float64(j*k%n)/float64(n))
			}
			if cmplx.Abs(got[k]-want) > 1e-10 {
				t.Fatalf("%d points: line %d is %v, want %v", n, k, got[k], want)
			}
		}
		f.inverse(got)
		for i := range got {
			if cmplx.Abs(got[i]-x[i]) > 1e-12 {
				t.Fatalf("%d points: the inverse gives %v at %d, want %v", n, got[i], i, x[i])
			}
		}
	}
}

func TestTransformLengths(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{0: 1, 1: 1, 2: 2, 3: 4, 1024: 1024, 1025: 2048} {
		if got := newFFT(n).n; got != want {
			t.Errorf("a transform for %d points has %d, want %d", n, got, want)
		}
	}
}

func BenchmarkTransform(b *testing.B) {
	f := newFFT(1 << 18)
	x := make([]complex128, f.n)
	for b.Loop() {
		f.transform(x)
		clear(x)
	}
}
