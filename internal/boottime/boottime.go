// Package boottime reads the clock that counts since the machine was started.
// It goes on while the machine is suspended, and nobody can set it.
package boottime

import (
	"time"

	"golang.org/x/sys/unix"
)

// Since is the time since boot.
func Since() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic("boottime: no boot clock: " + err.Error())
	}
	return time.Duration(ts.Nano())
}
