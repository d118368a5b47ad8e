package load

import (
	"context"
	"sync"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/singer"
)

const (
	// farBehind is where singers without pace begin, in seconds: within the ring
	// of two minutes, with the write clock behind. From there they sing up to
	// now as fast as they are answered.
	farBehind = 110
	// nearest is how near they come.
	nearest = 3 * proto.SampleRate
)

// RunClosed runs without pace: each of cfg.Users workers asks again as soon as he
// is answered, with a song on, and Worker.EstClients says how many singers at real
// pace would ask as often. This is a closed loop: a server that is slow is asked
// less, so it flatters. Scenario, ramp and pilots do not matter.
func RunClosed(ctx context.Context, cfg Config) (*Result, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	cfg.Pilots, cfg.Scenario, cfg.Ramp = 0, &Scenario{Name: "none", Voices: cfg.Voices}, 0
	r, err := prepare(ctx, cfg)
	if err != nil {
		return nil, err
	}
	workers := make([]Worker, len(r.members))
	w := newWatch(r)
	var all, others sync.WaitGroup
	others.Go(func() { w.look(ctx) })
	for i, m := range r.members {
		all.Go(func() {
			if waitUntil(ctx, r.start) {
				workers[i] = m.hurry(ctx)
			}
		})
	}
	all.Wait()
	ended := time.Now()
	others.Wait()
	result := r.result(w, ended, ctx.Err() != nil)
	result.Setup.Pace, result.Workers = PaceNone, workers
	result.judge()
	return result, nil
}

// hurry sings until the end without waiting for anything but answers.
func (m *member) hurry(ctx context.Context) Worker {
	w := Worker{Name: m.name}
	var busy time.Duration
	if m.number == 0 {
		m.wishes = []string{"mark_start_singing=1"}
	}
	for ctx.Err() == nil && time.Now().Before(m.end) {
		n, took, err := m.race(ctx)
		w.Requests, busy = w.Requests+n, busy+took
		if err != nil && ctx.Err() == nil {
			m.rec.failed(time.Now(), m.name, m.user, err)
			if next := time.Now().Add(retryClock); next.Before(m.end) {
				waitUntil(ctx, next)
			}
		}
	}
	if w.Requests > 0 {
		mean := busy / time.Duration(w.Requests)
		w.MeanMS = milliseconds(mean)
		if mean > 0 {
			w.EstClients = int(singer.Pace / mean)
		}
	}
	return w
}

// race is one connection, from far behind up to now.
func (m *member) race(ctx context.Context) (requests int, busy time.Duration, err error) {
	ctx, m.cancel = context.WithCancel(ctx)
	defer m.cancel()
	m.renew()
	m.eager, m.racing = true, true
	asked := time.Now()
	clock, err := m.askClock(ctx)
	if err != nil {
		return 0, 0, err
	}
	m.rec.opened(time.Since(asked), time.Now())
	defer func() {
		m.cancel()
		m.posts.Wait()
		m.rec.closed(time.Now(), false)
	}()
	m.read = clock.Add(-farBehind * proto.SampleRate)
	for now := time.Now(); now.Before(m.end) && ctx.Err() == nil; now = time.Now() {
		reached := clock.Add(proto.DurationSamples(now.Sub(asked)) - nearest)
		if m.read.Add(singer.BatchSamples) > reached {
			return requests, busy, nil
		}
		m.launch(ctx, now, now)
		if err := m.waitFor(ctx, now); err != nil || m.fate != nil {
			return requests, busy, err
		}
		requests, busy = requests+1, busy+time.Since(now)
	}
	return requests, busy, nil
}

// waitFor waits for the answer to the only request under way, which was sent at
// now.
func (m *member) waitFor(ctx context.Context, now time.Time) error {
	timer := time.NewTimer(time.Until(m.waitsUntil(now)))
	defer timer.Stop()
	select {
	case <-m.news:
		if m.fate != nil {
			return m.fate.err
		}
		return nil
	case <-timer.C:
		m.mu.Lock()
		defer m.mu.Unlock()
		m.giveUp(time.Now())
		return faultf(KindTooSlow, "no answer within %v", time.Since(now).Round(time.Millisecond))
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
