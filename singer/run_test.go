package singer

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bucketbrigade/proto"
)

// diary is what a running singer told, with the time since the stub was made.
type diary struct {
	heard  []proto.Clock
	failed []error
	lines  []string
}

// run lets a singer sing at the stub for a time and checks that nothing of it
// is left.
func run(t *testing.T, s *stub, cfg Config, how time.Duration, ask func() url.Values) *diary {
	t.Helper()
	d := &diary{}
	note := func(format string, args ...any) {
		d.lines = append(d.lines, fmt.Sprintf("%v ", time.Since(s.start))+fmt.Sprintf(format, args...))
	}
	cfg.URL, cfg.User, cfg.Transport = "http://brigade.test/", 7, s
	who := New(cfg)
	ctx, cancel := context.WithTimeout(t.Context(), how)
	defer cancel()
	who.Run(ctx, Events{
		Heard: func(a *Answer) {
			d.heard = append(d.heard, a.Metadata.ClientReadClock)
			note("heard")
		},
		Ask:    ask,
		Failed: func(err error) { d.failed = append(d.failed, err); note("failed") },
		Moved:  func(offset int) { note("moved to %d", offset) },
	})
	if got := time.Since(s.start); got != how {
		t.Errorf("ran for %v, want %v", got, how)
	}
	if s.underway != 0 {
		t.Errorf("%d requests are under way after the end", s.underway)
	}
	return d
}

// times are when requests were sent.
func times(requests []seen) []time.Duration {
	list := make([]time.Duration, len(requests))
	for i, r := range requests {
		list[i] = r.at
	}
	return list
}

// ms makes durations.
func ms(list ...int) []time.Duration {
	d := make([]time.Duration, len(list))
	for i, n := range list {
		d[i] = time.Duration(n) * time.Millisecond
	}
	return d
}

func TestRunKeepsThePace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		s.rtt = 100 * time.Millisecond
		s.answer = func(int) reply { return reply{delay: 50 * time.Millisecond} }
		d := run(t, s, Config{}, 3200*time.Millisecond, nil)
		gets, posts := s.seen()
		if got := times(posts); len(gets) != 1 || !slices.Equal(got, ms(700, 1300, 1900, 2500, 3100)) {
			t.Errorf("%d clock requests, requests at %v", len(gets), got)
		}
		// The last answer comes at 3150 ms.
		if len(d.heard) != 5 || len(d.failed) != 0 {
			t.Errorf("heard %d answers, failed %v", len(d.heard), d.failed)
		}
	})
}

func TestPlaceholdersUntilTheFirstAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		s.answer = func(int) reply { return reply{delay: 700 * time.Millisecond, shift: 100} }
		run(t, s, Config{}, 3700*time.Millisecond, nil)
		_, posts := s.seen()
		if len(posts) != 6 {
			t.Fatalf("%d requests, want 6", len(posts))
		}
		for k, p := range posts {
			if silent := k < 2; silent != (len(p.body) == 0) || silent == p.has("write_clock") || silent == p.has("user_summary") {
				t.Errorf("request %d: %d bytes, %v", k+1, len(p.body), p.query)
			}
			if p.has("reset_user_state") != (k == 0) {
				t.Errorf("request %d: reset_user_state %q", k+1, p.query.Get("reset_user_state"))
			}
		}
		// The third asks for 856 000 + 3 * 28 800.
		if got := posts[2].query.Get("write_clock"); got != "882300" {
			t.Errorf("the first write_clock is %s, want 942400 - 100 - 60000 = 882300", got)
		}
	})
}

func TestTwoRequestsBetweenTwoAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		s.answer = func(k int) reply {
			if k == 2 {
				return reply{delay: 900 * time.Millisecond}
			}
			return reply{}
		}
		run(t, s, Config{Spectator: true}, 3100*time.Millisecond, nil)
		_, posts := s.seen()
		var told []bool
		for _, p := range posts {
			if p.has("user_summary") != p.has("spectator") {
				t.Errorf("flags %v", p.query)
			}
			told = append(told, p.has("spectator"))
		}
		if want := []bool{false, true, false, true, true}; !slices.Equal(told, want) {
			t.Errorf("told of itself: %v, want %v: the third goes before the second was answered", told, want)
		}
	})
}

func TestAnswersAreTakenInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		s.answer = func(k int) reply { return reply{delay: ms(0, 1500, 100, 50, 0, 0)[k]} }
		d := run(t, s, Config{}, 3100*time.Millisecond, nil)
		want := []proto.Clock{884800, 913600, 942400, 971200, 1000000}
		if !slices.Equal(d.heard, want) || len(d.failed) != 0 {
			t.Errorf("heard %v, want %v; failed %v", d.heard, want, d.failed)
		}
		if got := strings.Join(d.lines, ", "); got != "2.1s heard, 2.1s heard, 2.1s heard, 2.4s heard, 3s heard" {
			t.Errorf("heard at %s", got)
		}
	})
}

func TestTooSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		s.answer = func(int) reply { return reply{delay: time.Minute} }
		d := run(t, s, Config{}, 5*time.Second, nil)
		gets, posts := s.seen()
		if len(d.failed) != 1 || !errors.Is(d.failed[0], ErrTooSlow) || d.lines[0] != "3s failed" {
			t.Errorf("failed %v, %v; want too slow at the fifth request due, at 3 s", d.failed, d.lines)
		}
		if got := times(posts); !slices.Equal(got, ms(600, 1200, 1800, 2400, 4600)) {
			t.Errorf("requests at %v", got)
		}
		if got := times(gets); !slices.Equal(got, ms(0, 4000)) {
			t.Errorf("clock requests at %v", got)
		}
		if last := posts[4]; !last.has("reset_user_state") || last.query.Get("read_clock") != "1076800" {
			t.Errorf("after the connection was given up: %v", last.query)
		}
	})
}

func TestAnAnswerInTimeIsNotTooSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		s.answer = func(int) reply { return reply{delay: 4*Pace - time.Millisecond} }
		d := run(t, s, Config{Spectator: true}, 20*time.Second, nil)
		if len(d.failed) != 0 || len(d.heard) != 29 {
			t.Errorf("heard %d, failed %v", len(d.heard), d.failed)
		}
	})
}

func TestMoved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		nowhere, nine := 0, 9
		s.answer = func(k int) reply {
			switch k {
			case 1:
				return reply{moved: &nowhere}
			case 2:
				return reply{delay: 700 * time.Millisecond, moved: &nine}
			case 3:
				return reply{delay: 200 * time.Millisecond}
			}
			return reply{}
		}
		d := run(t, s, Config{}, 3200*time.Millisecond, nil)
		gets, posts := s.seen()
		if got := strings.Join(d.lines, ", "); got != "600ms heard, 1.9s heard, 1.9s moved to 9, 2.5s heard, 3.1s heard" {
			t.Errorf("%s", got)
		}
		if got := times(gets); !slices.Equal(got, ms(0, 1900)) {
			t.Errorf("clock requests at %v: moving is at once", got)
		}
		fresh := posts[3]
		if fresh.at != 2500*time.Millisecond || !fresh.has("reset_user_state") || len(fresh.body) != 0 || fresh.has("user_summary") {
			t.Errorf("the first request from the new place: %v at %v", fresh.query, fresh.at)
		}
		// 1 000 000 and 1.9 s, less 9 s, and one batch.
		if got := fresh.query.Get("read_clock"); got != "688000" {
			t.Errorf("read_clock %s, want 1091200 - 432000 + 28800 = 688000", got)
		}
	})
}

func TestFailedConnectsAgainASecondLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		s.clock = func(n int) *reply {
			if n == 2 {
				return &reply{status: 502}
			}
			return nil
		}
		s.answer = func(k int) reply {
			if k == 2 {
				return reply{status: 503, message: "away"}
			}
			return reply{}
		}
		d := run(t, s, Config{}, 3900*time.Millisecond, nil)
		gets, posts := s.seen()
		if got := strings.Join(d.lines, ", "); got != "600ms heard, 1.2s failed, 2.2s failed, 3.8s heard" {
			t.Errorf("%s", got)
		}
		if got := times(gets); !slices.Equal(got, ms(0, 2200, 3200)) {
			t.Errorf("clock requests at %v", got)
		}
		var status *HTTPError
		if len(d.failed) != 2 || !errors.As(d.failed[0], &status) || status.Status != 503 || status.Message != "away" {
			t.Errorf("failed %v", d.failed)
		}
		if !posts[2].has("reset_user_state") || posts[1].has("reset_user_state") {
			t.Errorf("requests %v, %v: only the first of a connection starts afresh", posts[1].query, posts[2].query)
		}
	})
}

func TestALateRequestDoesNotDelayTheNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		asked := 0
		run(t, s, Config{Offset: 18, Spectator: true}, 4300*time.Millisecond, func() url.Values {
			if asked++; asked == 2 {
				busy := time.NewTimer(1500 * time.Millisecond)
				<-busy.C
			}
			return url.Values{"bpm": {fmt.Sprint(asked)}}
		})
		_, posts := s.seen()
		if got := times(posts); !slices.Equal(got, ms(600, 2700, 2700, 2700, 3000, 3600, 4200)) {
			t.Errorf("requests at %v", got)
		}
		// Those that leave together may overtake each other.
		slices.SortFunc(posts, func(a, b seen) int { return strings.Compare(a.query.Get("read_clock"), b.query.Get("read_clock")) })
		for k, p := range posts {
			if got := p.query.Get("bpm"); got != fmt.Sprint(k+1) {
				t.Errorf("request %d: bpm %s", k+1, got)
			}
		}
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		adjust func(*stub)
	}{
		{"while it asks for the clock", func(s *stub) { s.rtt = time.Minute }},
		{"with requests under way", func(s *stub) { s.answer = func(int) reply { return reply{delay: 2 * time.Second} } }},
		{"while it waits to connect again", func(s *stub) { s.clock = func(int) *reply { return &reply{status: 500} } }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newStub()
				c.adjust(s)
				d := run(t, s, Config{}, 2500*time.Millisecond, nil)
				for _, err := range d.failed {
					if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("the end was told as a failure: %v", err)
					}
				}
			})
		})
	}
}
