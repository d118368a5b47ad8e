package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"bucketbrigade/internal/manual"
	"bucketbrigade/load"
	"bucketbrigade/load/report"
)

// maxShards is how many shards are tried.
const maxShards = 64

// shardsCommand compares set-ups of this machine by what they carry.
func shardsCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var f loadFlags
	var where localFlags
	fs := manual.New("stress shards", page, stderr)
	addRunFlags(fs, &f, searchFirst, searchDuration)
	addLocalFlags(fs, &where)
	fs.StringVar(&f.json, "json", "", "`file` for the results, for programs; - for standard output")
	counts := fs.String("counts", "0,1,2", "`numbers` of shards to be compared; 0 is one process without state server and nginx")
	most := fs.Int("most", searchMost, "`number` of singers beyond which nothing is tried")
	if err := manual.Parse(fs, args); err != nil {
		return err
	}
	list, err := parseCounts(*counts)
	if err != nil || fs.NArg() > 0 || *most < 1 || *most > load.MaxUsers {
		return manual.Wrong(fs, "want flags only: -counts such as 0,1,2, each 0..%d, and -most of 1..%d", maxShards, load.MaxUsers)
	}
	if err := canWrite(f.json, f.report); err != nil {
		return err
	}
	collectLess()
	out := f.talk(stdout, stderr)
	var all []load.SetUp
	for _, shards := range list {
		found, err := searchLocal(ctx, f, where, shards, *most, out)
		if err != nil {
			return err
		}
		all = append(all, load.SetUp{Shards: shards, Found: found})
	}
	return f.concludeShards(out, stdout, all)
}

// concludeShards tells what was found; it is an error if a set-up carries nobody.
func (f *loadFlags) concludeShards(out, stdout io.Writer, all []load.SetUp) error {
	printCarried(out, all)
	err := errors.Join(
		writeJSON(f.json, stdout, func(w io.Writer) error { return load.WriteSetUps(w, all) }),
		reportCarried(f.report, all),
	)
	for _, s := range all {
		if s.Carries == 0 {
			err = errors.Join(err, fmt.Errorf("%s: %w", setUp(s.Shards), errNothingHeld))
		}
	}
	return err
}

// reportCarried writes a page that compares the set-ups, and shows the best run of
// the one that carries most.
func reportCarried(name string, all []load.SetUp) error {
	var best *load.Result
	var setUps []report.SetUp
	most := -1
	for _, s := range all {
		setUps = append(setUps, report.SetUp{Name: setUp(s.Shards), Found: s.Found})
		if r := shownOf(s.Found); s.Carries > most && r != nil {
			best, most = r, s.Carries
		}
	}
	return writeReport(name, best, setUps...)
}

func parseCounts(text string) (list []int, err error) {
	for item := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(item)
		if err != nil || n < 0 || n > maxShards {
			return nil, fmt.Errorf("%q is no number of shards", item)
		}
		list = append(list, n)
	}
	return list, nil
}

// searchLocal starts one set-up and looks for the largest number that it carries.
func searchLocal(ctx context.Context, f loadFlags, where localFlags, shards, most int, out io.Writer) (found load.Found, err error) {
	l, err := startLocal(ctx, where, shards)
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	fmt.Fprintf(out, "%s:\n", setUp(shards))
	f.urls, f.cfg.Processes = l.url, l.processes
	cfg, err := f.config(time.Now())
	if err != nil {
		return found, err
	}
	found, err = searchShown(ctx, cfg, most, out)
	if err == nil {
		fmt.Fprintln(out, sentence(found))
	}
	return found, err
}

func setUp(shards int) string {
	switch shards {
	case 0:
		return "unsharded"
	case 1:
		return "1 shard"
	}
	return fmt.Sprintf("%d shards", shards)
}

// printCarried is the table.
func printCarried(w io.Writer, all []load.SetUp) {
	fmt.Fprintf(w, "\n%s\n\n", machine())
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "set-up\tsingers\tprocessor, %% of a core\tlimit\n")
	for _, s := range all {
		var used []string
		if best := bestOf(s.Found); best != nil {
			for _, p := range best.Processes {
				used = append(used, fmt.Sprintf("%s %.0f", p.Name, 100*p.CPUS/max(p.SteadyS, 1)))
			}
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\n", setUp(s.Shards), s.Carries, strings.Join(used, ", "), s.Limit)
	}
	table.Flush()
}
