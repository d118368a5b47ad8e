package load

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bucketbrigade/proto"
)

// runPart runs one machine at a stub, through a file as the command does.
func runPart(t *testing.T, s *stub, machine, machines int, at time.Time) *Result {
	t.Helper()
	r := perform(t, s, Config{
		Users: 20, Duration: 12 * time.Second, Ramp: time.Second, Pilots: -1, Machine: machine, Machines: machines, StartAt: at,
	})
	var file bytes.Buffer
	if err := r.Write(&file); err != nil {
		t.Fatal(err)
	}
	read, err := ReadResult(&file)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// Three machines that are merged have found what one would have.
func TestMergeIsWhatOneMachineFinds(t *testing.T) {
	t.Parallel()
	stall := func(at time.Duration) time.Duration { return max(0, at-10*time.Second) / 20 }
	results := map[int]*Result{}
	for _, machines := range []int{1, 3} {
		var parts []*Result
		for machine := 1; machine <= machines; machine++ {
			synctest.Test(t, func(t *testing.T) {
				s := newStub()
				s.stall = stall
				parts = append(parts, runPart(t, s, machine, machines, time.Now().Add(2*time.Second)))
			})
		}
		var err error
		if results[machines], err = Merge(parts); err != nil {
			t.Fatal(err)
		}
	}
	one, three := results[1], results[3]
	if len(three.Machines) != 3 || three.Machines[2].Number != 3 || len(three.Warnings) != 0 {
		t.Errorf("machines %+v, warnings %q", three.Machines, three.Warnings)
	}
	if fmt.Sprintf("%+v", one.Totals) != fmt.Sprintf("%+v", three.Totals) || one.Totals.Answered == 0 || one.Totals.P90MS < 100 {
		t.Errorf("one found\n%+v, three\n%+v", one.Totals, three.Totals)
	}
	if len(one.Seconds) != len(three.Seconds) || len(one.Seconds) < 12 {
		t.Fatalf("%d and %d seconds", len(one.Seconds), len(three.Seconds))
	}
	for i, a := range one.Seconds {
		b := three.Seconds[i]
		if a.Due != b.Due || a.Answered != b.Answered || a.Connected != b.Connected || a.P99MS != b.P99MS || a.MaxMS != b.MaxMS || a.BytesIn != b.BytesIn {
			t.Errorf("second %d: one found %+v, three %+v", i, a, b)
		}
	}
}

// result is one of a machine that answered n requests in 10 ms.
func result(machine, n int) *Result {
	r := &Result{
		Version:   ResultVersion,
		Setup:     Setup{Users: 10, DurationS: 10, Pace: PaceReal, ObjectiveP99MS: 300, Cores: 4, Pilots: 1},
		Machines:  []Machine{{Number: machine, Of: 2, Host: fmt.Sprint("host", machine), StartClock: 1e9}},
		Totals:    Totals{Due: n, Sent: n, Answered: n, Errors: map[string]int{}},
		Processes: []Process{{Name: fmt.Sprint("generator-", machine), Generator: true, Requests: n, CPUS: 1}},
	}
	for range n {
		r.Latency.Record(10 * time.Millisecond)
	}
	return r
}

func TestMergeSharesRequests(t *testing.T) {
	t.Parallel()
	a, b := result(1, 300), result(2, 100)
	for name, cpu := range map[string]float64{"shard-01": 0.4, "shard-02": 0.4, "state-server": 0.1, "nginx": 0.04} {
		p := Process{Name: name, CPUS: cpu, Requests: 300}
		p.perRequest()
		a.Processes = append(a.Processes, p)
	}
	a.estimate()
	if got := a.Capacity.Parts[1].PerRequestUS; math.Abs(got-0.8/300*1e6) > 1 {
		t.Errorf("alone a request costs the shards %g µs", got)
	}
	whole, err := Merge([]*Result{a, b})
	if err != nil {
		t.Fatal(err)
	}
	// 2000 µs of shards, 250 of the state server and 100 of nginx a request, and
	// each singer has 5/3 requests a second.
	want := "&{Cores:4 Singers:1021 Parts:[{Kind:nginx PerRequestUS:100 SingersPerCore:6000} {Kind:shard PerRequestUS:2000 SingersPerCore:300} {Kind:state-server PerRequestUS:250 SingersPerCore:2400}]}"
	if got := fmt.Sprintf("%+v", whole.Capacity); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if !whole.Verdict.Held || whole.Setup.Pilots != 2 || whole.Latency.Count() != 400 {
		t.Errorf("%+v", whole)
	}
	// The state server has one thread: many cores do not help.
	whole.Setup.Cores = 100
	whole.estimate()
	if whole.Capacity.Singers != 2400 {
		t.Errorf("100 cores carry %d", whole.Capacity.Singers)
	}
}

// Machines that watch the same server do not make it dearer, and the one that did
// so longest is believed.
func TestMergeCountsAProcessOnce(t *testing.T) {
	t.Parallel()
	for _, turned := range []bool{false, true} {
		a, b := result(1, 300), result(2, 100)
		for _, c := range []struct {
			r           *Result
			cpu, steady float64
		}{{a, 0.8, 10}, {b, 0.5, 6}} {
			p := Process{Name: "shard-01", Metrics: "http://x.test/metrics", Machine: c.r.Machines[0].Number, CPUS: c.cpu, SteadyS: c.steady, Requests: 300}
			c.r.Processes = append(c.r.Processes, p)
			c.r.Seconds = []Second{{CPU: map[string]float64{"shard-01": c.cpu, c.r.Processes[0].Name: 0.1}}}
		}
		parts := []*Result{a, b}
		if turned {
			slices.Reverse(parts)
		}
		whole, err := Merge(parts)
		if err != nil {
			t.Fatal(err)
		}
		if len(whole.Processes) != 3 || whole.Processes[2].CPUS != 0.8 || whole.Processes[2].Machine != 1 || len(whole.Warnings) > 0 {
			t.Errorf("%+v, %q", whole.Processes, whole.Warnings)
		}
		if got := fmt.Sprint(whole.Seconds[0].CPU); got != "map[generator-1:0.1 generator-2:0.1 shard-01:0.8]" {
			t.Errorf("in the first second %s", got)
		}
		if p := whole.Capacity.Parts[0].PerRequestUS; p != 2000 {
			t.Errorf("a request costs %g µs, want 2000", p)
		}
	}
}

// Without all machines it was another run.
func TestMergeMissesAMachine(t *testing.T) {
	t.Parallel()
	a, b := result(1, 10), result(2, 10)
	a.Machines[0].Of, b.Machines[0].Of = 3, 3
	whole, err := Merge([]*Result{a, b})
	if err != nil || whole.Verdict.Held || fmt.Sprint(whole.Verdict.Reasons) != "[Only 2 of 3 machines are merged: give the files of all.]" {
		t.Errorf("%v, %+v", err, whole.Verdict)
	}
}

func TestMergeSaysWhatIsOff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(a, b *Result)
		warns string
		err   string
	}{
		{"a clock", func(_, b *Result) { b.Machines[0].ClockAheadMS = 3000 }, "that of machine 2 (host2) is 3000 ms ahead of that of machine 1 (host1)", ""},
		{"a clock within what is known", func(_, b *Result) { b.Machines[0].ClockAheadMS, b.Machines[0].ClockErrorMS = 300, 250 }, "", ""},
		{"a late start", func(_, b *Result) { b.Machines[0].StartClock += 2 * proto.SampleRate }, "Machine 2 started 2s after machine 1", ""},
		{"its own warning", func(a, _ *Result) { a.Warnings = []string{"Something."} }, "Machine 1: Something.", ""},
		{"twice the same", func(_, b *Result) { b.Machines[0].Number = 1 }, "", "machine 1/2 is there twice"},
		{"another number of users", func(_, b *Result) { b.Setup.Users = 11 }, "", "users 10 in one, 11 in another"},
		{"another day", func(_, b *Result) { b.Machines[0].StartClock += 86400 * proto.SampleRate }, "", "start 24h0m0s apart"},
		{"two processes of a name", func(a, b *Result) {
			a.Processes = append(a.Processes, Process{Name: "shard", PID: 7, Machine: 1})
			b.Processes = append(b.Processes, Process{Name: "shard", PID: 8, Machine: 2})
		}, "Machines 1 and 2 watched different processes by the name shard", ""},
	} {
		a, b := result(1, 10), result(2, 10)
		c.spoil(a, b)
		whole, err := Merge([]*Result{a, b})
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: error %v, want one that says %q", c.name, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := strings.Join(whole.Warnings, " "); (got == "") != (c.warns == "") || !strings.Contains(got, c.warns) {
			t.Errorf("%s: warnings %q, want %q", c.name, got, c.warns)
		}
	}
}

func TestClockWarning(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ahead, within float64
		says          string
	}{
		{0, 1, ""}, {99, 0, ""}, {-150, 60, ""},
		{2500, 1, "2500 ms ahead of the server's"}, {-2500, 1, "2500 ms behind the server's"},
	} {
		m := Machine{Host: "h", ClockAheadMS: c.ahead, ClockErrorMS: c.within}
		if got := m.clockWarning(); (got == "") != (c.says == "") || !strings.Contains(got, c.says) {
			t.Errorf("%g ± %g: %q", c.ahead, c.within, got)
		}
	}
}
