package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"bucketbrigade/internal/manual"
	"bucketbrigade/load"
	"bucketbrigade/load/report"
)

const (
	// searchFirst and searchDuration are what a search begins with: long enough
	// for a song that bucket 3 hears.
	searchFirst    = 50
	searchDuration = 25 * time.Second
	searchMost     = 10_000
)

// errNothingHeld is for a search whose smallest number was too large.
var errNothingHeld = errors.New("not even one singer was carried")

// maxCommand looks for the largest number of singers.
func maxCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var f loadFlags
	fs := manual.New("stress max", page, stderr)
	addLoadFlags(fs, &f)
	addRunFlags(fs, &f, searchFirst, searchDuration)
	most := fs.Int("most", searchMost, "`number` of singers beyond which nothing is tried")
	if err := manual.Parse(fs, args); err != nil {
		return err
	}
	cfg, err := f.config(time.Now())
	switch {
	case err != nil:
		return manual.Wrong(fs, "%v", err)
	case fs.NArg() > 0:
		return manual.Wrong(fs, "argument %q: stress max takes flags only", fs.Arg(0))
	case *most < 1 || *most > load.MaxUsers:
		return manual.Wrong(fs, "-most %d is not in 1..%d", *most, load.MaxUsers)
	case cfg.Machines > 1 || f.pace != load.PaceReal:
		return manual.Wrong(fs, "stress max has one machine and real pace")
	}
	if err := canWrite(f.json, f.report); err != nil {
		return err
	}
	collectLess()
	out := f.talk(stdout, stderr)
	found, err := searchShown(ctx, cfg, *most, out)
	if err != nil {
		return err
	}
	if err := errors.Join(
		writeJSON(f.json, stdout, func(w io.Writer) error { return load.WriteFound(w, found) }),
		writeReport(f.report, shownOf(found), report.SetUp{Name: "this set-up", Found: found}),
	); err != nil {
		return err
	}
	if best := bestOf(found); best != nil {
		printProcesses(out, best)
	}
	fmt.Fprintln(out, sentence(found))
	if found.Carries == 0 {
		return errNothingHeld
	}
	return nil
}

// searchShown searches, and shows how each run stands if out is a terminal.
func searchShown(ctx context.Context, cfg load.Config, most int, out io.Writer) (load.Found, error) {
	shown := newLive(out, cfg, os.Getenv)
	if shown.width != nil {
		cfg.Progress = shown.show
	}
	return load.SearchRuns(ctx, cfg, cfg.Users, most, func(t load.Trial) {
		shown.erase()
		printTrial(out, t)
	})
}

// sentence says what was found.
func sentence(f load.Found) string {
	if f.Limit == "" {
		return fmt.Sprintf("carries %d singers; more were not tried", f.Carries)
	}
	return fmt.Sprintf("carries %d singers; the limit was %s", f.Carries, f.Limit)
}

// bestOf is the result of the largest run that held; nil if none did.
func bestOf(f load.Found) *load.Result {
	for _, t := range f.Trials {
		if t.Users == f.Carries {
			return t.Result
		}
	}
	return nil
}

// printTrial is one line a run.
func printTrial(w io.Writer, t load.Trial) {
	text := "held"
	if !t.Result.Verdict.Held {
		text = "did not hold"
		for _, reason := range t.Result.Verdict.Reasons {
			text += ": " + reason
			break
		}
	}
	if t.Result.Verdict.GeneratorLimit {
		text += " (the generator was itself late)"
	}
	fmt.Fprintf(w, "%5d singers  p50 %4.0f ms  p99 %5.0f ms  %d errors  %s\n",
		t.Users, t.Result.Totals.P50MS, t.Result.Totals.P99MS, sumOf(t.Result.Totals.Errors), text)
}
