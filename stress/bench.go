package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"bucketbrigade/deploy/nginx"
	"bucketbrigade/internal/manual"
)

// benchConfig says what is run and where it goes.
type benchConfig struct {
	out    string // page; "": standard output alone
	raw    string // folder for the benchmarks' own output
	count  int    // how often each runs; 0: as often as it says itself
	goTool string
	runs   []benchRun
	goals  []goal
	// profiles are taken after all is measured.
	profiles []profile
}

func benchCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cfg := benchConfig{goTool: "go", runs: benchRuns, goals: goals, profiles: profiles}
	fs := manual.New("stress bench", page, stderr)
	fs.StringVar(&cfg.out, "out", "", "`page` in which the table is replaced, such as docs/performance.md")
	fs.StringVar(&cfg.raw, "raw", "build/bench", "`folder` for the benchmarks' own output, which benchstat reads")
	fs.IntVar(&cfg.count, "count", 0, "how `often` each benchmark runs, at most 100; 0: as often as fits in six minutes")
	if err := manual.Parse(fs, args); err != nil {
		return err
	}
	switch {
	case fs.NArg() > 0:
		return manual.Wrong(fs, "argument %q: stress bench takes flags only", fs.Arg(0))
	case cfg.count < 0 || cfg.count > 100:
		return manual.Wrong(fs, "-count %d is not in 0..100", cfg.count)
	}
	return bench(ctx, cfg, stdout, stderr)
}

// bench runs all benchmarks and writes the table. Where one fails the others
// still count; the error says so at the end.
func bench(ctx context.Context, cfg benchConfig, stdout, stderr io.Writer) error {
	from := origin(ctx)
	if err := os.RemoveAll(cfg.raw); err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.raw, 0o755); err != nil {
		return err
	}
	all, failed := make(measured), error(nil)
	for _, run := range cfg.runs {
		if err := run.measure(ctx, cfg, all, stderr); err != nil {
			failed = errors.Join(failed, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	tops, err := takeProfiles(ctx, cfg, stderr)
	if failed = errors.Join(failed, err); ctx.Err() != nil {
		return ctx.Err()
	}
	table := benchTable(from, all, cfg.goals) + profilePage(tops)
	if _, err := io.WriteString(stdout, table); err != nil {
		return err
	}
	if cfg.out != "" {
		return errors.Join(replaceTables(cfg.out, table), failed)
	}
	return failed
}

// buildTag keeps libopusfile out, as in the Makefile.
const buildTag = "nolibopusfile"

// args is the command line of go.
func (r benchRun) args(count int) []string {
	if count == 0 {
		count = r.count
	}
	return []string{
		"test", "-tags", buildTag, "-run", "^$", "-bench", r.bench, "-benchtime", r.time,
		"-count", strconv.Itoa(count), "./" + r.pkg,
	}
}

// measure runs the benchmarks of r, shows and keeps what they print, and adds
// what they measured to all.
func (r benchRun) measure(ctx context.Context, cfg benchConfig, all measured, stderr io.Writer) error {
	file, err := os.OpenFile(filepath.Join(cfg.raw, r.pkg+".txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	fmt.Fprintf(stderr, "== %s %s\n", r.pkg, r.bench)
	var output bytes.Buffer
	cmd := groupCommand(ctx, cfg.goTool, r.args(cfg.count)...)
	cmd.Stdout = io.MultiWriter(&output, file, stderr)
	cmd.Stderr = cmd.Stdout // one writer, so that nothing is written at once
	err = cmd.Run()
	if perr := all.parse(&output); perr != nil {
		err = errors.Join(err, perr)
	}
	if err != nil {
		return fmt.Errorf("benchmarks %s of %s: %w", r.bench, r.pkg, err)
	}
	return file.Close()
}

// groupCommand is a command that ends with ctx, and with it all that it started:
// go test starts a test, and that the programs that it measures.
func groupCommand(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// origin says where and when the numbers are made.
func origin(ctx context.Context) provenance {
	return provenance{
		machine: machine() + ", " + nginxVersion(ctx), date: time.Now().UTC().Format(time.DateOnly), commit: commit(ctx), command: "make bench",
	}
}

// commit names the state of the checkout in the current folder.
func commit(ctx context.Context) string {
	git := func(args ...string) (string, error) {
		out, err := exec.CommandContext(ctx, "git", args...).Output()
		return strings.TrimSpace(string(out)), err
	}
	name, err := git("rev-parse", "--short", "HEAD")
	if err != nil {
		return "unknown"
	}
	if changes, err := git("status", "--porcelain", "--untracked-files=no"); err != nil || changes != "" {
		name += " with changes"
	}
	return name
}

// nginxVersion is what nginx calls itself, such as "nginx/1.22.1".
func nginxVersion(ctx context.Context) string {
	path, err := nginx.Find()
	if err != nil {
		return "no nginx"
	}
	out, err := exec.CommandContext(ctx, path, "-v").CombinedOutput()
	_, version, ok := strings.Cut(strings.TrimSpace(string(out)), "nginx version: ")
	if err != nil || !ok {
		return "nginx of unknown version"
	}
	return version
}
