package state

import (
	"time"

	"bucketbrigade/internal/boottime"
	"bucketbrigade/proto"
)

// SteadyClock is a server clock that starts out at the wall clock and from then
// on goes with the boot clock: it never steps, whatever is done to the wall
// clock.
type SteadyClock struct {
	lead time.Duration // wall minus boot
}

// NewSteadyClock measures the lead.
func NewSteadyClock() SteadyClock {
	return SteadyClock{lead: time.Duration(time.Now().UnixNano()) - boottime.Since()}
}

// Now gives the server clock.
func (c SteadyClock) Now() proto.Clock {
	return proto.ClockAt(time.Unix(0, int64(c.lead+boottime.Since())))
}
