package state

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"bucketbrigade/brigade"
	"bucketbrigade/proto"
)

// ringMemory is where the brigade's rings lie: outside of the Go heap, so that the
// garbage collector neither counts nor looks at 81 MB, and in large pages where the
// machine has them. It takes no memory before it is written to.
//
//	| audio | backing | monitor | stem × brigade.Buckets, if wanted | people |
//	 float32                                                         uint16
type ringMemory struct {
	mem   []byte
	rings brigade.Rings
}

const (
	floatRing  = 4 * proto.RingSamples // bytes
	peopleRing = 2 * proto.RingSamples
)

// mapRings gets memory for rings.
func mapRings(stems bool) (*ringMemory, error) {
	n := 3
	if stems {
		n += brigade.Buckets
	}
	size := n*floatRing + peopleRing
	mem, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("state: no memory for the ring, %d MB: %w", size/1e6, err)
	}
	_ = unix.Madvise(mem, unix.MADV_HUGEPAGE) // it works without, too
	m := &ringMemory{mem: mem}
	floats := func(i int) []float32 {
		return unsafe.Slice((*float32)(unsafe.Pointer(&mem[i*floatRing])), proto.RingSamples)
	}
	m.rings = brigade.Rings{
		Audio: floats(0), Backing: floats(1), Monitor: floats(2),
		People: unsafe.Slice((*uint16)(unsafe.Pointer(&mem[n*floatRing])), proto.RingSamples),
		Silent: true,
	}
	for i := 3; i < n; i++ {
		m.rings.Stems = append(m.rings.Stems, floats(i))
	}
	return m, nil
}

// close gives the memory back. Nobody may use the rings any more.
func (m *ringMemory) close() error {
	mem := m.mem
	m.mem, m.rings = nil, brigade.Rings{}
	if mem == nil {
		return nil
	}
	return unix.Munmap(mem)
}
