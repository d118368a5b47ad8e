package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"bucketbrigade/brigade"
	"bucketbrigade/durable"
)

// room reserves memory as long as all files beside f have so many bytes with it.
func room(bytes int) func(f *os.File, size int) error {
	return func(f *os.File, size int) error {
		beside, err := os.ReadDir(filepath.Dir(f.Name()))
		if err != nil {
			return err
		}
		used := int64(size)
		for _, entry := range beside {
			info, err := entry.Info()
			if err != nil {
				return err
			}
			if entry.Name() != filepath.Base(f.Name()) {
				used += info.Size()
			}
		}
		if used > int64(bytes) {
			return unix.ENOSPC
		}
		return allocate(f, size)
	}
}

// stateOf is how many bytes the state of a room has.
func stateOf(users int) int { return brigade.StoreLayout(users, false, durable.Identity{}).Size() }

// needed is what a room of 20 users takes: that of every life.
func needed() int { return ringsHeader + ringBytes(false) + 2*stateOf(20) }

// Where one server starts, the next one does, too, with not a byte more: the two files
// take turns.
func TestRoomForOneStartIsRoomForAll(t *testing.T) {
	t.Parallel()
	l := begin(t, Settings{reserve: room(needed())})
	song := l.sing("&mark_start_singing=1&reset_user_state=1").SongStartClock
	for range 3 {
		l.die()
		last, err := os.Open(filepath.Join(l.dir, stateName)) // no other file gets its number
		if err != nil {
			t.Fatal(err)
		}
		defer last.Close()
		l.start()
		if m := l.sing(""); m.SongStartClock != song {
			t.Fatalf("the song from %d is lost: %+v", song, m)
		}
		if was, err := last.Stat(); err != nil || !os.SameFile(was, l.stat(spareState)) {
			t.Error("the file of the last server is not the spare one")
		}
	}
}

// What the first server has left in a file does not show through what the third one
// writes there.
func TestFilesThatTakeTurnsAreEmptyBefore(t *testing.T) {
	t.Parallel()
	l := begin(t, Settings{})
	l.sing("&reset_user_state=1")
	for turn := range 4 {
		for range 5 * (4 - turn) {
			l.sing("") // so the event has a larger number than the next one in the same file
		}
		events := l.sing(fmt.Sprintf("&event_data=[{\"evid\":\"e%d\",\"clock\":7}]", turn)).Events
		for range 20 {
			l.sing("")
		}
		l.die()
		l.start()
		if m := l.sing(""); len(m.Events) != turn+1 {
			t.Errorf("turn %d: events %v became %v", turn, events, m.Events)
		}
	}
}

// stat looks at a file of the directory.
func (l *life) stat(name string) os.FileInfo {
	l.t.Helper()
	info, err := os.Stat(filepath.Join(l.dir, name))
	if err != nil {
		l.t.Fatal(err)
	}
	return info
}

// Too little room is an error of the first start, not of a later one; it tells how much
// is needed.
func TestTooLittleRoomFailsAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for start := range 2 {
		for _, bytes := range []int{needed() - 1, needed() - stateOf(20) - 1, 1000} {
			e, err := newEngine(Settings{MaxUsers: 20, Log: quiet(), reserve: room(bytes)}, dir)
			if err == nil {
				_ = e.close()
				t.Fatalf("start %d has room in %d bytes, %d are needed", start, bytes, needed())
			}
			says := fmt.Sprintf("%s must hold %.1f MB (rings 86.8 MB, state twice %.1f MB) and 0.3 MB a shard", dir, float64(needed())/1e6, float64(stateOf(20))/1e6)
			if text := err.Error(); !errors.Is(err, unix.ENOSPC) || !strings.Contains(text, says) || !strings.Contains(text, "mount a larger tmpfs there, or lower -max-users") {
				t.Errorf("start %d with %d bytes: %v, want one that says %q", start, bytes, err, says)
			}
		}
	}
}

// A setting for which there is no room costs nothing once it is taken back.
func TestALargerRoomThatDoesNotFit(t *testing.T) {
	t.Parallel()
	for _, more := range []int{stateOf(50) - stateOf(20), 2*(stateOf(50)-stateOf(20)) - 1} {
		l := begin(t, Settings{reserve: room(needed() + more - 1)})
		song := l.sing("&mark_start_singing=1&reset_user_state=1").SongStartClock
		l.die()
		l.s.MaxUsers = 50
		for range 2 {
			if e, err := newEngine(l.s, l.dir); err == nil {
				_ = e.close()
				t.Fatal("50 users have room")
			}
		}
		l.s.MaxUsers = 20
		for range 2 {
			l.start()
			if m := l.sing(""); m.SongStartClock != song {
				t.Fatalf("the song from %d is lost: %+v", song, m)
			}
			l.die()
		}
	}
}

// A server that is killed between any two steps of its start leaves the state to the
// next one, and so does a program that kept one file.
func TestStartsThatAreCutShort(t *testing.T) {
	t.Parallel()
	l := begin(t, Settings{})
	song := l.sing("&mark_start_singing=1&reset_user_state=1").SongStartClock
	cut := errors.New("cut short")
	for _, c := range []struct{ users, reserved int }{{20, 0}, {20, 1}, {20, 2}, {40, 1}, {40, 2}, {30, 2}, {20, 2}} {
		l.die()
		l.s.MaxUsers = c.users
		s, reserved := l.s, 0
		s.reserve = func(f *os.File, size int) error {
			if reserved++; reserved > c.reserved {
				return cut
			}
			return allocate(f, size)
		}
		if _, err := newEngine(s, l.dir); !errors.Is(err, cut) {
			t.Fatalf("%+v: %v", c, err)
		}
		l.start()
		if m := l.sing(""); m.SongStartClock != song {
			t.Fatalf("%+v: the song from %d is lost: %+v", c, song, m)
		}
	}
	l.die()
	if err := os.Remove(filepath.Join(l.dir, spareState)); err != nil {
		t.Fatal(err)
	}
	l.start()
	if m := l.sing(""); m.SongStartClock != song {
		t.Errorf("with one file: %+v", m)
	}
	for _, name := range []string{stateName, spareState} {
		if n := l.stat(name).Size(); n != int64(stateOf(20)) {
			t.Errorf("%s has %d bytes, want %d", name, n, stateOf(20))
		}
	}
}
