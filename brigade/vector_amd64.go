//go:build goexperiment.simd

package brigade

import "simd/archsimd"

// Each of these does what the loop of its name does for the first samples, with
// vectors of 256 bits, and tells for how many; for none on a processor without
// AVX2. Products are rounded before they are added, as the loops do it: the
// results are the same to the bit.

// wide and narrow are how many samples and numbers of people a vector holds.
const (
	wide   = 8
	narrow = 16
)

func vectorAddScaled(dst, x []float32, gain float32) int {
	if !archsimd.X86.AVX2() {
		return 0
	}
	all := len(dst)
	g := archsimd.BroadcastFloat32x8(gain)
	for len(dst) >= wide && len(x) >= wide {
		d := (*[wide]float32)(dst)
		archsimd.LoadFloat32x8((*[wide]float32)(x)).Mul(g).Add(archsimd.LoadFloat32x8(d)).Store(d)
		dst, x = dst[wide:], x[wide:]
	}
	archsimd.ClearAVXUpperBits()
	return all - len(dst)
}

func vectorScaleInto(dst, x []float32, gain float32) int {
	if !archsimd.X86.AVX2() {
		return 0
	}
	all := len(dst)
	g := archsimd.BroadcastFloat32x8(gain)
	for len(dst) >= wide && len(x) >= wide {
		archsimd.LoadFloat32x8((*[wide]float32)(x)).Mul(g).Store((*[wide]float32)(dst))
		dst, x = dst[wide:], x[wide:]
	}
	archsimd.ClearAVXUpperBits()
	return all - len(dst)
}

func vectorMixFlat(dst, audio, backing []float32, voices, back float32) int {
	if !archsimd.X86.AVX2() {
		return 0
	}
	all := len(dst)
	v, b := archsimd.BroadcastFloat32x8(voices), archsimd.BroadcastFloat32x8(back)
	for len(dst) >= wide && len(audio) >= wide && len(backing) >= wide {
		below := archsimd.LoadFloat32x8((*[wide]float32)(backing)).Mul(b)
		archsimd.LoadFloat32x8((*[wide]float32)(audio)).Mul(v).Add(below).Store((*[wide]float32)(dst))
		dst, audio, backing = dst[wide:], audio[wide:], backing[wide:]
	}
	archsimd.ClearAVXUpperBits()
	return all - len(dst)
}

func vectorCount(people []uint16) int {
	if !archsimd.X86.AVX2() {
		return 0
	}
	all := len(people)
	one := archsimd.BroadcastUint16x16(1)
	for len(people) >= narrow {
		p := (*[narrow]uint16)(people)
		archsimd.LoadUint16x16(p).AddSaturated(one).Store(p)
		people = people[narrow:]
	}
	archsimd.ClearAVXUpperBits()
	return all - len(people)
}

func vectorSameCrowd(people []uint16) int {
	if len(people) < narrow || !archsimd.X86.AVX2() {
		return 0
	}
	all := len(people)
	first := archsimd.BroadcastUint16x16(people[0])
	for len(people) >= narrow && archsimd.LoadUint16x16((*[narrow]uint16)(people)).Xor(first).IsZero() {
		people = people[narrow:]
	}
	archsimd.ClearAVXUpperBits()
	return all - len(people)
}
