package shm

import (
	"sync/atomic"
	"unsafe"
)

// wordAt gives the 32-bit word at a multiple of four in mapped memory.
func wordAt(mem []byte, offset int) *atomic.Uint32 {
	if offset%wordLen != 0 || offset+wordLen > len(mem) {
		panic("shm: a word outside the segment, or across words")
	}
	return (*atomic.Uint32)(unsafe.Pointer(&mem[offset]))
}

// floats views bytes as float32 in place; ok is false if they do not lie at a
// multiple of four. len(b) must be a multiple of four.
func floats(b []byte) (f []float32, ok bool) {
	if len(b)%4 != 0 {
		panic("shm: PCM of a fraction of a sample")
	}
	if len(b) == 0 {
		return nil, true
	}
	p := unsafe.Pointer(&b[0])
	if uintptr(p)%4 != 0 {
		return nil, false
	}
	return unsafe.Slice((*float32)(p), len(b)/4), true
}

// floatBytes views float32 as the bytes they lie in.
func floatBytes(f []float32) []byte {
	if len(f) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&f[0])), 4*len(f))
}
