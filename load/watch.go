package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bucketbrigade/internal/cputime"
)

// watch looks at the processors once a second, and tells how the run stands. Its
// goroutine owns it until look has returned.
type watch struct {
	start, steady, end time.Time // steady: from when on all have joined
	duration           time.Duration
	rec                *recorder
	progress           func(Snapshot)
	watched            []*watched
	warnings           []string
}

// watched is one process.
type watched struct {
	NamedProcess
	machine   int
	generator bool
	known     bool          // last is the time used until the look before
	last      time.Duration //
	gone      bool
	metrics   *scraper // nil: it has a PID
	// Of the steady part: time used, answers to all when it began and now.
	used     time.Duration
	from, to time.Time
	first    int
	answers  int
}

func newWatch(r *run) *watch {
	w := &watch{
		start: r.start, steady: r.start.Add(r.cfg.Ramp), end: r.end, duration: r.cfg.Duration,
		rec: r.rec, progress: r.cfg.Progress, warnings: []string{},
	}
	w.watched = append(w.watched, &watched{
		NamedProcess: NamedProcess{Name: fmt.Sprintf("generator-%d", r.cfg.Machine)}, machine: r.cfg.Machine, generator: true,
	})
	for _, p := range r.cfg.Processes {
		q := &watched{NamedProcess: p, machine: r.cfg.Machine}
		if p.Metrics != "" {
			q.metrics = newScraper(p.Metrics)
		}
		w.watched = append(w.watched, q)
	}
	return w
}

// look looks at each whole second from the start to the end, and returns then, or
// when ctx ends.
func (w *watch) look(ctx context.Context) {
	for next := w.start; !next.After(w.end) && waitUntil(ctx, next); next = next.Add(time.Second) {
		for _, p := range w.watched {
			w.read(ctx, p, next)
		}
		if w.progress != nil {
			w.progress(w.rec.snapshot(next, w.duration))
		}
	}
}

// read notes what a process has used since the last look.
func (w *watch) read(ctx context.Context, p *watched, now time.Time) {
	if p.gone {
		return
	}
	total, err := p.time(ctx)
	if err == nil && p.known && total < p.last {
		err = errors.New("it has used less processor than before: it was started anew")
	}
	if err != nil {
		if ctx.Err() != nil {
			return
		}
		p.gone = true
		w.warnings = append(w.warnings, fmt.Sprintf("%s cannot be looked at after %v: %v.", p.Name, now.Sub(w.start), err))
		return
	}
	used := total - p.last
	p.last = total
	if !p.known {
		p.known = true
		used = 0
	} else {
		w.rec.cpu(now, p.Name, used)
	}
	switch {
	case now.Before(w.steady):
	case p.from.IsZero():
		p.from, p.to, p.first = now, now, w.rec.answers()
	default:
		p.used, p.to, p.answers = p.used+used, now, w.rec.answers()-p.first
	}
}

func (p *watched) time(ctx context.Context) (time.Duration, error) {
	switch {
	case p.generator:
		return cputime.Process(), nil
	case p.metrics != nil:
		return p.metrics.cpu(ctx)
	}
	return cputime.WithChildren(p.PID)
}

// processes are what was found.
func (w *watch) processes() []Process {
	list := []Process{}
	for _, p := range w.watched {
		q := Process{
			Name: p.Name, PID: p.PID, Metrics: p.Metrics, Machine: p.machine, Generator: p.generator,
			CPUS: p.used.Seconds(), SteadyS: p.to.Sub(p.from).Seconds(), Requests: p.answers,
		}
		q.perRequest()
		list = append(list, q)
	}
	return list
}

func (p *Process) perRequest() {
	p.PerRequestUS = 0
	if p.Requests > 0 {
		p.PerRequestUS = p.CPUS / float64(p.Requests) * 1e6
	}
}
