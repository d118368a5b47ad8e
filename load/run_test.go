package load

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bucketbrigade/proto"
)

// perform runs at a stub.
func perform(t *testing.T, s *stub, cfg Config) *Result {
	t.Helper()
	cfg.URLs, cfg.Transport, cfg.batches = []string{"http://brigade.test/"}, s, 2
	if cfg.Scenario == nil {
		cfg.Scenario = quiet("")
	}
	r, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range s.faults {
		t.Error(f)
	}
	return r
}

func TestRunKeepsThePace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		r := perform(t, s, Config{Users: 10, Duration: 12 * time.Second, Ramp: 3 * time.Second, Pilots: -1})
		if !r.Verdict.Held || r.Totals.Connections != 10 || r.Totals.LateSends != 0 {
			t.Errorf("%+v %+v", r.Verdict, r.Totals)
		}
		plan := Plan{r.Machines[0].Start, 10, 3 * time.Second, 1, 1}
		for i := range 10 {
			join := plan.Join(i)
			posts := s.of(plan.User(i))
			for k, q := range posts {
				at, want := q["at"], Due(join, k).Sub(s.start).Milliseconds()
				if at != fmt.Sprint(want) {
					t.Errorf("singer %d, request %d: at %s ms, due at %d", i, k, at, want)
				}
				if q["body"] == "0" != (k == 0) || q["user_summary"] == "" != (k == 0) || q["cookie"] != "brigade=c00k1e" {
					t.Errorf("singer %d, request %d: %v", i, k, q)
				}
			}
			if next := Due(join, len(posts)); next.Before(plan.Start.Add(12 * time.Second)) {
				t.Errorf("singer %d: no request at %v", i, next)
			}
		}
		var due, answered int
		for _, sec := range r.Seconds {
			due, answered = due+sec.Due, answered+sec.Answered
		}
		if due != len(s.posts) || answered != due || r.Totals.Due != due || r.Latency.Count() != int64(due) || r.Seconds[5].Connected != 10 {
			t.Errorf("%d requests, %d due, %d answered, %+v", len(s.posts), due, answered, r.Totals)
		}
		if r.Totals.MaxMS < 4 || r.Totals.MaxMS > 4.1 {
			t.Errorf("latency up to %g ms, want 4", r.Totals.MaxMS)
		}
	})
}

// A server that answers nothing for half a second, each five seconds: who would
// have sung in it waits for its end, and a tenth of the time is a tenth of the
// requests. Had each request waited for the one before, or had latency been
// counted from when it left, 99 of 100 would look well.
func TestStallIsSeen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		s.stall = func(at time.Duration) time.Duration {
			at -= 100 * time.Millisecond // a little after the second
			if into := at % (5 * time.Second); into < 500*time.Millisecond && at > 5*time.Second {
				return 500*time.Millisecond - into
			}
			return 0
		}
		r := perform(t, s, Config{Users: 40, Duration: 31 * time.Second, Ramp: time.Second, Pilots: -1})
		if r.Verdict.Held || r.Totals.P99MS < 430 || r.Totals.P99MS > 505 || r.Totals.P50MS > 10 || len(r.Totals.Errors) > 0 {
			t.Errorf("p50 %g, p99 %g, %+v", r.Totals.P50MS, r.Totals.P99MS, r.Verdict)
		}
		for _, sec := range r.Seconds {
			stalled := sec.Second >= 5 && sec.Second%5 == 0
			if stalled != (sec.MaxMS > 300) {
				t.Errorf("second %d: up to %g ms", sec.Second, sec.MaxMS)
			}
			if sec.Second > 2 && sec.Second < 30 && (sec.Due < 64 || sec.Due > 69 || sec.Sent != sec.Due) {
				t.Errorf("second %d: %d requests due, %d sent: the stall has changed the schedule", sec.Second, sec.Due, sec.Sent)
			}
		}
		if !strings.Contains(strings.Join(r.Verdict.Reasons, " "), "the objective is 300") {
			t.Errorf("reasons %q", r.Verdict.Reasons)
		}
	})
}

