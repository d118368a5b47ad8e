package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Trial is one run of a search.
type Trial struct {
	Users  int     `json:"users"`
	Result *Result `json:"result"`
}

// Found is what a search has found. As JSON, with the runs in the order in which
// they were made:
//
//	{"carries": 162, "limit": "…", "trials": [{"users": 50, "result": {…}}, …]}
type Found struct {
	// Carries is the largest number that held; 0 if none did.
	Carries int `json:"carries"`
	// Limit says why the smallest number that failed did; "" if none failed.
	Limit  string  `json:"limit"`
	Trials []Trial `json:"trials"`
}

// WriteFound writes it as JSON.
func WriteFound(w io.Writer, f Found) error { return writeJSON(w, f) }

// SetUp is a brigade of this machine and what it carries.
type SetUp struct {
	// Shards is the number of codec shards; 0 is one process without state server
	// and nginx.
	Shards int `json:"shards"`
	Found
}

// WriteSetUps writes a comparison as JSON, a list in the order of list:
//
//	[{"shards": 0, "carries": 162, "limit": "…", "trials": […]}, …]
func WriteSetUps(w io.Writer, list []SetUp) error { return writeJSON(w, list) }

// Search looks for the largest number of singers that holds: it doubles from
// first on until a run fails, then halves the gap until it is a tenth of what
// holds, or until most have held. try runs once; Search itself has no clock.
//
//	first 50:   50 ok   100 ok   200 no   150 ok   175 no   162 ok   -> carries 162
//
// A failed number is not tried again, so one unlucky run makes the answer
// smaller, never larger.
func Search(ctx context.Context, first, most int, try func(ctx context.Context, users int) (*Result, error)) (Found, error) {
	var f Found
	fails := most + 1
	for users := min(first, most); ; users = f.next(users, fails, most) {
		r, err := try(ctx, users)
		if err != nil {
			return f, err
		}
		if ctx.Err() != nil {
			return f, fmt.Errorf("the search was broken off: %d held so far: %w", f.Carries, context.Cause(ctx))
		}
		f.Trials = append(f.Trials, Trial{users, r})
		if r.Verdict.Held {
			f.Carries = users
		} else {
			fails, f.Limit = users, limitOf(r)
		}
		if fails-f.Carries <= max(f.Carries/10, 1) || users == 1 && f.Carries == 0 {
			return f, nil
		}
	}
}

// next is the number to be tried after users; fails is the smallest that failed.
func (f *Found) next(users, fails, most int) int {
	switch {
	case f.Carries == 0:
		return max(users/2, 1)
	case fails > most:
		return min(2*f.Carries, most)
	}
	return (f.Carries + fails) / 2
}

// limitOf says in a line why a run failed.
func limitOf(r *Result) string {
	if r.Verdict.GeneratorLimit {
		return "this generator, not the server: use more machines"
	}
	if len(r.Verdict.Reasons) == 0 {
		return "nothing that was measured"
	}
	return r.Verdict.Reasons[0]
}

// pause lets the users of a run become inactive before the next: five seconds
// and a little.
const pause = 6 * time.Second

// SearchRuns is Search with runs of cfg at cfg.URLs, a pause between two; told is
// called with each run's result.
func SearchRuns(ctx context.Context, cfg Config, first, most int, told func(Trial)) (Found, error) {
	if cfg.Machines > 1 {
		return Found{}, errors.New("a search has one machine: the others would not know what to try next")
	}
	runs := 0
	return Search(ctx, first, most, func(ctx context.Context, users int) (*Result, error) {
		if runs++; runs > 1 && !waitUntil(ctx, time.Now().Add(pause)) {
			return nil, context.Cause(ctx)
		}
		c := cfg
		c.Users = users
		r, err := Run(ctx, c)
		if err == nil {
			told(Trial{users, r})
		}
		return r, err
	})
}
