package shm

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"bucketbrigade/proto"
)

// Whoever comes first creates the segment; the other attaches.
func TestEitherOrder(t *testing.T) {
	t.Parallel()
	for _, order := range [][2]Role{{ForServer, ForShard}, {ForShard, ForServer}} {
		t.Run(order[0].String()+" first", func(t *testing.T) {
			t.Parallel()
			path := segmentPath(t)
			var seg [2]*Segment
			for _, role := range order {
				seg[role] = mustOpen(t, path, role, 0)
			}
			if fi, err := os.Stat(path); err != nil || fi.Size() != 265608 || fi.Mode() != 0o600 {
				t.Errorf("file: %v, %v", fi, err)
			}
			serveEcho(t, Hybrid, seg[ForServer])
			if err := checkedCall(NewClient(seg[ForShard], ClientConfig{}), 5, 2880); err != nil {
				t.Error(err)
			}
		})
	}
}

// A file of the first generation is made longer; what stands in it stays.
func TestOldFileGrows(t *testing.T) {
	t.Parallel()
	for area, size := range map[int]int64{proto.OldJSONArea: 210056, proto.MaxJSONArea: 265608} {
		path := segmentPath(t)
		old := make([]byte, 210005)
		copy(old, unpadded(statusAnswer, `{}`, []byte{0, 0}))
		old[len(old)-1] = 0xAA
		if err := os.WriteFile(path, old, 0o600); err != nil {
			t.Fatal(err)
		}
		seg := mustOpen(t, path, ForShard, area)
		if string(seg.mem[:210005]) != string(old) {
			t.Error("growing changed the content")
		}
		if fi, err := os.Stat(path); err != nil || fi.Size() != size {
			t.Errorf("area %d: file %v, %v, want %d bytes", area, fi, err, size)
		}
	}
	// A longer file stays long: the peer may have mapped all of it.
	path := segmentPath(t)
	mustOpen(t, path, ForServer, proto.MaxJSONArea)
	mustOpen(t, path, ForShard, proto.OldJSONArea)
	if fi, err := os.Stat(path); err != nil || fi.Size() != 265608 {
		t.Errorf("file %v, %v: opening with a smaller JSON area changed its size", fi, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := filepath.Dir(segmentPath(t))
	fifo, held := filepath.Join(dir, "fifo"), filepath.Join(dir, "held")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, held, ForServer, 0)
	mustOpen(t, held, ForShard, 0)
	for _, c := range []struct {
		name, path string
		role       Role
		area       int
		want       string
	}{
		{"fifo", fifo, ForShard, 0, "no regular file"},
		{"device", "/dev/null", ForShard, 0, "no regular file"},
		{"directory", dir, ForShard, 0, "is a directory"},
		{"no folder", dir + "/none/echo01", ForShard, 0, "no such file"},
		{"small area", filepath.Join(dir, "new"), ForShard, 1023, "JSON area of 1023 bytes is not in 1024..65535"},
		{"large area", filepath.Join(dir, "new"), ForShard, 65536, "JSON area of 65536 bytes"},
		{"negative area", filepath.Join(dir, "new"), ForShard, -1, "JSON area of -1 bytes"},
		{"second server", held, ForServer, 0, "another state server holds it"},
		{"second shard", held, ForShard, 0, "another codec shard holds it"},
	} {
		seg, err := Open(c.path, c.role, c.area)
		if err == nil {
			_ = seg.Close()
			t.Errorf("%s: opened", c.name)
		} else if !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "shm: ") {
			t.Errorf("%s: error %q does not say %q", c.name, err, c.want)
		}
	}
}

// A side is free again when its holder closes, and closing twice is harmless.
func TestSideIsGivenUp(t *testing.T) {
	t.Parallel()
	path := segmentPath(t)
	for range 3 {
		c := NewClient(mustOpen(t, path, ForShard, 0), ClientConfig{})
		srv := NewServer(Hybrid)
		if err := srv.Add(mustOpen(t, path, ForServer, 0)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			if err := srv.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := checkedCall(c, 1, 0); err == nil || isAway(err) {
			t.Errorf("call on a closed client: %v", err)
		}
	}
}

func TestSameFile(t *testing.T) {
	t.Parallel()
	path := segmentPath(t)
	seg := mustOpen(t, path, ForServer, 0)
	if seg.Name() != "echo01" || !seg.SameFile(path) {
		t.Errorf("segment %q is not at %s", seg.Name(), path)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if seg.SameFile(path) {
		t.Error("a deleted file is still the same")
	}
	mustOpen(t, path, ForServer, 0) // another inode, so another lock
	if seg.SameFile(path) {
		t.Error("a new file is the same as the deleted one")
	}
}

// inNewMounts runs a child that may mount what it likes, and requires that it
// exits well.
func inNewMounts(t *testing.T, role string) {
	t.Helper()
	c, err := startChild(t, &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}, role, t.TempDir())
	if err != nil {
		t.Skipf("NOT TESTED, a new mount name space is not permitted here (run as root): %v", err)
	}
	line := c.line()
	if strings.HasPrefix(line, "skip") {
		t.Skip("NOT TESTED: " + line)
	}
	if sig := c.wait(); line != "ready" || sig != 0 {
		t.Errorf("child says %q and is ended by signal %v", line, sig)
	}
}

// A full tmpfs refuses a new segment, and one that is there but has no memory
// yet, in a sentence; the process lives on.
func TestFullTmpfs(t *testing.T) {
	t.Parallel()
	inNewMounts(t, "tiny")
}

// A file system that cannot reserve memory is refused rather than trusted.
func TestNoFallocate(t *testing.T) {
	t.Parallel()
	inNewMounts(t, "ramfs")
}

// childTinyTmpfs: DIR.
func childTinyTmpfs(args []string) error {
	if err := unix.Mount("tmpfs", args[0], "tmpfs", 0, "size=128k"); err != nil {
		fmt.Println("skip: mount:", err)
		return nil
	}
	sparse := filepath.Join(args[0], "sparse")
	if err := os.WriteFile(sparse, nil, 0o600); err != nil {
		return err
	}
	if err := os.Truncate(sparse, 265608); err != nil {
		return err
	}
	for _, path := range []string{filepath.Join(args[0], "new"), sparse} {
		seg, err := Open(path, ForShard, 0)
		if err == nil {
			for i := range seg.mem { // SIGBUS here if memory was promised that is not there
				seg.mem[i] = 1
			}
			return fmt.Errorf("%s was opened on a full file system", path)
		}
		if !strings.Contains(err.Error(), "no space left on device") || !strings.Contains(err.Error(), "265608 bytes") {
			return fmt.Errorf("error does not tell what is missing: %w", err)
		}
	}
	fmt.Println("ready")
	return nil
}

// childRamfs: DIR.
func childRamfs(args []string) error {
	if err := unix.Mount("ramfs", args[0], "ramfs", 0, ""); err != nil {
		fmt.Println("skip: mount:", err)
		return nil
	}
	_, err := Open(filepath.Join(args[0], "new"), ForShard, 0)
	if err == nil || !strings.Contains(err.Error(), "put segments on a tmpfs") {
		return fmt.Errorf("on a file system without fallocate: %w", err)
	}
	fmt.Println("ready")
	return nil
}
