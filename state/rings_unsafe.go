package state

import (
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"bucketbrigade/brigade"
	"bucketbrigade/proto"
)

// ringMemory is where the brigade's rings lie: outside of the Go heap, so that the
// garbage collector neither counts nor looks at 87 MB, and in large pages where the
// machine has them.
//
//	| audio | backing | monitor | stem × brigade.Buckets, if wanted | people | ahead |
//	 float32                                                         uint16   float32
//
// It is the process's own, or behind one page of header a file's (ringFile).
type ringMemory struct {
	mem   []byte
	rings brigade.Rings
	file  *ringFile // nil: the memory goes with the process
	ends  *ends     // nil, too, then
}

const (
	floatRing  = 4 * proto.RingSamples // bytes
	peopleRing = 2 * proto.RingSamples
	aheadBytes = 4 * brigade.AheadSamples
)

// floatRings is how many rings of float32 there are.
func floatRings(stems bool) int {
	if stems {
		return 3 + brigade.Buckets
	}
	return 3
}

// ringBytes is what all rings take.
func ringBytes(stems bool) int { return floatRings(stems)*floatRing + peopleRing + aheadBytes }

// mapRings gets memory for rings that go with the process. It takes none before it
// is written to.
func mapRings(stems bool) (*ringMemory, error) {
	size := ringBytes(stems)
	mem, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("state: no memory for the ring, %d MB: %w", size/1e6, err)
	}
	_ = unix.Madvise(mem, unix.MADV_HUGEPAGE) // it works without, too
	m := &ringMemory{mem: mem, rings: ringsIn(mem, stems)}
	m.rings.Silent, m.rings.Ahead = true, nil // nobody goes on with a track
	return m, nil
}

// ringsIn divides memory into rings.
func ringsIn(mem []byte, stems bool) brigade.Rings {
	n := floatRings(stems)
	floats := func(i int) []float32 {
		return unsafe.Slice((*float32)(unsafe.Pointer(&mem[i*floatRing])), proto.RingSamples)
	}
	r := brigade.Rings{
		Audio: floats(0), Backing: floats(1), Monitor: floats(2),
		People: unsafe.Slice((*uint16)(unsafe.Pointer(&mem[n*floatRing])), proto.RingSamples),
		Ahead:  unsafe.Slice((*float32)(unsafe.Pointer(&mem[n*floatRing+peopleRing])), brigade.AheadSamples),
	}
	for i := 3; i < n; i++ {
		r.Stems = append(r.Stems, floats(i))
	}
	return r
}

// endsIn gives the words of ends in the header of a rings' file.
func endsIn(mem []byte) *ends {
	w := (*struct {
		atWork, inRow atomic.Uint32
		since         atomic.Int64
	})(unsafe.Pointer(&mem[ringsEnds : ringsEnds+16][0]))
	return &ends{atWork: &w.atWork, inRow: &w.inRow, since: &w.since}
}

// close gives the memory back. Nobody may use the rings any more.
func (m *ringMemory) close() error {
	mem, file := m.mem, m.file
	m.mem, m.rings, m.file, m.ends = nil, brigade.Rings{}, nil, nil
	if mem == nil {
		return nil
	}
	err := unix.Munmap(mem)
	if file != nil {
		err = errors.Join(err, file.close())
	}
	return err
}
