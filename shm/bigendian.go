//go:build armbe || arm64be || m68k || mips || mips64 || mips64p32 || ppc || ppc64 || s390 || s390x || shbe || sparc || sparc64

package shm

// The segment is little endian and is read in place.
var _ = the_segment_needs_a_little_endian_machine
