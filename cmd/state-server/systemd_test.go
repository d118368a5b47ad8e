package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"bucketbrigade/internal/service/servicetest"
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
