package shm

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The futex operations and flags of linux/futex.h. None is process-private:
// the words lie in memory that two processes share.
const (
	futexWaitOp = 0
	futexWakeOp = 1
	futex2Size4 = 0x02

	// maxWaitv is how many words one futex_waitv takes.
	maxWaitv = 128
)

// futexWait sleeps while *w is val, at most for timeout. The error is nil after
// a wake, EAGAIN if *w was not val, ETIMEDOUT or EINTR.
func futexWait(w *atomic.Uint32, val uint32, timeout time.Duration) error {
	if timeout <= sleepShort {
		return exactly(func() error { return futexWaitFor(w, val, timeout) })
	}
	return futexWaitFor(w, val, timeout)
}

func futexWaitFor(w *atomic.Uint32, val uint32, timeout time.Duration) error {
	ts := unix.NsecToTimespec(int64(timeout))
	_, _, e := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)),
		futexWaitOp, uintptr(val), uintptr(unsafe.Pointer(&ts)), 0, 0)
	if e != 0 {
		return e
	}
	return nil
}

// futexWake wakes everybody who sleeps on w.
func futexWake(w *atomic.Uint32) {
	const all = 1<<31 - 1
	_, _, e := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), futexWakeOp, all, 0, 0, 0)
	if e != 0 {
		panic("shm: futex wake: " + e.Error())
	}
}

// waiter is struct futex_waitv of linux/futex.h.
type waiter struct {
	val   uint64
	uaddr uint64
	flags uint32
	_     uint32
}

func newWaiter(w *atomic.Uint32, val uint32) waiter {
	return waiter{val: uint64(val), uaddr: uint64(uintptr(unsafe.Pointer(w))), flags: futex2Size4}
}

// futexWaitv sleeps while every word has its value, at most for timeout. Errors
// as futexWait, and others (ENOSYS before Linux 5.16) if there is no such call.
func futexWaitv(ws []waiter, timeout time.Duration) error {
	if timeout <= sleepShort {
		return exactly(func() error { return futexWaitvFor(ws, timeout) })
	}
	return futexWaitvFor(ws, timeout)
}

func futexWaitvFor(ws []waiter, timeout time.Duration) error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		panic("shm: no monotonic clock: " + err.Error())
	}
	at := now.Nano() + int64(timeout)
	end := [2]int64{at / 1e9, at % 1e9} // seconds and nanoseconds, 64 bits on every machine
	_, _, e := unix.Syscall6(unix.SYS_FUTEX_WAITV, uintptr(unsafe.Pointer(&ws[0])),
		uintptr(len(ws)), 0, uintptr(unsafe.Pointer(&end)), unix.CLOCK_MONOTONIC, 0)
	if e != 0 {
		return e
	}
	return nil
}
