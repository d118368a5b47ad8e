package load

import (
	"context"
	"fmt"
	"slices"
	"testing"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		first, most, carries int // what the server carries
		want                 int
		tries                []int
	}{
		{50, 10000, 170, 162, []int{50, 100, 200, 150, 175, 162}},
		{50, 10000, 49, 46, []int{50, 25, 37, 43, 46}},
		{50, 120, 1000, 120, []int{50, 100, 120}},
		{200, 100, 1000, 100, []int{100}},
		{4, 100, 0, 0, []int{4, 2, 1}},
		{1, 100, 1, 1, []int{1, 2}},
	} {
		var tries []int
		f, err := Search(t.Context(), c.first, c.most, func(_ context.Context, users int) (*Result, error) {
			tries = append(tries, users)
			r := &Result{Verdict: Verdict{Held: users <= c.carries}}
			if !r.Verdict.Held {
				r.Verdict.Reasons = []string{fmt.Sprintf("%d are too many.", users)}
			}
			return r, nil
		})
		if err != nil || f.Carries < c.want-3 || f.Carries > c.carries || len(f.Trials) != len(tries) {
			t.Errorf("%+v: carries %d, %v; tried %v", c, f.Carries, err, tries)
		}
		if !slices.Equal(tries, c.tries) {
			t.Errorf("%+v: tried %v", c, tries)
		}
		if (f.Limit == "") != (c.carries >= c.most) {
			t.Errorf("%+v: limit %q", c, f.Limit)
		}
	}
}

func TestSearchIsBrokenOff(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	f, err := Search(ctx, 10, 1000, func(_ context.Context, users int) (*Result, error) {
		if users > 10 {
			cancel()
		}
		return &Result{Verdict: Verdict{Held: true}}, nil
	})
	if err == nil || f.Carries != 10 {
		t.Errorf("carries %d, %v", f.Carries, err)
	}
}
