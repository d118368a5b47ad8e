package main

import (
	"os"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// relaxed is how late this program's timers may be. Those that pace singers are
// not among them: they are the kernel's own.
const relaxed = 10 * time.Millisecond

// relax starts the program anew, in the same process, with timers that may be
// late: Go's runtime has a thread that looks after the others every 20 µs while
// they work, which takes a fifth of what the load generator takes. A thread hands
// that property on to those it makes, and that one is made before main. Commands
// that measure other things stay as they are.
func relax() {
	if len(os.Args) > 1 && slices.Contains([]string{"bench", "unit", "opus"}, os.Args[1]) {
		return
	}
	runtime.LockOSThread() // a property of the thread
	defer runtime.UnlockOSThread()
	slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil || time.Duration(slack) >= relaxed {
		return
	}
	if unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(relaxed), 0, 0, 0) == nil {
		_ = unix.Exec("/proc/self/exe", os.Args, os.Environ()) // else on as we are
	}
}
