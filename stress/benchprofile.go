package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// profileEnv names the folder for profiles of shards to the benchmarks of e2e.
const profileEnv = "BRIGADE_PROFILE"

// profile is a run that looks where the processor time of one line goes. What it
// measures does not count: to be looked at costs a little.
type profile struct {
	title string
	run   benchRun
	// file is what it leaves in the folder of profiles: a shard's, which e2e
	// names, or with ofTest that of the test's own process.
	file   string
	ofTest bool
}

// profiles are of lines that are near their goals, or beyond.
var profiles = []profile{
	{title: "Shard, shared", run: benchRun{"e2e", "^BenchmarkShard$/^shared$", "1x", 1}, file: "BenchmarkShard-shared-shared.prof"},
	{title: "Whole system, shared, sung: the shard", run: benchRun{"e2e", "^BenchmarkSystem$/^sung$", "1x", 1},
		file: "BenchmarkSystem-sung-shared60.prof"},
	{title: "RPC with audio, spinning: the side that calls", run: benchRun{"shm", "^BenchmarkRPC$/^audio$", "3s", 1},
		file: "rpc.prof", ofTest: true},
}

// top is where the time of a profile goes, as pprof prints it.
type top struct{ title, text string }

// topLines is how many functions of a profile are shown.
const topLines = 10

// takeProfiles takes all of cfg. Where one fails the others still come.
func takeProfiles(ctx context.Context, cfg benchConfig, stderr io.Writer) (tops []top, failed error) {
	dir, err := filepath.Abs(filepath.Join(cfg.raw, "profiles"))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, p := range cfg.profiles {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		fmt.Fprintf(stderr, "== profile of %s %s\n", p.run.pkg, p.run.bench)
		text, err := p.take(ctx, cfg, dir)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("profile of %s in %s: %w", p.run.bench, p.run.pkg, err))
			continue
		}
		tops = append(tops, top{p.title, text})
	}
	return tops, failed
}

// take runs the benchmark of p and gives what pprof says of it.
func (p profile) take(ctx context.Context, cfg benchConfig, dir string) (string, error) {
	file := filepath.Join(dir, p.file)
	args := p.run.args(1)
	if p.ofTest {
		last := len(args) - 1
		args = append(args[:last:last], "-cpuprofile", file, "-o", filepath.Join(dir, p.run.pkg+".test"), args[last])
	}
	cmd := groupCommand(ctx, cfg.goTool, args...)
	cmd.Env = append(os.Environ(), profileEnv+"="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w, it said:\n%s", err, out)
	}
	out, err := exec.CommandContext(ctx, cfg.goTool, "tool", "pprof", "-top", fmt.Sprintf("-nodecount=%d", topLines), file).Output()
	if err != nil {
		return "", fmt.Errorf("pprof of %s: %w", file, err)
	}
	return cutTop(string(out))
}

// cutTop keeps of what pprof -top prints the duration, and the table with its
// heading. What names files and builds goes.
func cutTop(text string) (string, error) {
	var b strings.Builder
	heading := false
	rows := 0
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "Duration:"):
			b.WriteString(line)
		case heading && len(fields) >= 6 && rows < topLines:
			rows++
			b.WriteString(line)
		case len(fields) == 5 && fields[0] == "flat":
			heading = true
			b.WriteString(line)
		}
	}
	if rows == 0 {
		return "", errors.New("pprof shows nothing: was the time too short?")
	}
	return b.String(), nil
}

// profilePage is all tops as Markdown.
func profilePage(tops []top) string {
	var b strings.Builder
	for _, t := range tops {
		fmt.Fprintf(&b, "\nWhere the time goes, by `go tool pprof -top`: %s.\n\n", t.title)
		for line := range strings.Lines(t.text) {
			b.WriteString("    " + strings.TrimRight(line, " \n") + "\n")
		}
	}
	return b.String()
}