// A stall that lasts longer than four requests is an error, and the requests
// that were given up count with the time that they had waited. The list of failures
// ends where it shall, and says so.
func TestTooSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		s.stall = func(at time.Duration) time.Duration {
			if at > 5*time.Second && at < 6*time.Second {
				return time.Minute
			}
			return 0
		}
		r := perform(t, s, Config{Users: 10, Duration: 15 * time.Second, Ramp: time.Second, Pilots: -1, ListedFailures: 4})
		if r.Totals.Errors[KindTooSlow] != 10 || r.Totals.Connections != 20 || r.Totals.MaxMS < 2390 {
			t.Errorf("%+v", r.Totals)
		}
		if f := r.Failures[0]; f.Kind != KindTooSlow || !strings.HasPrefix(f.Singer, "singer 00") || f.AtS < 7 || f.AtS > 8.5 {
			t.Errorf("%+v", f)
		}
		if len(r.Failures) != 4 || r.FailuresLeftOut != 6 {
			t.Errorf("%d failures are listed and %d left out, want 4 and 6", len(r.Failures), r.FailuresLeftOut)
		}
	})
}

func TestFailures(t *testing.T) {
	t.Parallel()
	nine := 9
	for _, c := range []struct {
		name   string
		change func(n int, m *proto.Metadata) int
		kind   string
		says   string
		moves  int
	}{
		{"refused", func(int, *proto.Metadata) int { return 503 }, "status 503", "status 503", 0},
		{"clocks", func(int, *proto.Metadata) int { return 409 }, KindDesync, "status 409", 0},
		{"another shift", func(_ int, m *proto.Metadata) int { m.ClientReadClock++; return 200 }, KindDesync, "99 behind the request, it was 100", 0},
		{"another length", func(_ int, m *proto.Metadata) int { m.Samples--; return 200 }, KindMalformed, "packets of 28800 samples came", 0},
		{"no list", func(_ int, m *proto.Metadata) int { m.Chats = nil; return 200 }, KindMalformed, "the list events or chats", 0},
		{"moved", func(_ int, m *proto.Metadata) int { m.DelaySeconds = &nine; return 200 }, "", "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newStub()
				n := 0
				s.change = func(q map[string]string, m *proto.Metadata) int {
					if n++; n == 5 {
						return c.change(n, m)
					}
					return 200
				}
				r := perform(t, s, Config{Users: 1, Duration: 9 * time.Second, Pilots: -1})
				if c.kind != "" && (len(r.Failures) != 1 || r.Failures[0].Kind != c.kind || !strings.Contains(r.Failures[0].Text, c.says) || r.Totals.Errors[c.kind] != 1) {
					t.Errorf("failures %+v, %v", r.Failures, r.Totals.Errors)
				}
				if c.kind == "" && len(r.Failures) > 0 || r.Verdict.Held != (c.kind == "") {
					t.Errorf("%+v, %+v", r.Verdict, r.Failures)
				}
				if r.Totals.Connections != 2 || r.Totals.Moves != c.moves || s.posts[5]["reset_user_state"] != "true" {
					t.Errorf("%+v; after it %v", r.Totals, s.posts[5])
				}
				var read proto.Clock
				fmt.Sscan(s.posts[5]["read_clock"], &read)
				var at int
				fmt.Sscan(s.posts[5]["at"], &at)
				want := 3
				if c.moves > 0 {
					want = 9
				}
				if behind := proto.ClockAt(s.start.Add(time.Duration(at) * time.Millisecond)).Sub(read); behind < want*proto.SampleRate-200 || behind > want*proto.SampleRate+200 {
					t.Errorf("reads %d samples behind, want %d s", behind, want)
				}
			})
		})
	}
}

func TestScenarioIsCarriedOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		r := perform(t, s, Config{Users: 20, Duration: 30 * time.Second, Ramp: time.Second, Pilots: 2, Scenario: quiet(
			`, "spectators": 0.3, "muted": 0.3, "turn_s": 12,
			"turn": [{"at_s": 0, "do": "lead"}, {"at_s": 2, "do": "start"}, {"at_s": 4, "do": "reconnect"}, {"at_s": 8, "do": "halt"}],
			"leave": {"share": 1, "every_s": 20, "away_s": 6}`)})
		if len(r.Failures) > 0 {
			t.Errorf("%+v", r.Failures)
		}
		wishes := map[string][]string{}
		spectators, muted := 0, 0
		plan := Plan{Start: r.Machines[0].Start}
		for i := range 20 {
			posts := s.of(plan.User(i))
			for _, q := range posts {
				for _, wish := range []string{"request_lead", "mark_start_singing", "mark_stop_singing"} {
					if q[wish] != "" {
						wishes[wish] = append(wishes[wish], fmt.Sprint(i))
					}
				}
			}
			switch last := posts[len(posts)-1]; {
			case last["muted"] != "":
				muted++
			case last["spectator"] != "":
				spectators++
				if last["body"] != "0" || last["write_clock"] != "" {
					t.Errorf("a spectator sends %v", last)
				}
			}
		}
		// Three turns, the last of which ends before somebody halts.
		want := "map[mark_start_singing:[0 0 1] mark_stop_singing:[0 1] request_lead:[0 0 1]]"
		if got := fmt.Sprint(wishes); got != want {
			t.Errorf("wishes %s, want %s", got, want)
		}
		if spectators < 2 || muted < 2 {
			t.Errorf("%d spectators, %d muted of 20", spectators, muted)
		}
		// Three storms of all who are there; each but the pilots leaves once or twice.
		if c := r.Totals.Connections; c < 20+2*14+18 || c > 20+3*20+2*18 {
			t.Errorf("%d connections", c)
		}
	})
}

