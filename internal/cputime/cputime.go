// Package cputime tells how much processor time was used: by the calling thread,
// by this process, by another one. Measurements use it where time itself says
// little, because others work on the machine as well.
//
// The kernel counts in nanoseconds what a process ran in user and kernel mode,
// all its threads together, also those that have ended. /proc/PID/stat tells the
// same in steps of 10 ms.
package cputime

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Thread is the time of the calling thread. The caller has locked its goroutine
// to it, or the difference of two calls means nothing.
func Thread() time.Duration { return mustRead(unix.CLOCK_THREAD_CPUTIME_ID) }

// Process is the time of this process.
func Process() time.Duration { return mustRead(unix.CLOCK_PROCESS_CPUTIME_ID) }

func mustRead(clock int32) time.Duration {
	d, err := read(clock)
	if err != nil {
		panic("cputime: " + err.Error()) // never: every Linux has these two
	}
	return d
}

func read(clock int32) (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		return 0, fmt.Errorf("processor time: %w", err)
	}
	return time.Duration(t.Nano()), nil
}

// Of is the time of a process, without its children. An error says that there
// is no such process.
func Of(pid int) (time.Duration, error) {
	// As clock_getcpuclockid(3) does: the clock of a process is named by the
	// complement of its number and a kind, 2 for time on a processor.
	return read(int32(^pid<<3 | 2))
}

// WithChildren is the time of a process and of its children, such as nginx and
// its workers. Of children that come and go in between it knows nothing.
func WithChildren(pid int) (time.Duration, error) {
	total, err := Of(pid)
	if err != nil {
		return 0, fmt.Errorf("process %d: %w", pid, err)
	}
	list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0, fmt.Errorf("children of process %d: %w", pid, err)
	}
	for _, field := range strings.Fields(string(list)) {
		child, err := strconv.Atoi(field)
		if err != nil {
			return 0, fmt.Errorf("children of process %d: %w", pid, err)
		}
		d, err := Of(child)
		if err != nil {
			return 0, fmt.Errorf("process %d: %w", child, err)
		}
		total += d
	}
	return total, nil
}
