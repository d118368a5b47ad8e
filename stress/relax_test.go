package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The program that has been started anew has the slack on every thread, and is told
// the same.
func TestRelaxed(t *testing.T) {
	const inside = "STRESS_TEST_RELAX"
	if os.Getenv(inside) != "" {
		relax()
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			t.Fatal(err)
		}
		for _, thread := range threads {
			slack, err := os.ReadFile("/proc/" + thread.Name() + "/timerslack_ns")
			if err != nil || strings.TrimSpace(string(slack)) != "10000000" {
				t.Errorf("thread %s: %s, %v", thread.Name(), slack, err)
			}
		}
		return
	}
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run=^TestRelaxed$", "-test.v")
	cmd.Env = append(os.Environ(), inside+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestRelaxed") {
		t.Errorf("%v\n%s", err, out)
	}
	if slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0); err != nil || time.Duration(slack) >= relaxed {
		t.Errorf("the slack of the test itself is %d, %v: nothing was shown", slack, err)
	}
}
