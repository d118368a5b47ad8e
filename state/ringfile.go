package state

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"bucketbrigade/brigade"
	"bucketbrigade/durable"
	"bucketbrigade/proto"
)

// ringsName is the file of the rings, in the directory of the segments.
const ringsName = "brigade-rings"

// ringFile is the open file of the rings, locked as long as it is. One page of
// header, little endian, then the rings as ringMemory draws them:
//
//	0    magic "bbrings\n", version uint32, samples of a ring uint32
//	16   stems uint32, 4 bytes of 0, lead int64: server clock minus boot clock, ns
//	32   identity, 16 bytes: the state file names it
//	48   boot id, 16 bytes: of the machine's start since which this holds
//	64   checksum of all before
//	128  how the servers before have ended (ends): two uint32, clock int64
//
// The lead is measured when the file is made and never again.
type ringFile struct {
	file     *os.File
	identity durable.Identity
	lead     time.Duration
	// fresh tells why the rings hold nothing; "" if they are as they were left.
	fresh string
}

const (
	ringsMagic = "bbrings\n"
	// ringsVersion is that of the header and of what lies behind it; the one before
	// can be read, too.
	ringsVersion  = 1
	ringsHeader   = 4096
	ringsChecksum = 64
	ringsEnds     = 128
)

// bootID names the machine's current start.
func bootID() (id [16]byte, err error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return id, err
	}
	b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(string(text)), "-", ""))
	if err != nil || len(b) != len(id) {
		return id, fmt.Errorf("the system's boot id is %s: %w", proto.Shown(string(text)), err)
	}
	return [16]byte(b), nil
}

// openRings maps the rings in the file in a directory, and makes it if there is none, or none
// that can be used: rings of another layout, or of before the machine was started.
// An error is the system's, or says that another state server has it.
func openRings(s space, stems bool) (*ringMemory, error) {
	path := filepath.Join(s.dir, ringsName)
	m, err := claimRings(s, path, stems)
	if err != nil {
		return nil, fmt.Errorf("state: rings %s: %w", path, err)
	}
	return m, nil
}

func claimRings(s space, path string, stems bool) (*ringMemory, error) {
	boot, err := bootID()
	if err != nil {
		return nil, err
	}
	file, err := openOwn(path, 0)
	if err != nil {
		return nil, err
	}
	f := &ringFile{file: file}
	m, err := f.mapRings(s, stems, boot)
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	return m, nil
}

// mapRings locks, reads, and maps the file.
func (f *ringFile) mapRings(s space, stems bool, boot [16]byte) (*ringMemory, error) {
	lock := unix.Flock_t{Type: unix.F_WRLCK, Len: 1}
	switch err := unix.FcntlFlock(f.file.Fd(), unix.F_OFD_SETLK, &lock); {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES):
		return nil, errors.New("another state server holds it; stop that one first, or name another directory with -dir")
	case err != nil:
		return nil, fmt.Errorf("lock: %w", err)
	}
	size := ringsHeader + ringBytes(stems)
	f.fresh = f.read(size, stems, boot)
	if f.fresh != "" {
		if err := f.file.Truncate(0); err != nil {
			return nil, err
		}
	}
	mem, err := s.mapFile(f.file, size)
	if err != nil {
		return nil, err
	}
	if f.fresh != "" {
		f.begin(mem, stems, boot)
	}
	m := &ringMemory{mem: mem, rings: ringsIn(mem[ringsHeader:], stems), file: f, ends: endsIn(mem)}
	m.rings.Silent = f.fresh != ""
	return m, nil
}

// read reads the header; it gives why the file cannot be used, "" if it can.
func (f *ringFile) read(size int, stems bool, boot [16]byte) (why string) {
	info, err := f.file.Stat()
	if err != nil {
		return err.Error()
	}
	if info.Size() == 0 {
		return "there is none yet"
	}
	head := make([]byte, ringsHeader)
	if _, err := f.file.ReadAt(head, 0); err != nil {
		return "no header can be read: " + err.Error()
	}
	le := binary.LittleEndian
	version := le.Uint32(head[8:])
	switch {
	case !bytes.HasPrefix(head, []byte(ringsMagic)) || le.Uint32(head[ringsChecksum:]) != ringsSum(head):
		return "its header is not one of ours"
	case version != ringsVersion && version+1 != ringsVersion:
		return fmt.Sprintf("it is of version %d, %d is known here", version, ringsVersion)
	case !bytes.Equal(head[48:ringsChecksum], boot[:]):
		return "the machine was started since"
	case le.Uint32(head[12:]) != proto.RingSamples || le.Uint32(head[16:]) != stemRings(stems) || info.Size() != int64(size):
		return fmt.Sprintf("it has %d bytes and %d stems of %d samples, wanted are %d bytes and %d stems of %d samples",
			info.Size(), le.Uint32(head[16:]), le.Uint32(head[12:]), size, stemRings(stems), proto.RingSamples)
	}
	f.lead = time.Duration(le.Uint64(head[24:]))
	copy(f.identity[:], head[32:])
	return ""
}

// begin makes the header of rings that are silent. Without its mark, which comes
// last, it is none.
func (f *ringFile) begin(mem []byte, stems bool, boot [16]byte) {
	f.lead = NewSteadyClock().lead
	_, _ = rand.Read(f.identity[:])
	le := binary.LittleEndian
	le.PutUint32(mem[8:], ringsVersion)
	le.PutUint32(mem[12:], proto.RingSamples)
	le.PutUint32(mem[16:], stemRings(stems))
	le.PutUint64(mem[24:], uint64(f.lead))
	copy(mem[32:], f.identity[:])
	copy(mem[48:ringsChecksum], boot[:])
	head := append([]byte(ringsMagic), mem[len(ringsMagic):ringsHeader]...)
	le.PutUint32(mem[ringsChecksum:], ringsSum(head))
	copy(mem, ringsMagic)
}

func ringsSum(head []byte) uint32 {
	return crc32.Checksum(head[:ringsChecksum], crc32.MakeTable(crc32.Castagnoli))
}

func stemRings(stems bool) uint32 {
	if stems {
		return brigade.Buckets
	}
	return 0
}

// close gives the file up. It stays.
func (f *ringFile) close() error {
	// Closing the file would unlock it too, but not while a process that is just
	// being forked shares it.
	lock := unix.Flock_t{Type: unix.F_UNLCK, Len: 1}
	return errors.Join(unix.FcntlFlock(f.file.Fd(), unix.F_OFD_SETLK, &lock), f.file.Close())
}
