//go:build goexperiment.simd

package proto

import "simd/archsimd"

// vectorWithin tells how many of the first samples lie within MaxLevel, by
// vectors of 256 bits: it stops at a vector with one that does not. None on a
// processor without AVX2.
func vectorWithin(x []float32) int {
	const wide = 8
	if !archsimd.X86.AVX2() {
		return 0
	}
	all := len(x)
	top, bottom := archsimd.BroadcastFloat32x8(MaxLevel), archsimd.BroadcastFloat32x8(-MaxLevel)
	for len(x) >= wide {
		v := archsimd.LoadFloat32x8((*[wide]float32)(x))
		if v.LessEqual(top).And(v.GreaterEqual(bottom)).ToBits() != 1<<wide-1 {
			break
		}
		x = x[wide:]
	}
	archsimd.ClearAVXUpperBits()
	return all - len(x)
}
