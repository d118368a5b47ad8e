package load

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"bucketbrigade/proto"
)

// Merge makes one result of those of several machines. Histograms are added, so
// percentiles are those of all requests together, not means of means. Results of
// different runs, or twice the same machine, are an error; a machine that is
// missing fails the verdict. A process that several machines have watched, by its
// name, counts once. parts is not changed.
func Merge(parts []*Result) (*Result, error) {
	if len(parts) == 0 {
		return nil, errors.New("nothing to merge")
	}
	first := parts[0]
	whole := &Result{
		Version: ResultVersion, Setup: first.Setup, Warnings: []string{}, Pilots: []Pair{}, Voices: []Voice{}, Processes: []Process{}, Failures: []Failure{},
		Totals: Totals{Errors: map[string]int{}},
	}
	whole.Setup.Pilots = 0
	start := first.Machines[0].StartClock
	for _, p := range parts {
		if err := sameRun(first, p); err != nil {
			return nil, err
		}
		for _, m := range p.Machines {
			start = min(start, m.StartClock)
		}
	}
	seen := map[string]*Result{}
	for _, p := range parts {
		whole.watchOnce(p, seen)
	}
	for _, p := range parts {
		if err := whole.add(p, start, seen); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(whole.Machines, func(a, b Machine) int { return cmp.Compare(a.Number, b.Number) })
	slices.SortStableFunc(whole.Failures, func(a, b Failure) int { return cmp.Compare(a.AtS, b.AtS) })
	slices.SortFunc(whole.Voices, func(a, b Voice) int { return cmp.Compare(a.Singer, b.Singer) })
	slices.SortFunc(whole.Processes, func(a, b Process) int { return cmp.Compare(a.Name, b.Name) })
	for i := range whole.Seconds {
		whole.Seconds[i].percentiles()
	}
	whole.Totals.percentiles(&whole.Latency, &whole.Connects)
	whole.shareRequests()
	whole.compareClocks()
	whole.judge()
	whole.missMachines()
	return whole, nil
}

// watchOnce keeps in seen which part tells of each of the servers' processes: of
// several that have watched it the one that did so longest. A name is one process.
func (r *Result) watchOnce(p *Result, seen map[string]*Result) {
	for i := range p.Processes {
		mine := &p.Processes[i]
		if mine.Generator {
			continue
		}
		other := seen[mine.Name]
		if other == nil {
			seen[mine.Name] = p
			continue
		}
		theirs := other.process(mine.Name)
		if mine.PID != theirs.PID && mine.PID > 0 && theirs.PID > 0 {
			r.Warnings = append(r.Warnings, fmt.Sprintf("Machines %d and %d watched different processes by the name %s, and one of them is counted: give each a name of its own, such as shard-01 and shard-02.",
				theirs.Machine, mine.Machine, mine.Name))
		}
		if mine.SteadyS > theirs.SteadyS {
			seen[mine.Name] = p
		}
	}
}

// process is the server's of a name; nil if there is none.
func (r *Result) process(name string) *Process {
	for i := range r.Processes {
		if p := &r.Processes[i]; p.Name == name && !p.Generator {
			return p
		}
	}
	return nil
}

// missMachines says which machines are missing: without them it was another run.
func (r *Result) missMachines() {
	if n := r.Machines[0].Of; len(r.Machines) < n {
		r.Verdict.Held = false
		r.Verdict.Reasons = append(r.Verdict.Reasons, fmt.Sprintf("Only %d of %d machines are merged: give the files of all.", len(r.Machines), n))
	}
}

// sameRun finds what says that two results are not of one run.
func sameRun(a, b *Result) error {
	for _, c := range []struct {
		what   string
		av, bv any
	}{
		{"users", a.Setup.Users, b.Setup.Users},
		{"seconds", a.Setup.DurationS, b.Setup.DurationS},
		{"seconds a step", a.Setup.StepS, b.Setup.StepS},
		{"pace", a.Setup.Pace, b.Setup.Pace},
		{"scenario", a.Setup.Scenario, b.Setup.Scenario},
		{"machines", a.Machines[0].Of, b.Machines[0].Of},
		{"objective", a.Setup.ObjectiveP99MS, b.Setup.ObjectiveP99MS},
	} {
		if c.av != c.bv {
			return fmt.Errorf("results of different runs: %s %v in one, %v in another; give all machines the same command but for -machine", c.what, c.av, c.bv)
		}
	}
	if apart := a.Machines[0].StartClock.Sub(b.Machines[0].StartClock); apart < -maxApart || apart > maxApart {
		return fmt.Errorf("results of different runs: they start %v apart", proto.SamplesDuration(apart).Abs().Round(time.Millisecond))
	}
	return nil
}

// maxApart is how far apart the machines of one run may have started.
const maxApart = 60 * proto.SampleRate

// add takes a part in; start is the beginning of the whole, seen what watchOnce
// found.
func (r *Result) add(p *Result, start proto.Clock, seen map[string]*Result) error {
	for _, m := range p.Machines {
		if slices.ContainsFunc(r.Machines, func(have Machine) bool { return have.Number == m.Number }) {
			return fmt.Errorf("machine %d/%d is there twice", m.Number, m.Of)
		}
	}
	r.Machines = append(r.Machines, p.Machines...)
	late := p.Machines[0].StartClock.Sub(start)
	step := proto.DurationSamples(r.Setup.Step())
	shift := (late + step/2) / step
	counts := func(process string) bool { return seen[process] == nil || seen[process] == p }
	r.addSeconds(p.Seconds, shift, counts)
	r.Totals.add(&p.Totals)
	r.Latency.Merge(p.Latency)
	r.Connects.Merge(p.Connects)
	r.Lateness.Merge(p.Lateness)
	for _, f := range p.Failures {
		f.AtS += float64(late) / proto.SampleRate
		r.Failures = append(r.Failures, f)
	}
	r.FailuresLeftOut += p.FailuresLeftOut
	r.Pilots = append(r.Pilots, p.Pilots...)
	r.Voices = append(r.Voices, p.Voices...)
	for _, q := range p.Processes {
		if q.Generator || counts(q.Name) {
			r.Processes = append(r.Processes, q)
		}
	}
	r.Workers = append(r.Workers, p.Workers...)
	r.InterruptedS = max(r.InterruptedS, p.InterruptedS)
	r.Setup.Pilots += p.Setup.Pilots
	for _, w := range p.Warnings {
		r.Warnings = append(r.Warnings, fmt.Sprintf("Machine %d: %s", p.Machines[0].Number, w))
	}
	return nil
}

// addSeconds adds a part's seconds, each shift later, with the processors of those
// processes that count.
func (r *Result) addSeconds(seconds []Second, shift int, counts func(process string) bool) {
	for i, s := range seconds {
		for len(r.Seconds) <= i+shift {
			r.Seconds = append(r.Seconds, Second{Second: len(r.Seconds) * max(r.Setup.StepS, 1), Errors: map[string]int{}, CPU: map[string]float64{}})
		}
		t := &r.Seconds[i+shift]
		t.Due += s.Due
		t.Sent += s.Sent
		t.Answered += s.Answered
		t.Connected += s.Connected
		t.BytesIn += s.BytesIn
		t.BytesOut += s.BytesOut
		t.Latency.Merge(s.Latency)
		addCounts(t.Errors, s.Errors)
		for name, used := range s.CPU {
			if counts(name) {
				t.CPU[name] += used
			}
		}
	}
}

func addCounts(sum, more map[string]int) {
	for kind, n := range more {
		sum[kind] += n
	}
}

func (t *Totals) add(o *Totals) {
	t.Due += o.Due
	t.Sent += o.Sent
	t.Answered += o.Answered
	t.Unconnected += o.Unconnected
	addCounts(t.Errors, o.Errors)
	t.Connections += o.Connections
	t.Moves += o.Moves
	t.Songs = max(t.Songs, o.Songs)
	t.LateSends += o.LateSends
	t.BytesIn += o.BytesIn
	t.BytesOut += o.BytesOut
}

// shareRequests gives the servers' processes the answers to all machines.
func (r *Result) shareRequests() {
	all := 0
	for _, p := range r.Processes {
		if p.Generator {
			all += p.Requests
		}
	}
	for i := range r.Processes {
		if p := &r.Processes[i]; !p.Generator {
			p.Requests = all
			p.perRequest()
		}
	}
}

// clockWarning says of a machine that its clock is off, "" if it is not.
func (m *Machine) clockWarning() string {
	off := math.Abs(m.ClockAheadMS)
	if off <= milliseconds(clockTolerance)+m.ClockErrorMS {
		return ""
	}
	way := "ahead of"
	if m.ClockAheadMS < 0 {
		way = "behind"
	}
	return fmt.Sprintf("The clock of %s is %.0f ms %s the server's (known to within %.0f ms).", m.Host, off, way, m.ClockErrorMS)
}

// compareClocks says whose clocks differ, and who did not start with the others.
func (r *Result) compareClocks() {
	ahead := func(a, b Machine) int { return cmp.Compare(a.ClockAheadMS, b.ClockAheadMS) }
	fast, slow := slices.MaxFunc(r.Machines, ahead), slices.MinFunc(r.Machines, ahead)
	if apart := fast.ClockAheadMS - slow.ClockAheadMS; apart > milliseconds(clockTolerance)+fast.ClockErrorMS+slow.ClockErrorMS {
		r.Warnings = append(r.Warnings, fmt.Sprintf("The clocks of the machines differ: that of machine %d (%s) is %.0f ms ahead of that of machine %d (%s).",
			fast.Number, fast.Host, apart, slow.Number, slow.Host))
	}
	started := func(a, b Machine) int { return cmp.Compare(a.StartClock, b.StartClock) }
	early, late := slices.MinFunc(r.Machines, started), slices.MaxFunc(r.Machines, started)
	if apart := proto.SamplesDuration(late.StartClock.Sub(early.StartClock)); apart > clockTolerance {
		r.Warnings = append(r.Warnings, fmt.Sprintf("Machine %d started %v after machine %d.", late.Number, apart.Round(time.Millisecond), early.Number))
	}
}
