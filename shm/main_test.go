package shm

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// childVar makes the test binary play a peer: the role and its arguments,
// parted by "|".
const childVar = "SHM_TEST_CHILD"

func TestMain(m *testing.M) {
	play := os.Getenv(childVar)
	if play == "" {
		os.Exit(m.Run())
	}
	args := strings.Split(play, "|")
	roles := map[string]func([]string) error{
		"serve": childServe,
		"call":  childCall,
		"write": childWrite,
		"bench": childBench,
		"busy":  childBusy,
		"tiny":  childTinyTmpfs,
		"ramfs": childRamfs,
	}
	go func() { // die with the parent
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	if err := roles[args[0]](args[1:]); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// child is another process that plays a peer.
type child struct {
	t     testing.TB
	cmd   *exec.Cmd
	lines *bufio.Scanner
	ended bool
}

// startChild starts a peer and, unless it lives in another mount name space,
// waits until it is ready. It is killed at the end of the test.
func startChild(t testing.TB, attr *syscall.SysProcAttr, args ...string) (*child, error) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+strings.Join(args, "|"))
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = attr
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{t: t, cmd: cmd, lines: bufio.NewScanner(out)}
	t.Cleanup(c.kill)
	return c, nil
}

// ready starts a peer and waits for its line "ready".
func ready(t testing.TB, args ...string) *child {
	t.Helper()
	c, err := startChild(t, nil, args...)
	if err != nil {
		t.Fatal(err)
	}
	if line := c.line(); line != "ready" {
		t.Fatalf("%v says %q, not ready", args, line)
	}
	return c
}

// line is the next line that the child prints; "" at its end.
func (c *child) line() string {
	if !c.lines.Scan() {
		return ""
	}
	return c.lines.Text()
}

// kill ends the child the hard way and waits until it is gone.
func (c *child) kill() {
	if !c.ended {
		_ = c.cmd.Process.Kill()
		c.wait()
	}
}

// wait waits for the end of the child and gives the signal that ended it, 0 if
// it exited.
func (c *child) wait() syscall.Signal {
	c.ended = true
	for c.lines.Scan() { // its pipe must be read to the end before Wait
		if strings.HasPrefix(c.lines.Text(), "error:") {
			c.t.Error(c.lines.Text())
		}
	}
	err := c.cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0
	}
	ws := exit.Sys().(syscall.WaitStatus)
	if !ws.Signaled() {
		return 0
	}
	return ws.Signal()
}

// until polls until cond holds and fails the test after half a minute.
func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !cond(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// segmentPath names a new segment; its memory is real shared memory where the
// machine has that.
func segmentPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "bbtest")
	if err != nil {
		return filepath.Join(t.TempDir(), "echo01")
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "echo01")
}

// mustOpen opens a segment that the test closes at its end at the latest.
func mustOpen(t testing.TB, path string, role Role, jsonArea int) *Segment {
	t.Helper()
	s, err := Open(path, role, jsonArea)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// raw is a segment seen by somebody who obeys nothing: a peer written in
// another language, or a mere onlooker.
type raw struct {
	mem  []byte
	at   layout
	word *atomic.Uint32
}

// openRaw maps the whole segment at path, creating it if need be, and locks
// nothing.
func openRaw(t testing.TB, path string, jsonArea int) *raw {
	t.Helper()
	at, err := newLayout(jsonArea)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err == nil && st.Size() < int64(at.size) {
		err = f.Truncate(int64(at.size))
	}
	if err != nil {
		t.Fatal(err)
	}
	mem, err := unix.Mmap(int(f.Fd()), 0, at.size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(mem) })
	return &raw{mem: mem, at: at, word: wordAt(mem, 0)}
}

func (r *raw) status() byte         { return status(r.word.Load()) }
func (r *raw) serverSleeps() uint32 { return wordAt(r.mem, r.at.serverSleeps).Load() }
func (r *raw) shardSleeps() uint32  { return wordAt(r.mem, r.at.shardSleeps).Load() }

// put lays a whole message into the segment, its first word last, and wakes
// nobody.
func (r *raw) put(msg []byte) {
	copy(r.mem[wordLen:], msg[wordLen:])
	r.word.Store(uint32(msg[0]) | uint32(msg[1])<<8 | uint32(msg[2])<<16 | uint32(msg[3])<<24)
}
