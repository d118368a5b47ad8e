package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"bucketbrigade/load"
)

// printStart says what begins.
func printStart(w io.Writer, cfg load.Config) {
	fmt.Fprintf(w, "%d singers at %s for %v, scenario %s", cfg.Users, strings.Join(cfg.URLs, ", "), cfg.Duration, cfg.Scenario.Name)
	if cfg.Machines > 1 {
		fmt.Fprintf(w, "; machine %d of %d", cfg.Machine, cfg.Machines)
	}
	if !cfg.StartAt.IsZero() {
		fmt.Fprintf(w, "; from %s on by the server's clock", cfg.StartAt.Format("15:04:05 MST"))
	}
	fmt.Fprintln(w)
}

// printProgress is one line.
func printProgress(w io.Writer, s load.Snapshot) {
	if s.Last == nil {
		return
	}
	fmt.Fprintf(w, "%4.0f s  %5d singers  %6.0f/s  p50 %5.0f ms  p99 %5.0f ms  %d errors\n",
		s.At.Seconds(), s.Connected, rateOf(s), s.Last.P50MS, s.Last.P99MS, sumOf(s.Totals.Errors))
}

func sumOf(counts map[string]int) (sum int) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

// printResult tells people what was found.
func printResult(w io.Writer, r *load.Result) {
	t := r.Totals
	fmt.Fprintf(w, "\n%d requests due, %d sent, %d answered; %.0f a second; %d connections, %d songs\n",
		t.Due, t.Sent, t.Answered, t.RatePerS, t.Connections, t.Songs)
	fmt.Fprintf(w, "latency from due   p50 %.0f ms, p90 %.0f, p99 %.0f, p99.9 %.0f, max %.0f\n", t.P50MS, t.P90MS, t.P99MS, t.P999MS, t.MaxMS)
	fmt.Fprintf(w, "connecting         p50 %.0f ms, p99 %.0f, max %.0f; %d requests were due meanwhile\n", t.ConnectP50MS, t.ConnectP99MS, t.ConnectMaxMS, t.Unconnected)
	fmt.Fprintf(w, "the generator      p99 %.1f ms late, %d of %d requests more than 50 ms\n",
		float64(r.Lateness.At(99))/float64(time.Millisecond), t.LateSends, t.Sent)
	for _, kind := range slices.Sorted(maps.Keys(t.Errors)) {
		fmt.Fprintf(w, "errors             %d × %s\n", t.Errors[kind], kind)
	}
	printFailures(w, r)
	printPilots(w, r)
	printProcesses(w, r)
	printWorkers(w, r)
	for _, text := range r.Warnings {
		fmt.Fprintf(w, "warning: %s\n", text)
	}
	if r.Verdict.Held {
		fmt.Fprintf(w, "\nThe objective held: no errors, p99 within %.0f ms, %s.\n", r.Setup.ObjectiveP99MS, r.Coverage())
		return
	}
	fmt.Fprintf(w, "\nThe objective did not hold.")
	if len(r.Voices) > 0 {
		fmt.Fprintf(w, " %s.", r.Coverage())
	}
	fmt.Fprintln(w)
	for _, text := range r.Verdict.Reasons {
		fmt.Fprintf(w, "  %s\n", text)
	}
}

func printFailures(w io.Writer, r *load.Result) {
	const most = 10
	for i, f := range r.Failures {
		if i == most {
			fmt.Fprintf(w, "  … and %d more\n", len(r.Failures)-most+r.FailuresLeftOut)
			break
		}
		fmt.Fprintf(w, "  %7.2f s  %s (%d): %s: %s\n", f.AtS, f.Singer, f.User, f.Kind, f.Text)
	}
}

func printPilots(w io.Writer, r *load.Result) {
	if len(r.Pilots) == 0 {
		return
	}
	fmt.Fprintf(w, "\n")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "pilot\tlistener\theard\tlag\tscore\tcorrelation\t\n")
	for _, p := range r.Pilots {
		heard := fmt.Sprintf("%d of %d\t%d\t%.0f\t%.3f", p.Heard, p.Expected, p.LagSamples, p.Score, p.Corr)
		if p.Expected == 0 {
			heard = "\t\t\t"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", p.Singer, p.Listener, heard, p.Verdict)
	}
	table.Flush()
}

func printProcesses(w io.Writer, r *load.Result) {
	fmt.Fprintf(w, "\n")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "process\tCPU s\t%% of a core\tµs a request\t\n")
	for _, p := range r.Processes {
		share := 0.0
		if p.SteadyS > 0 {
			share = 100 * p.CPUS / p.SteadyS
		}
		fmt.Fprintf(table, "%s\t%.2f\t%.1f\t%.0f\t\n", p.Name, p.CPUS, share, p.PerRequestUS)
	}
	table.Flush()
	if c := r.Capacity; c != nil {
		var parts []string
		for _, s := range c.Parts {
			parts = append(parts, fmt.Sprintf("%s %d", s.Kind, s.SingersPerCore))
		}
		fmt.Fprintf(w, "one core carries, in singers: %s; %d cores carry about %d\n", strings.Join(parts, ", "), c.Cores, c.Singers)
	}
	if c := r.Weights(); c.Generator > 0 && c.Shards > 0 {
		fmt.Fprintf(w, "a singer costs the generator %.3f %% of a core, the shards %.3f %%, %.1f times as much\n", 100*c.Generator, 100*c.Shards, c.Shards/c.Generator)
	}
}

func printWorkers(w io.Writer, r *load.Result) {
	if len(r.Workers) == 0 {
		return
	}
	total := 0
	for _, k := range r.Workers {
		fmt.Fprintf(w, "%s: %d requests, %.2f ms each: est %d clients\n", k.Name, k.Requests, k.MeanMS, k.EstClients)
		total += k.EstClients
	}
	fmt.Fprintf(w, "total: est %d clients\n", total)
}
