package shard

import (
	"context"
	"strings"
	"sync"
	"time"

	"bucketbrigade/internal/boottime"
	"bucketbrigade/proto"
)

// timekeeper answers clock requests. The server clock runs at the pace of the
// machine's boot clock and never steps, so one look at it is enough to know it
// from then on, also while the state server is away.
type timekeeper struct {
	backend Backend
	boot    func() time.Duration // since boot, suspended time included
	jumped  func(time.Duration)  // is called when the server clock has jumped

	mu    sync.Mutex
	known bool
	// lead is how far the server clock is ahead of the boot clock, in samples:
	// by the last look at it, or by an earlier one that was as good.
	lead int
	// old: the state server is of the first generation and does not tell its
	// clock but with a singer's answer. Its clock is the wall clock.
	old bool
}

func newTimekeeper(b Backend) *timekeeper {
	return &timekeeper{backend: b, boot: boottime.Since, jumped: func(time.Duration) {}}
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
	asked := t.boot()
	if err := t.backend.Call(ctx, &proto.Request{Kind: proto.KindClock}, &ans); err != nil {
		return
	}
	r := ans.Refusal()
	if r == nil && ans.Clock > 0 {
		t.learn(ans.Clock, asked)
		t.mu.Lock()
		t.old = false
		t.mu.Unlock()
		return
	}
	if r != nil && strings.HasPrefix(r.Reason, "unknown request") {
		t.mu.Lock()
		t.old = true
		known := t.known
		t.mu.Unlock()
		if !known {
			t.learn(proto.ClockAt(time.Now()), t.boot())
		}
	}
}

// learn takes c as the server clock of some moment between asked and now. For
// example, asked at boot time 10 s and answered at 10.5 s, a server clock of
// 1 000 000 means that the clock is ahead by 496 000 (if the answer lingered) to
// 520 000 samples (if the question did). A lead within these bounds is kept: it
// came of a quicker answer. Else the lower is taken, for a client must not ask
// for the future.
func (t *timekeeper) learn(c proto.Clock, asked time.Duration) {
	least := int(c) - proto.DurationSamples(t.boot())
	most := int(c) - proto.DurationSamples(asked)
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.known || t.lead < least || t.lead > most {
		if off := max(least-t.lead, t.lead-most); t.known && off > proto.DurationSamples(jump) {
			t.jumped(time.Duration(off) * time.Second / proto.SampleRate)
		}
		t.known, t.lead = true, least
	}
}

// wantsMetadata tells whether the clock has to be learnt from singers' answers.
func (t *timekeeper) wantsMetadata() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.old
}
