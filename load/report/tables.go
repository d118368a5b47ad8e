package report

import (
	"fmt"
	"math"
	"strings"

	"bucketbrigade/load"
)

// table is one with words before and behind it.
type table struct {
	Caption, About, Behind string
	Head                   []string
	Rows                   [][]string
}

// timeTable has a row for each part of the run.
func timeTable(r *series, head []string, row func(span) []string) table {
	t := table{Caption: "Over time", Head: append([]string{"time"}, head...)}
	for _, s := range r.rows {
		t.Rows = append(t.Rows, append([]string{at(s)}, row(s)...))
	}
	return t
}

// tables are those below the figures; empty ones are left out.
func tables(p Page) (list []table) {
	r := p.Result
	for _, t := range []table{processes(r), workers(r), pilots(r), failures(r), machines(r)} {
		if len(t.Rows) > 0 {
			list = append(list, t)
		}
	}
	return list
}

func processes(r *load.Result) table {
	t := table{
		Caption: "Where the processor goes", Head: []string{"process", "seconds", "% of a core", "µs a request"},
		About: "From when all had joined to the end.",
	}
	for _, p := range r.Processes {
		t.Rows = append(t.Rows, []string{p.Name, fmt.Sprintf("%.2f", p.CPUS), number(100 * p.CPUS / max(p.SteadyS, 1e-9)), number(p.PerRequestUS)})
	}
	var parts []string
	if c := r.Capacity; c != nil {
		for _, s := range c.Parts {
			parts = append(parts, fmt.Sprintf("%s %d", s.Kind, s.SingersPerCore))
		}
		parts = []string{fmt.Sprintf("One core carries, in singers: %s. A machine of %d cores would carry about %d by its processors.",
			strings.Join(parts, ", "), c.Cores, c.Singers)}
	}
	if w := r.Weights(); w.Shards > 0 && w.Generator > 0 {
		parts = append(parts, fmt.Sprintf("A singer costs the generator %s %% of a core and the shards %s %%, %s times as much.",
			number(100*w.Generator), number(100*w.Shards), number(w.Shards/w.Generator)))
	}
	t.Behind = strings.Join(parts, " ")
	return t
}

func workers(r *load.Result) table {
	t := table{Caption: "Without pace", Head: []string{"worker", "requests", "ms each", "as many as clients"}}
	for _, w := range r.Workers {
		t.Rows = append(t.Rows, []string{w.Name, fmt.Sprint(w.Requests), number(w.MeanMS), fmt.Sprint(w.EstClients)})
	}
	return t
}

func pilots(r *load.Result) table {
	t := table{
		Caption: "Who heard whom", Head: []string{"pilot", "listener", "heard", "samples late", "score", "verdict"},
		About: "Pilots sing a pattern that the others look for. Who stands behind must hear it, 432 samples late by the codecs alone; who stands before must not.",
	}
	for _, p := range r.Pilots {
		heard, lag, score := "–", "–", "–"
		if p.Expected > 0 {
			heard, lag, score = fmt.Sprintf("%d of %d", p.Heard, p.Expected), fmt.Sprint(p.LagSamples), fmt.Sprint(math.Round(p.Score))
		}
		t.Rows = append(t.Rows, []string{p.Singer, p.Listener, heard, lag, score, p.Verdict})
	}
	t.Behind = r.Coverage() + "."
	return t
}

// mostFailures is how many are listed.
const mostFailures = 100

func failures(r *load.Result) table {
	t := table{Caption: "Failures", Head: []string{"at", "who", "what", "how"}}
	for _, f := range r.Failures[:min(len(r.Failures), mostFailures)] {
		t.Rows = append(t.Rows, []string{fmt.Sprintf("%.2f s", f.AtS), f.Singer, f.Kind, f.Text})
	}
	if more := len(r.Failures) - len(t.Rows) + r.FailuresLeftOut; more > 0 {
		t.Behind = fmt.Sprintf("And %d more.", more)
	}
	return t
}

func machines(r *load.Result) table {
	t := table{Caption: "Machines that sang", Head: []string{"machine", "host", "cores", "singers", "started", "clock"}}
	for _, m := range r.Machines {
		t.Rows = append(t.Rows, []string{
			fmt.Sprintf("%d of %d", m.Number, m.Of), m.Host, fmt.Sprint(m.Cores), fmt.Sprint(m.Singers),
			m.Start.UTC().Format("2006-01-02 15:04:05 UTC"), fmt.Sprintf("%+.0f ms", m.ClockAheadMS),
		})
	}
	return t
}
