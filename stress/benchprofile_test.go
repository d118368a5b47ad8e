package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const pprofOutput = `File: codec-shard
Build ID: 123abc
Type: cpu
Time: 2026-01-02 03:04:05 UTC
Duration: 4.80s, Total samples = 2.10s (43.75%)
Showing nodes accounting for 1.90s, 90.48% of 2.10s total
Dropped 99 nodes (cum <= 0.01s)
Showing top 10 nodes out of 88
      flat  flat%   sum%        cum   cum%
     1.50s 71.43% 71.43%      1.60s 76.19%  runtime.cgocall
     0.10s  4.76% 76.19%      0.10s  4.76%  internal/runtime/syscall.Syscall6
         0     0% 76.19%      1.80s 85.71%  bucketbrigade/shard.(*Server).encodeShared (inline)
`

func TestCutTop(t *testing.T) {
	t.Parallel()
	text, err := cutTop(pprofOutput + strings.Repeat("         0     0% 76.19%      1.80s 85.71%  more\n", 20))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != 2+topLines || !strings.HasPrefix(lines[0], "Duration: 4.80s") || strings.Fields(lines[1])[0] != "flat" ||
		!strings.Contains(lines[4], "encodeShared (inline)") || strings.Contains(text, "Build") {
		t.Errorf("kept:\n%s", text)
	}
	for _, nothing := range []string{"", "Duration: 0s, Total samples = 0\n      flat  flat%   sum%        cum   cum%\n"} {
		if _, err := cutTop(nothing); err == nil {
			t.Errorf("%q shows something", nothing)
		}
	}
}

// A stand-in for go that leaves profiles, but for one, and reads them.
func TestBenchShowsProfiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tool := filepath.Join(dir, "go")
	script := `#!/bin/sh
for last; do :; done
case "$1 $2 $last" in
"tool pprof "*) cat "$last" || exit 1;;
*./e2e) cat >"$BRIGADE_PROFILE/one.prof" <<'END'
` + pprofOutput + `END
;;
*./shm)
	while [ "$1" != -cpuprofile ]; do shift; done
	[ "$3" = -o ] || exit 1
	sed s/cgocall/spin/ "${2%/*}/one.prof" >"$2";;
esac
`
	if err := os.WriteFile(tool, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(dir, "page.md")
	if err := os.WriteFile(page, []byte(tablesBegin+tablesEnd), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg := benchConfig{
		goTool: tool, out: page, raw: filepath.Join(dir, "raw"),
		profiles: []profile{
			{title: "the shard", run: benchRun{"e2e", "One", "1x", 1}, file: "one.prof"},
			{title: "lost", run: benchRun{"e2e", "Lost", "1x", 1}, file: "lost.prof"},
			{title: "the caller", run: benchRun{"shm", "Two", "1x", 1}, file: "two.prof", ofTest: true},
		},
	}
	var stderr bytes.Buffer
	err := bench(t.Context(), cfg, io.Discard, &stderr)
	if err == nil || !strings.Contains(err.Error(), "profile of Lost in e2e") || strings.Contains(err.Error(), "Two") {
		t.Errorf("the failure is %v", err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"by `go tool pprof -top`: the shard.\n\n    Duration: 4.80s", "71.43% 71.43%      1.60s 76.19%  runtime.cgocall\n",
		"by `go tool pprof -top`: the caller.\n\n    Duration: 4.80s", "71.43% 71.43%      1.60s 76.19%  runtime.spin\n", "nginx",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "lost") || !strings.Contains(stderr.String(), "== profile of shm Two") {
		t.Errorf("the page:\n%s\nsaid:\n%s", text, &stderr)
	}
}

// Profiles are of benchmarks that are run anyway.
func TestProfilesAreOfGoals(t *testing.T) {
	t.Parallel()
	for _, p := range profiles {
		of := false
		for _, g := range goals {
			name := strings.NewReplacer("^", "", "$", "").Replace(p.run.bench)
			of = of || g.pkg == p.run.pkg && g.bench[0] == name
		}
		if !of || p.title == "" || filepath.Base(p.file) != p.file {
			t.Errorf("%+v is of no goal", p)
		}
	}
}
