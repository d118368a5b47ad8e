package durable

import (
	"encoding/binary"
	"fmt"
)

// Snapshot is what a process left, to be read. Reading changes nothing, and
// nothing that stands there makes it panic.
type Snapshot struct {
	mem       []byte
	layout    Layout
	committed uint64
}

// Open looks at what a process left in mem, for a program whose records are of a
// version: it takes that one and the one before. Errors are ErrUnknown or ErrTorn
// and say why.
func Open(mem []byte, version uint32) (*Snapshot, error) {
	l, err := readLayout(mem)
	if err != nil {
		return nil, err
	}
	if l.Version != version && l.Version+1 != version {
		return nil, fmt.Errorf("version %d, versions %d and %d can be read: it %w", l.Version, version-1, version, ErrUnknown)
	}
	return &Snapshot{mem: mem, layout: l, committed: binary.LittleEndian.Uint64(mem[offCommitted:])}, nil
}

// Identity is what the records belong to.
func (s *Snapshot) Identity() Identity { return s.layout.Identity }

// Slots is how many records there are of a kind; 0 if there is no such kind.
func (s *Snapshot) Slots(kind int) int {
	if kind >= len(s.layout.Kinds) {
		return 0
	}
	return s.layout.Kinds[kind].Slots
}

// Record gives a reader of the record in a slot, nil if the slot is empty. kind and
// slot must be there. The error is ErrTorn.
func (s *Snapshot) Record(kind, slot int) (*Coder, error) {
	k := s.layout.Kinds[kind]
	if slot < 0 || slot >= k.Slots {
		panic(fmt.Sprintf("durable: record %d of %d of kind %d", slot, k.Slots, kind))
	}
	at := s.layout.recordAt(kind, slot)
	first, second := s.mem[at:at+k.copyBytes()], s.mem[at+k.copyBytes():at+2*k.copyBytes()]
	le := binary.LittleEndian
	a, b := le.Uint64(first), le.Uint64(second)
	if a > s.committed {
		a = 0
	}
	if b > s.committed {
		b = 0
	}
	counts := first
	if b > a {
		counts = second
	}
	switch {
	case a == 0 && b == 0:
		return nil, nil
	case a == b:
		return nil, fmt.Errorf("record %d of kind %d, twice of one transaction, %w", slot, kind, ErrTorn)
	}
	n := le.Uint32(counts[12:])
	if int64(n) > int64(k.Bytes) || checksum(counts, int(n)) != le.Uint32(counts[8:]) {
		return nil, fmt.Errorf("record %d of kind %d %w", slot, kind, ErrTorn)
	}
	if n == 0 {
		return nil, nil
	}
	return &Coder{buf: counts[copyHeader : copyHeader+n], reading: true, version: s.layout.Version}, nil
}

// Piece is what was saved of a region.
type Piece struct {
	Region, Offset uint32
	Old            []byte
}

// Saved gives what a transaction that was not committed has saved, in the order in
// which it is to be put back. The error is ErrTorn.
func (s *Snapshot) Saved() ([]Piece, error) {
	le := binary.LittleEndian
	tx, n := le.Uint64(s.mem[offLogTx:]), le.Uint64(s.mem[offLogged:])
	if tx <= s.committed || n == 0 {
		return nil, nil
	}
	log := s.mem[s.layout.logAt():]
	if n > uint64(len(log)) {
		return nil, fmt.Errorf("the log, with %d bytes of %d, %w", n, len(log), ErrTorn)
	}
	log = log[:n]
	var pieces []Piece
	for len(log) > 0 {
		if len(log) < logHeader {
			return nil, fmt.Errorf("the log %w", ErrTorn)
		}
		size := le.Uint64(log[8:])
		if size > uint64(len(log)-logHeader) || roundUp(int(size)) > len(log)-logHeader {
			return nil, fmt.Errorf("the log, with a piece of %d bytes, %w", size, ErrTorn)
		}
		pieces = append(pieces, Piece{le.Uint32(log), le.Uint32(log[4:]), log[logHeader : logHeader+size]})
		log = log[logHeader+roundUp(int(size)):]
	}
	for i, j := 0, len(pieces)-1; i < j; i, j = i+1, j-1 {
		pieces[i], pieces[j] = pieces[j], pieces[i]
	}
	return pieces, nil
}
