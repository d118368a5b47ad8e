package load

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// reconnecting runs 20 singers who all reconnect after some 5 s, at a server whose
// clock takes so long from then on.
func reconnecting(t *testing.T, clock time.Duration) *Result {
	s := newStub()
	s.late.from, s.late.by = 4*time.Second, clock
	return perform(t, s, Config{Users: 20, Duration: 30 * time.Second, Ramp: time.Second, Pilots: -1, Scenario: quiet(
		`, "turn_s": 100, "turn": [{"at_s": 3, "do": "reconnect"}]`)})
}

// What was due while a singer waited for his connection was due, and is as late as
// what follows it.
func TestSlowConnectionsAreSeen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		clock    time.Duration
		missed   int // by each singer
		kind     string
		p99, max float64 // at least, in ms
		says     string
	}{
		{500 * time.Millisecond, 0, "", 0, 0, ""},
		{time.Second, 1, "", 590, 590, "connections took up to 1004 ms to be made, 900 are allowed"},
		{5 * time.Second, 8, KindTooSlow, 4000, 4790, "20 × too slow"},
		// None comes in time: he asks anew a second after each, until the run is over.
		{10 * time.Second, 38, KindClock, 9000, 10900, "× clock"},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := reconnecting(t, c.clock)
			n := r.Totals
			// Each has 48 to 50 requests in 30 s, whatever the server does.
			if n.Unconnected < 20*c.missed || n.Unconnected > 22*c.missed || n.Due-n.Sent != n.Unconnected || n.Due < 20*47 || n.Due > 20*50 {
				t.Errorf("a clock after %v: %d missed of %d due, %d sent; want %d", c.clock, n.Unconnected, n.Due, n.Sent, 20*c.missed)
			}
			if n.P99MS < c.p99 || n.MaxMS < c.max || c.missed == 0 && n.P99MS > 10 || r.Latency.Count() != int64(n.Due) {
				t.Errorf("a clock after %v: p99 %g, max %g ms, %d latencies of %d", c.clock, n.P99MS, n.MaxMS, r.Latency.Count(), n.Due)
			}
			if r.Verdict.Held != (c.missed == 0) || !strings.Contains(strings.Join(r.Verdict.Reasons, " "), c.says) {
				t.Errorf("a clock after %v: %+v", c.clock, r.Verdict)
			}
			if c.kind != "" && n.Errors[c.kind] < 20 || c.kind == "" && len(r.Failures) > 0 {
				t.Errorf("a clock after %v: %v", c.clock, n.Errors)
			}
			if c.kind != KindClock && (n.ConnectMaxMS < milliseconds(c.clock) || n.ConnectMaxMS > milliseconds(c.clock)+6) {
				t.Errorf("a clock after %v: a connection took %g ms", c.clock, n.ConnectMaxMS)
			}
		})
	}
}

// frozen is a server that answers nothing any more after some seconds.
func frozen(after time.Duration) *stub {
	s := newStub()
	s.stall = func(at time.Duration) time.Duration {
		if at > after {
			return time.Hour
		}
		return 0
	}
	return s
}

// A run ends in its time when the server does not answer any more, and says so of
// each singer.
func TestFrozenServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := frozen(5 * time.Second)
		r := perform(t, s, Config{Users: 10, Duration: 12 * time.Second, Ramp: time.Second, Pilots: -1})
		if took := s.since(); took > 12*time.Second+grace+100*time.Millisecond {
			t.Errorf("a run of 12 s took %v", took)
		}
		if n := r.Totals; r.Verdict.Held || n.Errors[KindTooSlow] != 10 || n.Errors[KindClock] != 10 || n.MaxMS < 2390 || n.Due < 10*18 {
			t.Errorf("%+v, %+v", r.Verdict, n)
		}
		for _, f := range r.Failures {
			if f.Kind == KindClock && !strings.Contains(f.Text, "no answer within") {
				t.Errorf("%+v", f)
			}
		}
	})
}

// Without pace, too.
func TestFrozenServerWithoutPace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		duration, breakOff, most time.Duration
		failures                 int
	}{
		{5 * time.Second, time.Hour, 5*time.Second + grace, 2},
		{20 * time.Second, time.Hour, 20*time.Second + grace, 4}, // an answer, then the clock
		{time.Minute, 4 * time.Second, 4 * time.Second, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := frozen(2 * time.Second)
			ctx, cancel := context.WithTimeout(t.Context(), c.breakOff)
			defer cancel()
			r, err := RunClosed(ctx, Config{
				URLs: []string{"http://brigade.test"}, Users: 2, Duration: c.duration, Transport: s, Scenario: quiet(""), batches: 2,
			})
			if err != nil {
				t.Fatal(err)
			}
			if took := s.since(); took > c.most+100*time.Millisecond {
				t.Errorf("%v, broken off after %v: it took %v", c.duration, c.breakOff, took)
			}
			broken := c.breakOff < c.duration
			if r.Verdict.Held || len(r.Failures) != c.failures || broken != strings.Contains(r.Verdict.Reasons[0], "broken off after 4.0 s") {
				t.Errorf("%v, broken off after %v: %+v, %+v", c.duration, c.breakOff, r.Verdict, r.Failures)
			}
		})
	}
}
