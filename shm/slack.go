package shm

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// exactSlack is how late a short sleep may end. The programs run with tens of
// milliseconds, which spares Go's watching thread; but who shares a segment with a
// peer that never wakes anybody looks each millisecond, or answers each of its
// requests that much later.
const exactSlack = 50 * time.Microsecond

// exactly does a short sleep on a thread whose timers are exact meanwhile.
func exactly(sleep func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	was, err := timerSlack()
	if err != nil || was <= exactSlack {
		return sleep()
	}
	setTimerSlack(exactSlack)
	defer setTimerSlack(was)
	return sleep()
}

// timerSlack is that of the thread.
func timerSlack() (time.Duration, error) {
	ns, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	return time.Duration(ns), err
}

// setTimerSlack sets that of the thread. Where it is refused sleeps are longer.
func setTimerSlack(d time.Duration) {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(d), 0, 0, 0)
}
