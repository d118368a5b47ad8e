//go:build race

package shm

import (
	"runtime"
	"unsafe"
)

// The race detector sees neither mapped memory nor the futex. It is told of the
// hand-off at one of these addresses, chosen by inode, because the two sides
// map the segment at different ones. Two segments that share an address make
// the detector miss a race between them, never report a false one.
var handOff [251]byte

func raceAcquire(inode uint64) {
	runtime.RaceAcquire(unsafe.Pointer(&handOff[inode%uint64(len(handOff))]))
}

func raceRelease(inode uint64) {
	runtime.RaceReleaseMerge(unsafe.Pointer(&handOff[inode%uint64(len(handOff))]))
}