func TestCrowdAtMachines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		cfg := Config{Users: 9, Duration: 5 * time.Second, Pilots: -1, Machine: 2, Machines: 2, StartAt: time.Now().Add(3 * time.Second)}
		r := perform(t, s, cfg)
		m := r.Machines[0]
		if m.Singers != 4 || m.Agreed != StartByServer || m.StartClock.Time().Sub(cfg.StartAt).Abs() > time.Millisecond || m.ClockErrorMS != 2 || m.ClockAheadMS < -3 || m.ClockAheadMS > 3 {
			t.Errorf("%+v", m)
		}
		for _, q := range s.posts {
			if q["username"] != "singer 0001" && q["username"] != "singer 0003" && q["username"] != "singer 0005" && q["username"] != "singer 0007" {
				t.Errorf("%s sings", q["username"])
			}
		}
		cfg.URLs, cfg.Transport = []string{"http://brigade.test"}, s
		cfg.StartAt = time.Now().Add(-time.Second)
		if _, err := Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "too late to start") {
			t.Errorf("started in the past: %v", err)
		}
	})
}

func TestBrokenOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		r, err := Run(ctx, Config{URLs: []string{"http://brigade.test"}, Users: 5, Duration: time.Minute, Transport: s, Scenario: quiet(""), batches: 2})
		if err != nil || r.Verdict.Held || len(r.Failures) > 0 || !strings.Contains(r.Verdict.Reasons[0], "broken off after 4.0 s") {
			t.Errorf("%v, %+v, %+v", err, r.Verdict, r.Failures)
		}
	})
}

// Without pace a server that answers in 4 ms has 150 singers for each who asks.
func TestWithoutPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		r, err := RunClosed(t.Context(), Config{
			URLs: []string{"http://brigade.test"}, Users: 2, Duration: 5 * time.Second, Transport: s, Scenario: quiet(""), batches: 2,
		})
		if err != nil || len(r.Failures) > 0 || len(s.faults) > 0 || !r.Verdict.Held || r.Setup.Pace != PaceNone {
			t.Fatalf("%v, %+v, %q, %+v", err, r.Failures, s.faults, r.Verdict)
		}
		for _, w := range r.Workers {
			if w.EstClients < 149 || w.EstClients > 150 || w.Requests < 1150 || w.MeanMS < 4 || w.MeanMS > 4.1 {
				t.Errorf("%+v", w)
			}
		}
		starts := 0
		for _, q := range s.posts {
			if q["mark_start_singing"] != "" {
				starts++
			}
		}
		if starts != 1 {
			t.Errorf("%d songs were started", starts)
		}
	})
}

// A request that leaves 200 ms late, by the generator's own fault, and is answered
// within 4 ms has kept its singer waiting for 204.
func TestLatencyCountsFromDue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		r := &run{cfg: Config{URLs: []string{"http://brigade.test"}, Users: 1, Transport: s, Scenario: quiet(""), Pilots: -1, batches: 2}}
		if err := r.cfg.Check(); err != nil {
			t.Fatal(err)
		}
		var err error
		if r.library, err = newLibrary(r.cfg.Voices, "", r.cfg.batches); err != nil {
			t.Fatal(err)
		}
		if err := r.agree(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.gather(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		m := r.members[0]
		m.renew()
		m.eager = true
		now := time.Now()
		m.launch(ctx, now.Add(-200*time.Millisecond), now)
		if <-m.news; m.fate != nil {
			t.Error(m.fate.err)
		}
		cancel()
		m.posts.Wait()
		result := &Result{}
		r.rec.fill(result)
		result.judge()
		if ms := result.Totals.MaxMS; ms < 203.9 || ms > 204.3 || result.Totals.LateSends != 1 || !result.Verdict.GeneratorLimit || len(result.Warnings) != 1 {
			t.Errorf("%+v, %+v, %q", result.Totals, result.Verdict, result.Warnings)
		}
	})
}

