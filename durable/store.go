package durable

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"sync/atomic"
)

// Store writes records. It belongs to one goroutine. What it is told between two
// calls of Commit is one transaction.
type Store struct {
	// Interrupt is called, if it is set, before each store that a kill could
	// precede and recovery would notice: a test panics in it.
	Interrupt func()

	mem     []byte
	kinds   []area
	tx      uint64 // the transaction under way
	coder   Coder
	log     []byte
	logged  int // bytes of log that hold pieces of tx; 0: none yet
	writing int // where the copy lies that is being written; 0: none is

	committed, logTx, logLen *atomic.Uint64
}

// area is where the records of a kind lie.
type area struct {
	Kind
	at, copyBytes int
}

// Format makes an empty store of mem, which must be zero, of l.Size() bytes, and
// lie at a multiple of eight. A layout that cannot be is a fault of the caller and
// panics.
func Format(mem []byte, l Layout) *Store {
	if err := l.check(); err != nil {
		panic("durable: " + err.Error())
	}
	if len(mem) != l.Size() {
		panic(fmt.Sprintf("durable: %d bytes for a layout of %d", len(mem), l.Size()))
	}
	s := &Store{
		mem: mem, tx: 1, log: mem[l.logAt():],
		committed: wordAt(mem, offCommitted), logTx: wordAt(mem, offLogTx), logLen: wordAt(mem, offLogged),
	}
	s.coder.version = l.Version
	for i, k := range l.Kinds {
		s.kinds = append(s.kinds, area{k, l.recordsAt(i), k.copyBytes()})
	}
	l.header(mem)
	return s
}

// Slots is how many records there are of a kind.
func (s *Store) Slots(kind int) int { return s.kinds[kind].Slots }

// Write begins to write a record anew. The fields go into the coder, which is
// valid until End.
func (s *Store) Write(kind, slot int) *Coder {
	if s.writing != 0 {
		panic("durable: a record is begun before the last one is ended")
	}
	a := &s.kinds[kind]
	if slot < 0 || slot >= a.Slots {
		panic(fmt.Sprintf("durable: record %d of %d of kind %d", slot, a.Slots, kind))
	}
	at := a.at + slot*2*a.copyBytes
	other := at + a.copyBytes
	if n, m := wordAt(s.mem, at).Load(), wordAt(s.mem, other).Load(); n > m && n != s.tx || m == s.tx {
		at = other // the first one counts, or the other was written in this transaction
	}
	s.interrupt()
	s.writing = at
	s.coder.begin(s.mem[at+copyHeader : at+copyHeader+a.Bytes])
	return &s.coder
}

// End ends the record that was begun.
func (s *Store) End() {
	at, n := s.writing, s.coder.at
	s.writing = 0
	le := binary.LittleEndian
	le.PutUint32(s.mem[at+12:], uint32(n))
	le.PutUint32(s.mem[at+8:], checksum(s.mem[at:], n))
	s.interrupt()
	wordAt(s.mem, at).Store(s.tx)
}

// checksum is that of a copy with a record of n bytes, its length included.
func checksum(copied []byte, n int) uint32 {
	return crc32.Checksum(copied[12:copyHeader+n], castagnoli)
}

// Empty makes a slot empty.
func (s *Store) Empty(kind, slot int) {
	s.Write(kind, slot)
	s.End()
}

// Commit makes all count that was written since the last one, and nothing that
// was saved need be put back.
func (s *Store) Commit() {
	s.interrupt()
	s.committed.Store(s.tx)
	s.tx++
	s.logged = 0
}

// Save notes what stood at an offset of a region, which is about to be changed.
// More than the log holds is a fault of the caller and panics.
func (s *Store) Save(region, offset uint32, old []byte) {
	if s.logged == 0 {
		s.interrupt()
		s.logLen.Store(0)
		s.logTx.Store(s.tx)
	}
	end := s.logged + logHeader + roundUp(len(old))
	if end > len(s.log) {
		panic(fmt.Sprintf("durable: %d bytes saved in a log of %d", end, len(s.log)))
	}
	piece := s.log[s.logged:end]
	le := binary.LittleEndian
	le.PutUint32(piece, region)
	le.PutUint32(piece[4:], offset)
	le.PutUint64(piece[8:], uint64(len(old)))
	copy(piece[logHeader:], old)
	s.interrupt()
	s.logged = end
	s.logLen.Store(uint64(end))
}

// SavedBytes is how much of the log a piece of so many bytes takes.
func SavedBytes(piece int) int { return logHeader + roundUp(piece) }

func (s *Store) interrupt() {
	if s.Interrupt != nil {
		s.Interrupt()
	}
}
