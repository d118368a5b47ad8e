package durable

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Identity names what else the records of a file belong to.
type Identity [16]byte

// Layout says what a file holds.
type Layout struct {
	// Version is that of the records, from 1 on.
	Version uint32
	// Identity is that of the memory that the log saves pieces of.
	Identity Identity
	// Kinds are the kinds of records, at most 16.
	Kinds []Kind
	// LogBytes is how much a transaction may save, the 16 bytes before each
	// piece included.
	LogBytes int
}

// Kind is a number of records of one size.
type Kind struct {
	Slots int // how many
	Bytes int // of the longest
}

const (
	magic = "bbstate\n"

	offVersion   = 8
	offKinds     = 12
	offIdentity  = 16
	offLogBytes  = 32
	offTable     = 40
	offChecksum  = offTable + 8*maxKinds
	offCommitted = 256
	offLogTx     = 320
	offLogged    = 328
	offRecords   = 512

	maxKinds = 16
	// maxSlots and maxBytes bound what a file that is read may claim.
	maxSlots = 1 << 20
	maxBytes = 1 << 20
	maxLog   = 1 << 30

	copyHeader = 16 // number, checksum, length
	logHeader  = 16 // region, offset, length
)

// ErrUnknown is what a file is refused with that is none of ours, or of another
// version.
var ErrUnknown = errors.New("is not known here")

// ErrTorn is what a file is refused with that was damaged.
var ErrTorn = errors.New("is damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// roundUp is the next multiple of 8.
func roundUp(n int) int { return (n + 7) &^ 7 }

// copyBytes is what one copy of a record takes.
func (k Kind) copyBytes() int { return copyHeader + roundUp(k.Bytes) }

// size is what all records of a kind take.
func (k Kind) size() int { return k.Slots * 2 * k.copyBytes() }

// Size is how many bytes a file of this layout has.
func (l Layout) Size() int { return l.logAt() + l.LogBytes }

// logAt is where the log lies.
func (l Layout) logAt() int { return l.recordsAt(len(l.Kinds)) }

// recordsAt is where the records of a kind lie.
func (l Layout) recordsAt(kind int) int {
	at := offRecords
	for _, k := range l.Kinds[:kind] {
		at += k.size()
	}
	return at
}

// recordAt is where the first copy of a record lies.
func (l Layout) recordAt(kind, slot int) int {
	return l.recordsAt(kind) + slot*2*l.Kinds[kind].copyBytes()
}

// check finds a layout that cannot be.
func (l Layout) check() error {
	if l.Version == 0 || len(l.Kinds) == 0 || len(l.Kinds) > maxKinds || l.LogBytes < 0 || l.LogBytes > maxLog || l.LogBytes%8 != 0 {
		return fmt.Errorf("version %d, %d kinds, log of %d bytes: %w", l.Version, len(l.Kinds), l.LogBytes, ErrUnknown)
	}
	for i, k := range l.Kinds {
		if k.Slots <= 0 || k.Slots > maxSlots || k.Bytes <= 0 || k.Bytes > maxBytes {
			return fmt.Errorf("kind %d of %d records of %d bytes: %w", i, k.Slots, k.Bytes, ErrUnknown)
		}
	}
	return nil
}

// header writes l to the beginning of mem; the magic last, for a file without is
// none.
func (l Layout) header(mem []byte) {
	le := binary.LittleEndian
	le.PutUint32(mem[offVersion:], l.Version)
	le.PutUint32(mem[offKinds:], uint32(len(l.Kinds)))
	copy(mem[offIdentity:offLogBytes], l.Identity[:])
	le.PutUint64(mem[offLogBytes:], uint64(l.LogBytes))
	for i, k := range l.Kinds {
		le.PutUint32(mem[offTable+8*i:], uint32(k.Slots))
		le.PutUint32(mem[offTable+8*i+4:], uint32(k.Bytes))
	}
	sum := crc32.Update(crc32.Checksum([]byte(magic), castagnoli), castagnoli, mem[offVersion:offChecksum])
	le.PutUint32(mem[offChecksum:], sum)
	copy(mem, magic)
}

// readLayout reads a header.
func readLayout(mem []byte) (Layout, error) {
	le := binary.LittleEndian
	if len(mem) < offRecords || !bytes.HasPrefix(mem, []byte(magic)) {
		return Layout{}, fmt.Errorf("a file of %d bytes without our mark %w", len(mem), ErrUnknown)
	}
	if crc32.Checksum(mem[:offChecksum], castagnoli) != le.Uint32(mem[offChecksum:]) {
		return Layout{}, fmt.Errorf("the header %w", ErrTorn)
	}
	l := Layout{Version: le.Uint32(mem[offVersion:])}
	copy(l.Identity[:], mem[offIdentity:])
	n := le.Uint32(mem[offKinds:])
	if log := le.Uint64(mem[offLogBytes:]); log <= maxLog {
		l.LogBytes = int(log)
	} else {
		l.LogBytes = -1
	}
	for i := range int(min(n, maxKinds+1)) {
		if i == maxKinds {
			return l, fmt.Errorf("%d kinds of records: %w", n, ErrUnknown)
		}
		l.Kinds = append(l.Kinds, Kind{int(le.Uint32(mem[offTable+8*i:])), int(le.Uint32(mem[offTable+8*i+4:]))})
	}
	if err := l.check(); err != nil {
		return l, err
	}
	if l.Size() != len(mem) {
		return l, fmt.Errorf("a file of %d bytes whose header tells of %d: %w", len(mem), l.Size(), ErrTorn)
	}
	return l, nil
}
