package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bucketbrigade/internal/service/servicetest"
	"bucketbrigade/shm"
)

func TestMain(m *testing.M) { servicetest.Main(m, main) }

func TestRunsUnderSystemd(t *testing.T) {
	t.Parallel()
	for _, wait := range []string{"hybrid", "spin"} {
		p := servicetest.Start(t, servicetest.Unit{Args: []string{"-dir", t.TempDir(), "-wait", wait, "echo01"}, Watchdog: 2 * time.Second})
		if ready := p.Await("READY=1"); !strings.Contains(ready, "\nSTATUS=segments 1, singers 0, no song") {
			t.Errorf("ready as %q", ready)
		}
		p.Await("WATCHDOG=1")
		p.Await("WATCHDOG=1")
		if status := p.Stop(); status != 0 {
			t.Errorf("exit status %d, said\n%s", status, p.Log())
		}
		p.Await("STOPPING=1")
	}
}

// The loop that serves hangs over a log that takes no more, when it tells of a new
// segment; all else in the process goes on. Then nobody pets the watchdog.
func TestALoopThatHangsPetsNoWatchdog(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	defer r.Close()
	dir := t.TempDir()
	p := servicetest.Start(t, servicetest.Unit{Args: []string{"-dir", dir}, Stderr: w, Watchdog: 400 * time.Millisecond})
	p.Await("READY=1")
	p.Await("WATCHDOG=1")
	go w.Write(make([]byte, 1<<20)) // more than it takes: it waits until r is closed
	room := []unix.PollFd{{Fd: int32(w.Fd()), Events: unix.POLLOUT}}
	for n := 1; n > 0; n, _ = unix.Poll(room, 0) {
	}
	seg, err := shm.Open(filepath.Join(dir, "echo05"), shm.ForShard, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer seg.Close()
	for began := time.Now(); !p.Silent("WATCHDOG=1", 600*time.Millisecond); {
		if time.Since(began) > 5*time.Second {
			t.Fatal("the watchdog is petted while the loop hangs")
		}
	}
}

// The journal is told from another file by what JOURNAL_STREAM says.
func TestLogsForTheJournal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		off  uint64 // from the number of the file
		says string
	}{
		{0, "<6>msg="},
		{1, "time="},
	} {
		file, err := os.Create(filepath.Join(t.TempDir(), "log"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			t.Fatal(err)
		}
		st := info.Sys().(*syscall.Stat_t)
		p := servicetest.Start(t, servicetest.Unit{
			Args: []string{"-dir", t.TempDir(), "echo01"}, Stderr: file,
			Env: []string{fmt.Sprintf("JOURNAL_STREAM=%d:%d", st.Dev, st.Ino+c.off)},
		})
		p.Await("READY=1")
		p.Stop()
		if log, err := os.ReadFile(file.Name()); err != nil || !strings.HasPrefix(string(log), c.says) {
			t.Errorf("logged %q, %v, want %q", log, err, c.says)
		}
	}
}
