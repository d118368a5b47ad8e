package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"bucketbrigade/internal/manual"
	"bucketbrigade/load"
)

// loadFlags are those of a load run.
type loadFlags struct {
	cfg      load.Config
	pace     load.Pacing
	scenario string
	voices   string
	urls     string
	machine  string
	startAt  string
	json     string
	report   string
}

// addLoadFlags defines those of a run at a site somewhere.
func addLoadFlags(fs *flag.FlagSet, f *loadFlags) {
	fs.StringVar(&f.urls, "url", "", "`address` of the site or of its API; several, with commas between, are taken in turns")
	fs.Func("pid", "processes to look at, as `NAME=PID,…`, such as shard-01=812,state-server=810,nginx=830", func(text string) error {
		list, err := parsePIDs(text)
		f.cfg.Processes = append(f.cfg.Processes, list...)
		return err
	})
	fs.Func("metrics", "processes to look at by what they tell at their metrics address, as `NAME=ADDR,…`, such as shard-01=127.0.0.1:7201", func(text string) error {
		list, err := parseMetrics(text)
		f.cfg.Processes = append(f.cfg.Processes, list...)
		return err
	})
	fs.StringVar(&f.json, "json", "", "`file` for the result, for programs; - for standard output")
	fs.IntVar(&f.cfg.ListedFailures, "failures", 0, "`number` of failures of each kind that -json lists one by one; more are counted only (default 50)")
	fs.TextVar(&f.pace, "pace", load.PaceReal, "`real`, or none: each asks again as soon as he is answered")
	fs.StringVar(&f.machine, "machine", "1/1", "`k/n`: this is machine k of n that do the same")
	fs.StringVar(&f.startAt, "start-at", "", "`time` to start at by the server's clock: 20:15, 20:15:30, or with date and zone as 2026-05-01T20:15:00+02:00")
}

// addRunFlags defines those of every run.
func addRunFlags(fs *flag.FlagSet, f *loadFlags, users int, duration time.Duration) {
	f.pace, f.machine = load.PaceReal, "1/1"
	fs.IntVar(&f.cfg.Users, "users", users, "`number` of singers, of all machines together; the first number that a search tries")
	fs.DurationVar(&f.cfg.Duration, "duration", duration, "how `long` a run is")
	fs.DurationVar(&f.cfg.Ramp, "ramp", 0, "in which `time` they join (default 20ms a singer, at most a quarter of the run)")
	fs.StringVar(&f.report, "report", "", "`file` for a page with plots, for people: out.html")
	fs.StringVar(&f.scenario, "scenario", "choir", "what they do: "+strings.Join(load.Scenarios(), ", ")+", or a `file`")
	fs.StringVar(&f.voices, "voices", "", "`mix` such as sung=50,room=30, one kind of sung, spoken, room and silence, or a folder of WAV files (default: the scenario's)")
	fs.DurationVar(&f.cfg.LookGap, "look", 0, "`time` from one look for a pilot's voice to the next: shorter finds a lost voice sooner and takes 15 ms of a processor each (default 1s)")
	fs.IntVar(&f.cfg.Pilots, "pilots", 0, "`number` of singers who are listened for; -1 for none (default a tenth, 3 to 8)")
	fs.DurationVar(&f.cfg.ObjectiveP99, "p99", load.DefaultObjective, "the `latency` that 99 of 100 requests must keep below")
	fs.IntVar(&f.cfg.Cores, "cores", 0, "`cores` of the machine to estimate for (default: those of this one)")
}

// parsePIDs reads NAME=PID,….
func parsePIDs(text string) ([]load.NamedProcess, error) {
	var list []load.NamedProcess
	for item := range strings.SplitSeq(text, ",") {
		name, number, _ := strings.Cut(item, "=")
		pid, err := strconv.Atoi(number)
		if err != nil || pid < 1 || name == "" {
			return nil, fmt.Errorf("%q is not NAME=PID", item)
		}
		list = append(list, load.NamedProcess{Name: name, PID: pid})
	}
	return list, nil
}

// parseMetrics reads NAME=ADDR,…; of an address without a path /metrics is asked.
func parseMetrics(text string) ([]load.NamedProcess, error) {
	var list []load.NamedProcess
	for item := range strings.SplitSeq(text, ",") {
		name, addr, _ := strings.Cut(item, "=")
		if !strings.Contains(addr, "://") {
			addr = "http://" + addr
		}
		u, err := url.Parse(addr)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Port() == "" || name == "" {
			return nil, fmt.Errorf("%q is not NAME=HOST:PORT", item)
		}
		if strings.Trim(u.Path, "/") == "" {
			u.Path = "/metrics"
		}
		list = append(list, load.NamedProcess{Name: name, Metrics: u.String()})
	}
	return list, nil
}