// A long run is kept in steps, so that it does not grow without end.
func TestLongRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var last Snapshot
		r := perform(t, newStub(), Config{
			Users: 1, Duration: 2 * time.Hour, Ramp: time.Second, Pilots: -1,
			Progress: func(s Snapshot) { last = s },
		})
		if r.Setup.StepS != 4 || len(r.Seconds) < 1800 || len(r.Seconds) > 1801 || r.Seconds[7].Second != 28 {
			t.Fatalf("%d steps of %d s", len(r.Seconds), r.Setup.StepS)
		}
		if s := r.Seconds[1000]; s.Due < 6 || s.Due > 7 || s.Answered != s.Due || s.P50MS < 4 || s.P50MS > 4.1 {
			t.Errorf("%+v", s)
		}
		if r.Totals.RatePerS < 1.66 || r.Totals.RatePerS > 1.67 {
			t.Errorf("%g a second, want 5/3", r.Totals.RatePerS)
		}
		if last.Step != 4*time.Second || last.Last.Second != 7192 || last.Last.Answered < 6 {
			t.Errorf("the last snapshot is of %v: %+v", last.At, last.Last)
		}
	})
	for _, c := range []struct{ duration, step time.Duration }{
		{time.Second, time.Second}, {30 * time.Minute, time.Second}, {30*time.Minute + 1, 2 * time.Second}, {24 * time.Hour, maxStepS * time.Second},
	} {
		if got := (&Config{Duration: c.duration}).step(); got != c.step {
			t.Errorf("steps of %v in %v, want %v", got, c.duration, c.step)
		}
	}
}

// After a storm each asks at a time of his own as before; only those who were
// answered in the same moment ask in step.
func TestStorms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		do       string
		together bool
	}{{"reconnect", false}, {"together", true}} {
		synctest.Test(t, func(t *testing.T) {
			s := newStub()
			r := perform(t, s, Config{Users: 20, Duration: 12 * time.Second, Ramp: time.Second, Pilots: -1, Scenario: quiet(
				`, "turn_s": 100, "turn": [{"at_s": 3.5, "do": "` + c.do + `"}]`)})
			if r.Totals.Connections != 40 || len(r.Failures) > 0 {
				t.Errorf("%s: %d connections of 20 singers, %v", c.do, r.Totals.Connections, r.Failures)
			}
			// The clock is asked for a second time from 6 s on.
			first, last := time.Hour, time.Duration(0)
			for _, at := range s.gets {
				if at > 4*time.Second {
					first, last = min(first, at), max(last, at)
				}
			}
			if first < 6*time.Second || last > 6625*time.Millisecond || (last-first < time.Millisecond) != c.together {
				t.Errorf("%s: clocks are asked for at %v to %v", c.do, first, last)
			}
			phases := map[string]bool{}
			for i := range 20 {
				posts := s.of(Plan{Start: r.Machines[0].Start}.User(i))
				var at int
				fmt.Sscan(posts[len(posts)-1]["at"], &at)
				phases[fmt.Sprint(at%600)] = true
			}
			if c.together != (len(phases) == 1) || !c.together && len(phases) < 20 {
				t.Errorf("%s: %d different phases of 20 singers", c.do, len(phases))
			}
		})
	}
}

// Who mutes sends silence, says so, and sings again after that.
func TestMuting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		r := perform(t, s, Config{
			Users: 6, Duration: 30 * time.Second, Ramp: time.Second, Pilots: 1, Voices: map[string]float64{KindSung: 1},
			Scenario: quiet(`, "mute": {"share": 1, "every_s": 20, "for_s": 6}`),
		})
		for i := range 6 {
			muted, changes, before := 0, 0, ""
			for _, q := range s.of(Plan{Start: r.Machines[0].Start}.User(i))[1:] {
				if q["muted"] != before {
					changes++
				}
				if before = q["muted"]; before != "" {
					muted++
					if q["spectator"] == "" {
						t.Errorf("singer %d: muted, and no spectator: %v", i, q)
					}
				}
				// Sung packets are of a hundred bytes and more, ten a request.
				var size int
				if fmt.Sscan(q["body"], &size); (size < 400) != (before != "") {
					t.Errorf("singer %d: %d bytes, muted %q", i, size, before)
				}
			}
			if pilot := i == 0; pilot != (muted == 0) || !pilot && (muted < 10 || muted > 20 || changes < 2) {
				t.Errorf("singer %d was muted in %d requests, %d changes", i, muted, changes)
			}
		}
	})
}
