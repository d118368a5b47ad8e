package load

import (
	"context"
	"fmt"
	"sync"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/singer"
)

const (
	// maxInFlight is how many requests a browser has under way at most.
	maxInFlight = 4
	// retryClock is the time between two clock requests when the first failed.
	retryClock = time.Second
	// grace is how long answers are waited for when the run is over: as long as a
	// browser waits.
	grace = maxInFlight * singer.Pace
	// patience is how long the clock is waited for before it is asked for anew, and
	// any answer by who has no pace.
	patience = 10 * time.Second
)

// part says whether a singer sings.
type part int

const (
	sings     part = iota
	mutedPart      // all the time
	spectates
)

// member is one simulated singer. His goroutine sends what is due; answers are
// taken by the goroutine that waited for them, so that one wake-up serves both.
// What both touch is guarded by mu.
type member struct {
	rec    *recorder
	end    time.Time // of the run
	number int
	user   proto.UserID
	name   string
	part   part
	muted  bool
	*browser
	alarm *alarm
	bell  *bell // of alarm
	loop  loop
	quiet loop // what he sends when he is muted
	place int  // in the loop, of the next batch
	lag   int  // of the write clock behind the read clock
	pilot *pilot
	// orders are still to be carried out, at times from start on.
	start  time.Time
	orders []order
	count  int  // of requests
	done   bool // no request is due any more
	racing bool // without pace: is not moved, since he stands far behind

	mu     sync.Mutex
	eager  bool // wants news of every answer
	wishes []string
	offset int // seconds behind the server's clock

	// of the connection
	read, write         proto.Clock
	begun, heard, fresh bool
	writing             bool
	shift               int
	failing             bool // reconnects when the next request is due
	flying              []*flight
	fate                *fate         // how it ends, once an answer has decided that
	news                chan struct{} // of a fate, or that nothing is under way any more
	query               []byte
	posts               sync.WaitGroup
	cancel              context.CancelFunc
	jobs                chan func() // to goroutines that have nothing to send
}

// live sings from join on, until the run or ctx ends.
func (m *member) live(ctx context.Context, join time.Time) {
	base := join
	for !m.done && base.Before(m.end) && waitUntil(ctx, base) {
		away, err := m.connection(ctx, base)
		now := time.Now()
		base = now.Add(away)
		if err == nil || ctx.Err() != nil {
			continue
		}
		m.rec.failed(now, m.name, m.user, err)
		if !m.begun {
			base = now.Add(retryClock)
		}
	}
}

// waitUntil waits; false says that ctx ended.
func waitUntil(ctx context.Context, t time.Time) bool {
	if d := time.Until(t); d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}

// connection is one connection, asked for at base: until an error, or until the
// singer has to make a new one after being away for some time, or to the end.
func (m *member) connection(ctx context.Context, base time.Time) (away time.Duration, err error) {
	ctx, m.cancel = context.WithCancel(ctx)
	defer m.cancel()
	m.renew()
	asked := time.Now()
	clock, err := m.askClock(ctx)
	now := time.Now()
	if err != nil {
		if ctx.Err() == nil {
			m.miss(base, now.Add(retryClock+singer.Pace))
		}
		return 0, err
	}
	m.rec.opened(now.Sub(base), now)
	if took := now.Sub(asked); took > grace {
		m.rec.failed(now, m.name, m.user, faultf(KindTooSlow, "the clock came after %v, a browser makes a new connection after %v", took.Round(time.Millisecond), grace))
	}
	var how ending
	defer func() {
		m.cancel()
		m.posts.Wait()
		if !m.done {
			m.rec.closed(time.Now(), how == movedOn && err == nil)
		}
	}()
	if m.pilot != nil {
		m.pilot.connected()
	}
	k := FirstDue(base, now)
	m.miss(base, Due(base, k))
	// The server's clock when the first request is due, but for the batch that
	// each request adds.
	m.read = clock.Add(proto.DurationSamples(now.Sub(asked)/2+Due(base, k).Sub(now)) - m.offset*proto.SampleRate - singer.BatchSamples)
	for ; ; k++ {
		due := Due(base, k)
		if !due.Before(m.end) {
			m.done = true
			return 0, m.drain(ctx)
		}
		if away, how, err = m.await(ctx, due); how != stays || err != nil {
			return away, err
		}
		now := time.Now()
		if err := m.full(due, now); err != nil {
			return 0, err
		}
		m.launch(ctx, due, now)
	}
}

