package durable

import (
	"sync/atomic"
	"unsafe"
)

// wordAt gives the 64-bit word at a multiple of eight.
func wordAt(mem []byte, offset int) *atomic.Uint64 {
	p := unsafe.Pointer(&mem[offset : offset+8][0])
	if uintptr(p)%8 != 0 {
		panic("durable: a word across words")
	}
	return (*atomic.Uint64)(p)
}
