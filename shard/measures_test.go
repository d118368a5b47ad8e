package shard

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/state"
)

// Each 409 there is is counted by its reason: the texts that are looked for are
// those that are written.
func TestDesyncsAreCountedByReason(t *testing.T) {
	t.Parallel()
	local, err := state.NewLocal(state.Settings{Now: func() proto.Clock { return now }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := testContext(t)
	done := make(chan struct{})
	go func() { defer close(done); _ = local.Run(ctx) }()
	defer func() { cancel(); <-done; local.Close() }()
	adjust := func(c *Config) { c.ReorderWait = 10 * time.Millisecond }
	shard, restarted := newTestServer(t, local, adjust), newTestServer(t, local, adjust)
	early := now.Add(-10 * proto.SampleRate)
	wrote := func(c proto.Clock) map[string][]string { return map[string][]string{"write_clock": {c.String()}} }
	for _, c := range []struct {
		reason string
		user   int
		read   proto.Clock
		extra  map[string][]string
	}{
		{"", 1, early, nil},
		{"missing", 1, early.Add(4 * batch), nil},
		{"", 2, early, nil},
		{"repeated", 2, early, nil},
		{"", 3, early, wrote(early)},
		{"gap", 3, early.Add(batch), wrote(early.Add(3 * batch))},
		{"too_old", 4, early.Add(-2 * proto.RingSamples), nil},
		{"gap_at_state", 1, early.Add(9 * batch), nil},
	} {
		s, want := shard, 0
		if c.reason == "gap_at_state" {
			s = restarted // which knows nothing of the singer
		}
		before := s.Stats().Desyncs
		w := ask(s, http.MethodPost, target(c.user, c.read, batch, c.extra), nil)
		if c.reason != "" {
			want = 1
		}
		if (w.Code == 409) != (want == 1) {
			t.Errorf("%q: status %d %s", c.reason, w.Code, w.Body)
		}
		for reason, n := range s.Stats().Desyncs {
			if grown := n - before[reason]; reason == c.reason && grown != 1 || reason != c.reason && grown != 0 {
				t.Errorf("want %q: %q has grown by %d, by %s", c.reason, reason, grown, w.Body)
			}
		}
	}
}

func TestOddTimingIsCountedAndLoggedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wait := 99 * time.Millisecond
		b := &stub{clock: now, hold: func(proto.Query) { <-time.After(wait) }}
		s := newHandlerOnly(b)
		s.time.boot = func() time.Duration { return 0 }
		var log bytes.Buffer
		s.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
		sing := func(k int) { ask(s, http.MethodPost, target(7, now.Add(k*batch), batch, nil), nil) }
		sing(0)
		wait = 101 * time.Millisecond
		sing(1)
		sing(2)
		wait = 601 * time.Millisecond
		sing(3)
		s.time.refresh(t.Context())
		b.clock = b.clock.Add(proto.SampleRate / 20)
		s.time.refresh(t.Context())
		b.clock = b.clock.Add(-proto.SampleRate)
		s.time.refresh(t.Context())
		for range 3 {
			s.housekeep(t.Context(), 1)
		}
		s.asking.Wait()
		want := `level=WARN msg="odd timing" late_answer=1 late_answer_worst=601ms slow_call=3 slow_call_worst=601ms clock_jump=1 clock_jump_worst=1s` + "\n"
		if got := log.String(); !strings.HasSuffix(got, want) || strings.Count(got, "\n") != 1 {
			t.Errorf("logged %s, want %s", got, want)
		}
		odd := s.Stats().OddTiming
		if odd["late_answer"] != 1 || odd["slow_call"] != 3 || odd["clock_jump"] != 1 {
			t.Errorf("counted %v", odd)
		}
	})
}

func TestCallsAreCountedByOutcome(t *testing.T) {
	t.Parallel()
	var fail, refuse error
	b := &stub{clock: now, fail: func() error { return fail }, refuse: func(proto.Query) error { return refuse }}
	s := newTestServer(t, b, nil)
	for i, c := range []struct {
		outcome, code string
		fail, refuse  error
	}{
		{"answered", "200", nil, nil},
		{"refused", "429", nil, proto.Refuse(429, "full")},
		{"refused", "other", nil, proto.Refuse(418, "a teapot, of a foreign state server")},
		{"timed_out", "503", proto.Refuse(503, "away"), nil},
		{"failed", "502", proto.Refuse(502, "nonsense"), nil},
	} {
		fail, refuse = c.fail, c.refuse
		before := s.Stats()
		ask(s, http.MethodPost, target(100+i, now, batch, nil), nil)
		after := s.Stats()
		for outcome, calls := range after.Calls {
			was := before.Calls[outcome]
			if grown := calls.Count() - was.Count(); (grown == 1) != (outcome == c.outcome) {
				t.Errorf("%v: %s has grown by %d", c, outcome, grown)
			}
		}
		for code, n := range after.Answers {
			if grown := n - before.Answers[code]; (grown == 1) != (code == c.code) {
				t.Errorf("%v: %s has grown by %d", c, code, grown)
			}
		}
	}
}

// Not parallel: it counts all allocations there are.
func TestCountingAllocatesNothing(t *testing.T) {
	s := newHandlerOnly(&stub{clock: now})
	refusal := proto.Refuse(409, "read_clock 1 with 2 samples is 3 samples off the last, 4")
	ctx := t.Context()
	var req proto.Request
	req.Kind = proto.KindClock
	var ans proto.Answer
	if n := testing.AllocsPerRun(100, func() {
		began := time.Now()
		s.measures.answered(200)
		s.measures.refused(refusal)
		s.leaveCoder(&s.measures.decode, s.takeCoder())
		_ = s.backend.Call(ctx, &req, &ans)
		s.measures.request(s.measures.requests.Since(began), &s.tally)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// What a request's counting takes, all together.
func BenchmarkCounting(b *testing.B) {
	s := newHandlerOnly(backendFunc(func(*proto.Request, *proto.Answer) error { return nil }))
	var req proto.Request
	var ans proto.Answer
	for b.Loop() {
		began := time.Now()
		s.measures.answered(200)
		s.leaveCoder(&s.measures.decode, s.takeCoder())
		s.leaveCoder(&s.measures.encode, s.takeCoder())
		_ = s.backend.Call(b.Context(), &req, &ans)
		s.measures.request(s.measures.requests.Since(began), &s.tally)
	}
}
