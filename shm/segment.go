package shm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"bucketbrigade/proto"
)

// Role is a side of a segment.
type Role int

// The roles; their numbers are the bytes of the file that they lock.
const (
	ForServer Role = 0
	ForShard  Role = 1
)

func (r Role) String() string {
	if r == ForServer {
		return "state server"
	}
	return "codec shard"
}

// Segment is a mapped segment, held by one side.
type Segment struct {
	name   string
	file   *os.File
	device uint64
	inode  uint64
	mem    []byte // nil once closed
	at     layout
	word   *atomic.Uint32 // the first word
	sleeps [2]*atomic.Uint32
	role   Role
}

// Open maps the segment at path for one side, creating or growing the file as
// needed; its memory is reserved, so that a full file system is an error here
// and not a fault later. jsonArea is the size of the JSON area in bytes, the
// same on both sides; 0 means proto.MaxJSONArea. The segment is refused if
// another process holds that side.
func Open(path string, role Role, jsonArea int) (*Segment, error) {
	if jsonArea == 0 {
		jsonArea = proto.MaxJSONArea
	}
	at, err := newLayout(jsonArea)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("shm: segment: %w", err)
	}
	s := &Segment{name: filepath.Base(path), file: f, at: at, role: role}
	if err := s.claim(); err != nil {
		return nil, errors.Join(fmt.Errorf("shm: segment %s: %w", path, err), f.Close())
	}
	return s, nil
}

// claim locks, reserves and maps the open file.
func (s *Segment) claim() error {
	var st unix.Stat_t
	fd := int(s.file.Fd())
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return errors.New("is no regular file")
	}
	s.device, s.inode = uint64(st.Dev), st.Ino
	switch err := s.lock(unix.F_WRLCK); {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES):
		return fmt.Errorf("another %s holds it; stop that one first, or use another segment", s.role)
	case err != nil:
		return fmt.Errorf("lock: %w", err)
	}
	if err := s.reserve(fd); err != nil {
		return err
	}
	mem, err := unix.Mmap(fd, 0, s.at.size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map: %w", err)
	}
	s.mem = mem
	s.word = wordAt(mem, 0)
	s.sleeps[ForServer] = wordAt(mem, s.at.serverSleeps)
	s.sleeps[ForShard] = wordAt(mem, s.at.shardSleeps)
	s.ownSleeps().Store(awake)
	return nil
}

// lock sets the lock of the own side to a type: unix.F_WRLCK or unix.F_UNLCK.
func (s *Segment) lock(kind int16) error {
	l := unix.Flock_t{Type: kind, Start: int64(s.role), Len: 1}
	return unix.FcntlFlock(s.file.Fd(), unix.F_OFD_SETLK, &l)
}

// reserve gives the file its size and its memory. It never makes a file
// smaller: the peer may have mapped more of it.
func (s *Segment) reserve(fd int) error {
	err := unix.Fallocate(fd, 0, 0, int64(s.at.size))
	for errors.Is(err, unix.EINTR) { // by one of the runtime's own signals
		err = unix.Fallocate(fd, 0, 0, int64(s.at.size))
	}
	switch {
	case errors.Is(err, unix.EOPNOTSUPP):
		return errors.New("its file system cannot reserve memory; put segments on a tmpfs such as /dev/shm or /run")
	case err != nil:
		return fmt.Errorf("reserve %d bytes: %w; make room on its file system", s.at.size, err)
	}
	return nil
}

// Name is the segment's file name.
func (s *Segment) Name() string { return s.name }

// SameFile tells whether path still names the file that is mapped.
func (s *Segment) SameFile(path string) bool {
	var st unix.Stat_t
	return unix.Stat(path, &st) == nil && st.Ino == s.inode && uint64(st.Dev) == s.device
}

// Close unmaps the segment and gives up its side. The file stays. Nothing of
// the segment may be in use. To close again does nothing.
func (s *Segment) Close() error {
	if s.mem == nil {
		return nil
	}
	mem := s.mem
	s.mem = nil
	// Closing the file would unlock it too, but not while a process that is
	// just being forked shares it.
	return errors.Join(unix.Munmap(mem), s.lock(unix.F_UNLCK), s.file.Close())
}

func (s *Segment) ownSleeps() *atomic.Uint32  { return s.sleeps[s.role] }
func (s *Segment) peerSleeps() *atomic.Uint32 { return s.sleeps[1-s.role] }

// message is where the parts of one message lie in a segment.
type message struct {
	json []byte
	data []byte
}

// read finds the message whose first word was loaded as word. The lengths are
// the peer's: they are read here, once, and checked.
func (s *Segment) read(word uint32) (message, error) {
	j := jsonLen(word)
	if j == 0 || j > s.at.jsonArea {
		return message{}, proto.Refuse(400, "segment %s: JSON of %d bytes, 1..%d are possible", s.name, j, s.at.jsonArea)
	}
	at := offJSON + j
	d := binary.LittleEndian.Uint32(s.mem[at:])
	at += dataLenLen
	if d > proto.MaxData {
		return message{}, proto.Refuse(400, "segment %s: data of %d bytes, at most %d are possible", s.name, d, proto.MaxData)
	}
	return message{json: s.mem[offJSON : offJSON+j], data: s.mem[at : at+int(d)]}, nil
}

// spaces are enough for any padding.
const spaces = "                                                               "

// place lays out a message of the given JSON and data size, JSON padded so that
// what stands prefix bytes into the data is aligned, and writes all of it but
// the first word, which it returns, and the data, which it returns the place of.
func (s *Segment) place(status byte, json []byte, prefix, size int) (word uint32, data []byte, err error) {
	if room := RoomForJSON(s.at.jsonArea); len(json) > room {
		return 0, nil, proto.Refuse(413, "json too long: %d bytes, at most %d fit the segment", len(json), room)
	}
	if size > proto.MaxData {
		return 0, nil, proto.Refuse(413, "data too long: %d bytes, at most %d fit the segment", size, proto.MaxData)
	}
	j := len(json) + padding(len(json), prefix)
	copy(s.mem[wordLen:offJSON+j], json[1:])
	copy(s.mem[offJSON+len(json):offJSON+j], spaces)
	at := offJSON + j
	binary.LittleEndian.PutUint32(s.mem[at:], uint32(size))
	at += dataLenLen
	return firstWord(status, j, json[0]), s.mem[at : at+size], nil
}

// publish hands the segment to the peer: everything written before is visible
// to whoever loads the word. It tells whether the peer had to be woken.
func (s *Segment) publish(word uint32) (woken bool) {
	raceRelease(s.inode)
	s.word.Store(word)
	if s.peerSleeps().Load() == awake {
		return false
	}
	s.peerSleeps().CompareAndSwap(asleep, called)
	futexWake(s.word)
	return true
}

// uncalled tells whether the message that the owner of the flag asleep just
// found is from a peer that does not look at flags. Between its store of the
// word and its mark on the flag a peer that does look needs a moment.
func (s *Segment) uncalled() bool {
	for range markPolls {
		if s.ownSleeps().Load() != asleep {
			return false
		}
	}
	return true
}

// load gives the first word; if it is the peer's publication of a message with
// the given status, what the peer wrote before is visible.
func (s *Segment) load(want byte) uint32 {
	w := s.word.Load()
	if status(w) == want {
		raceAcquire(s.inode)
	}
	return w
}