// config makes the run's configuration of what was parsed, and checks it. What was
// not given is still left out, as what a search with other numbers of singers needs.
func (f *loadFlags) config(now time.Time) (load.Config, error) {
	cfg := f.cfg
	if f.urls != "" {
		cfg.URLs = strings.Split(f.urls, ",")
	}
	k, n, _ := strings.Cut(f.machine, "/")
	var err, errN error
	cfg.Machine, err = strconv.Atoi(k)
	cfg.Machines, errN = strconv.Atoi(n)
	if err != nil || errN != nil || cfg.Machine < 1 || cfg.Machine > cfg.Machines {
		return cfg, fmt.Errorf("-machine %q: want k/n, such as 1/3 for the first of three", f.machine)
	}
	if cfg.StartAt, err = parseStart(f.startAt, now); err != nil {
		return cfg, err
	}
	if cfg.Scenario, err = openScenario(f.scenario); err != nil {
		return cfg, err
	}
	if cfg.Voices, cfg.Folder, err = parseVoices(f.voices); err != nil {
		return cfg, err
	}
	checked := cfg
	return cfg, checked.Check()
}

// parseStart reads a time; one without a date is the next such one, in the zone
// of now.
func parseStart(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		clock, err := time.ParseInLocation(layout, text, now.Location())
		if err != nil {
			continue
		}
		at := time.Date(now.Year(), now.Month(), now.Day(), clock.Hour(), clock.Minute(), clock.Second(), 0, now.Location())
		// A minute ago is a mistake that is worth a word, not a day to wait.
		if now.Sub(at) > time.Hour {
			at = at.AddDate(0, 0, 1)
		}
		return at, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("-start-at %q: want 20:15, 20:15:30 or 2026-05-01T20:15:00+02:00", text)
	}
	return at, nil
}

// openScenario finds one that ships, or reads a file.
func openScenario(name string) (*load.Scenario, error) {
	if !strings.ContainsAny(name, "./") {
		return load.ShippedScenario(name)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	defer file.Close()
	return load.ParseScenario(strings.TrimSuffix(filepath.Base(name), ".json"), file)
}

// parseVoices reads a mix, or takes a folder.
func parseVoices(text string) (mix map[string]float64, folder string, err error) {
	if text == "" {
		return nil, "", nil
	}
	if text == "mixed" {
		return load.Mixed(), "", nil
	}
	if info, err := os.Stat(text); err == nil && info.IsDir() {
		return nil, text, nil
	}
	mix = map[string]float64{}
	for item := range strings.SplitSeq(text, ",") {
		kind, share, given := strings.Cut(item, "=")
		if !given {
			share = "1"
		}
		if mix[kind], err = strconv.ParseFloat(share, 64); err != nil {
			return nil, "", fmt.Errorf("-voices %q: want a mix such as sung=50,room=30, or a folder", text)
		}
	}
	return mix, "", load.CheckVoices(mix)
}

// errNotHeld is a run's verdict when the objective did not hold.
var errNotHeld = errors.New("the objective did not hold: see above")

// collectLess lets the collector run at five times of what is in use instead of
// twice: singers use little, and what they cost should be the server's. It is for
// commands that do nothing else.
func collectLess() { debug.SetGCPercent(400) }

// talk is where is told what goes on: standard output, unless the result for
// programs goes there.
func (f *loadFlags) talk(stdout, stderr io.Writer) io.Writer {
	if f.json == "-" {
		return stderr
	}
	return stdout
}

// loadCommand is stress without a subcommand.
func loadCommand(ctx context.Context, fs *flag.FlagSet, f *loadFlags, stdout, stderr io.Writer) error {
	cfg, err := f.config(time.Now())
	if err != nil {
		return manual.Wrong(fs, "%v", err)
	}
	if err := canWrite(f.json, f.report); err != nil {
		return err
	}
	collectLess()
	out := f.talk(stdout, stderr)
	var result *load.Result
	if f.pace == load.PaceNone {
		result, err = load.RunClosed(ctx, cfg)
	} else {
		cfg.Progress = newLive(out, cfg, os.Getenv).show
		printStart(out, cfg)
		result, err = load.Run(ctx, cfg)
	}
	if err != nil {
		return err
	}
	printResult(out, result)
	if err := errors.Join(writeJSON(f.json, stdout, result.Write), writeReport(f.report, result)); err != nil {
		return err
	}
	if !result.Verdict.Held {
		return errNotHeld
	}
	return nil
}

// writeJSON writes a result for programs, if anybody wants it.
func writeJSON(name string, stdout io.Writer, write func(io.Writer) error) error {
	switch name {
	case "":
		return nil
	case "-":
		return write(stdout)
	}
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("the result: %w", err)
	}
	return errors.Join(write(file), file.Close())
}
