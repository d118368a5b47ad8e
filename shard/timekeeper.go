package shard

import (
	"context"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"bucketbrigade/proto"
)

// timekeeper answers clock requests. The server clock runs at the pace of the
// machine's boot clock and never steps, so one look at it is enough to know it
// from then on, also while the state server is away.
type timekeeper struct {
	backend Backend
	boot    func() time.Duration // since boot, suspended time included

	mu    sync.Mutex
	known bool
	// lead is how far the server clock is ahead of the boot clock, in samples.
	lead int
	// old: the state server is of the first generation and does not tell its
	// clock but with a singer's answer. Its clock is the wall clock.
	old bool
}

func newTimekeeper(b Backend) *timekeeper { return &timekeeper{backend: b, boot: sinceBoot} }

func sinceBoot() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic("shard: no boot clock: " + err.Error())
	}
	return time.Duration(ts.Nano())
}

// now gives the server clock. It asks the state server only if it never heard
// from it; ok is false if nobody answered.
func (t *timekeeper) now(ctx context.Context) (clock proto.Clock, ok bool) {
	if c, ok := t.estimate(); ok {
		return c, true
	}
	t.refresh(ctx)
	return t.estimate()
}

func (t *timekeeper) estimate() (proto.Clock, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return proto.Clock(t.lead + proto.DurationSamples(t.boot())), t.known
}

// refresh asks the state server for its clock.
func (t *timekeeper) refresh(ctx context.Context) {
	var ans proto.Answer
	if err := t.backend.Call(ctx, &proto.Request{Kind: proto.KindClock}, &ans); err != nil {
		return
	}
	r := ans.Refusal()
	if r == nil && ans.Clock > 0 {
		t.learn(ans.Clock)
		return
	}
	if r != nil && strings.HasPrefix(r.Reason, "unknown request") {
		t.mu.Lock()
		t.old = true
		known := t.known
		t.mu.Unlock()
		if !known {
			t.learn(proto.ClockAt(time.Now()))
		}
	}
}

// learn takes c as the server clock of this moment.
func (t *timekeeper) learn(c proto.Clock) {
	lead := int(c) - proto.DurationSamples(t.boot())
	t.mu.Lock()
	t.known, t.lead = true, lead
	t.mu.Unlock()
}

// wantsMetadata tells whether the clock has to be learnt from singers' answers.
func (t *timekeeper) wantsMetadata() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.old
}