// askClock asks for the clock, and waits until the run is over at most.
func (m *member) askClock(ctx context.Context) (proto.Clock, error) {
	asked := time.Now()
	limited, cancel := context.WithDeadline(ctx, m.waitsUntil(asked))
	defer cancel()
	clock, err := m.browser.clock(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return 0, faultf(KindClock, "no answer within %v", time.Since(asked).Round(time.Millisecond))
	}
	return clock, err
}

// waitsUntil is until when an answer to what is asked at a time is waited for.
func (m *member) waitsUntil(asked time.Time) time.Time {
	limit, last := asked.Add(patience), m.end.Add(grace)
	if last.Before(limit) {
		return last
	}
	return limit
}

// miss notes what was due while a singer had no connection, who wanted one from
// base on: next is the first request that he can send, and until then he neither
// hears nor is heard. For example of a clock that takes 1.5 s:
//
//	base     0.6      1.2   clock  1.8
//	         missed   missed       sent
//	counts   1200 ms  600 ms       from 1.8 on
func (m *member) miss(base, next time.Time) {
	for k := 0; ; k++ {
		due := Due(base, k)
		if !due.Before(next) || !due.Before(m.end) {
			return
		}
		m.rec.missed(due, next.Sub(due))
	}
}

// renew makes a new connection of it.
func (m *member) renew() {
	m.begun, m.heard, m.fresh, m.writing, m.failing, m.flying, m.fate = false, false, false, false, false, nil, nil
	m.news = make(chan struct{}, 1)
	m.jobs = make(chan func())
}

// full is the end of a connection of which a fifth request is due; nil if there is
// room for one.
func (m *member) full(due, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.flying) < maxInFlight {
		return nil
	}
	m.rec.due(due, now, false, 0)
	m.giveUp(now)
	return faultf(KindTooSlow, "a fifth request is due, the first of four has waited for %v", now.Sub(m.flying[0].due).Round(time.Millisecond))
}

// ending is how a connection ends without an error.
type ending int

const (
	stays   ending = iota // it does not
	movedOn               // the server assigned another place
	ordered               // the scenario wants it
	over                  // the run was broken off
)

// await carries out orders until due. A connection that ends by an order is made
// anew after away.
func (m *member) await(ctx context.Context, due time.Time) (away time.Duration, how ending, err error) {
	for {
		for len(m.orders) > 0 && !m.start.Add(m.orders[0].at).After(time.Now()) {
			o := m.orders[0]
			m.orders = m.orders[1:]
			if o.do == leaves {
				return o.away, ordered, nil
			}
			m.obey(o)
		}
		wake, last := due, true
		if len(m.orders) > 0 && m.start.Add(m.orders[0].at).Before(due) {
			wake, last = m.start.Add(m.orders[0].at), false
		}
		m.alarm.set(m.bell, wake)
		select {
		case <-m.news:
			return 0, movedOn, m.fate.err
		case <-m.bell.C:
			switch {
			case last && m.failing:
				return 0, ordered, nil
			case last && len(m.news) == 0:
				return 0, stays, nil
			}
		case <-ctx.Done():
			return 0, over, nil
		}
	}
}

// obey carries out an order that does not end the connection at once.
func (m *member) obey(o order) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch o.do {
	case wishes:
		m.wishes = append(m.wishes, o.wish)
	case fails:
		m.failing = true
	case mutes, unmutes:
		m.muted = o.do == mutes
	}
}

// drain waits for what is under way when the run is over.
func (m *member) drain(ctx context.Context) error {
	m.mu.Lock()
	m.eager = true
	landed := len(m.flying) == 0
	m.mu.Unlock()
	timer := time.NewTimer(time.Until(m.end.Add(grace)))
	defer timer.Stop()
	for !landed {
		select {
		case <-m.news:
			m.mu.Lock()
			f := m.fate
			landed = len(m.flying) == 0
			m.mu.Unlock()
			if f != nil {
				return f.err
			}
		case <-timer.C:
			m.mu.Lock()
			defer m.mu.Unlock()
			m.giveUp(time.Now())
			return faultf(KindTooSlow, "no answer %v after the run was over", grace)
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// giveUp notes what is under way as having taken until now at least. mu is held.
func (m *member) giveUp(now time.Time) {
	for _, f := range m.flying {
		m.rec.gaveUp(f.due, now.Sub(f.due))
	}
}

// nameOf is the name of the singer of a number.
func nameOf(number int) string { return fmt.Sprintf("singer %04d", number) }
