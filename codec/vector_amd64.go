//go:build goexperiment.simd

package codec

import "simd/archsimd"

// vectorSquares is the sum of the squares of the first n samples, by vectors of
// 256 bits; n is 0 on a processor without AVX2.
func vectorSquares(x []float32) (n int, sum float64) {
	if !archsimd.X86.AVX2() {
		return 0, 0
	}
	const wide = 16
	all := len(x)
	a, b := archsimd.BroadcastFloat64x4(0), archsimd.BroadcastFloat64x4(0)
	c, d := a, b
	for ; len(x) >= wide; x = x[wide:] {
		v := (*[wide]float32)(x)
		p := archsimd.LoadFloat32x4((*[4]float32)(v[0:])).ConvertToFloat64()
		q := archsimd.LoadFloat32x4((*[4]float32)(v[4:])).ConvertToFloat64()
		r := archsimd.LoadFloat32x4((*[4]float32)(v[8:])).ConvertToFloat64()
		s := archsimd.LoadFloat32x4((*[4]float32)(v[12:])).ConvertToFloat64()
		a, b, c, d = a.Add(p.Mul(p)), b.Add(q.Mul(q)), c.Add(r.Mul(r)), d.Add(s.Mul(s))
	}
	var four [4]float64
	a.Add(b).Add(c.Add(d)).Store(&four)
	archsimd.ClearAVXUpperBits()
	return all - len(x), four[0] + four[1] + four[2] + four[3]
}
