package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"bucketbrigade/internal/cputime"
	"bucketbrigade/internal/manual"
	"bucketbrigade/singer"
)

// unitConfig says what is measured.
type unitConfig struct {
	inner bool // the state server's part alone
	users int
	// voices is how many different ones they have.
	voices int
	// requests is how many are timed each time, at least.
	requests int
}

// unitTimes is how often the result is printed: a first one that differs from
// the others was disturbed.
const unitTimes = 3

// maxUnitUsers bounds -users: each has codecs.
const maxUnitUsers = 10000

func unitCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var cfg unitConfig
	fs := manual.New("stress unit", page, stderr)
	fs.BoolVar(&cfg.inner, "inner", false, "the state server's part alone, without Opus and HTTP")
	fs.IntVar(&cfg.users, "users", 60, "how many `singers` there are, 1 to 10000")
	if err := manual.Parse(fs, args); err != nil {
		return err
	}
	switch {
	case fs.NArg() > 0:
		return manual.Wrong(fs, "argument %q: stress unit takes flags only", fs.Arg(0))
	case cfg.users < 1 || cfg.users > maxUnitUsers:
		return manual.Wrong(fs, "-users %d is not in 1..%d", cfg.users, maxUnitUsers)
	}
	cfg.requests, cfg.voices = 600, 6
	return unit(ctx, cfg, stdout)
}

// unit measures and prints.
func unit(ctx context.Context, cfg unitConfig, stdout io.Writer) error {
	r, err := newUnitRoom(cfg)
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.warm(ctx); err != nil {
		return err
	}
	for range unitTimes {
		each, err := r.time(ctx, cfg.requests)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(stdout, unitLine(each)); err != nil {
			return err
		}
	}
	return nil
}

// unitLine is the line of the old system's benchmark: 0.5 ms is
//
//	0.500 ms each; est 1200 clients
func unitLine(each time.Duration) string {
	each = max(each, 1)
	return fmt.Sprintf("%.3f ms each; est %d clients", float64(each)/float64(time.Millisecond), singer.Pace/each)
}

// time carries out whole rounds, together at least n requests, and gives the
// processor time of one.
func (r *unitRoom) time(ctx context.Context, n int) (time.Duration, error) {
	rounds := max(1, (n+len(r.singers)-1)/len(r.singers))
	var used time.Duration
	for range rounds {
		for i := range r.singers {
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			do := r.prepare(i)
			before := cputime.Process()
			err := do()
			used += cputime.Process() - before
			if err != nil {
				return 0, err
			}
		}
		r.round++
	}
	return used / time.Duration(rounds*len(r.singers)), nil
}
