package main

import (
	"bytes"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bucketbrigade/internal/manual"
)

const benchOutput = `goos: linux
pkg: bucketbrigade/shm
cpu: Fast One
BenchmarkRPC/empty-2         	 1000	       0.60 us/op	 4.2 ratio
BenchmarkRPC/empty-2         	 1000	       0.70 us/op	 4.4 ratio
BenchmarkRPC/empty-2         	 1000	       9.00 us/op	 9.9 ratio
BenchmarkRPC/empty-hybrid-2  	 1000	       0.80 us/op	 5.5 ratio
    some_test.go:1: BenchmarkRPC/empty-2 is fine
BenchmarkBroken-2
BenchmarkOdd-2  1000 3 ns/op 4
BenchmarkRPC/nothing-2  x 3 ns/op
BenchmarkRPC/nan-2  10 NaN ratio  1 us/op
PASS
pkg: bucketbrigade/brigade
BenchmarkCore/users=10    	 10	 100 us/op
BenchmarkCore/users=1000  	 10	 110 us/op
BenchmarkCore/users=5000  	 10	 130 us/op
ok  	bucketbrigade/brigade	1.2s
`

func parsed(t testing.TB, output string) measured {
	t.Helper()
	m := make(measured)
	if err := m.parse(strings.NewReader(output)); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestParseBenchmarks(t *testing.T) {
	t.Parallel()
	m := parsed(t, benchOutput)
	for _, c := range []struct {
		key    metric
		median float64
		n      int
	}{
		{metric{"shm", "BenchmarkRPC/empty", "us/op"}, 0.7, 3},
		{metric{"shm", "BenchmarkRPC/empty", "ratio"}, 4.4, 3},
		{metric{"shm", "BenchmarkRPC/empty-hybrid", "ratio"}, 5.5, 1},
		{metric{"shm", "BenchmarkRPC/nan", "us/op"}, 1, 1},
		{metric{"brigade", "BenchmarkCore/users=5000", "us/op"}, 130, 1},
	} {
		if got, ok := m.median(c.key); !ok || math.Abs(got-c.median) > 1e-9 || len(m[c.key]) != c.n {
			t.Errorf("%v: median %g (%t) of %v, want %g of %d", c.key, got, ok, m[c.key], c.median, c.n)
		}
	}
	if len(m) != 8 {
		t.Errorf("%d metrics, want 8: %v", len(m), m)
	}
	if _, ok := m.median(metric{"shm", "BenchmarkRPC/none", "ratio"}); ok {
		t.Error("what was not measured has a median")
	}
	m = measured{metric{}: {4, 1, 3, 2}}
	if got, _ := m.median(metric{}); got != 2.5 {
		t.Errorf("median of 1 2 3 4: %g", got)
	}
}

func TestGoalResults(t *testing.T) {
	t.Parallel()
	m := parsed(t, benchOutput)
	users := goal{pkg: "brigade", unit: "us/op", over: []string{"BenchmarkCore/users=10"}, shown: "us/op", most: 1.2}
	for _, c := range []struct {
		name    string
		adjust  func(g *goal)
		want    result
		reached bool
	}{
		{"within", func(g *goal) { g.bench = []string{"BenchmarkCore/users=1000"} }, result{1.1, 110, true}, true},
		{"the worst counts", func(g *goal) { g.bench = []string{"BenchmarkCore/users=1000", "BenchmarkCore/users=5000"} },
			result{1.3, 130, true}, false},
		{"the least of what it is held against", func(g *goal) {
			g.bench = []string{"BenchmarkCore/users=5000"}
			g.over = []string{"BenchmarkCore/users=1000", "BenchmarkCore/users=10"}
		}, result{1.3, 130, true}, false},
		{"one is missing", func(g *goal) { g.bench = []string{"BenchmarkCore/users=1000", "BenchmarkCore/users=9"} }, result{}, false},
		{"nothing to divide by", func(g *goal) { g.bench, g.over = []string{"BenchmarkCore/users=1000"}, []string{"x"} }, result{}, false},
		{"as it is", func(g *goal) { g.bench, g.over, g.most = []string{"BenchmarkCore/users=1000"}, nil, 110 },
			result{110, 110, true}, true},
	} {
		g := users
		c.adjust(&g)
		got := m.result(g)
		if math.Abs(got.value-c.want.value) > 1e-9 || got.shown != c.want.shown || got.there != c.want.there || got.reached(g) != c.reached {
			t.Errorf("%s: %+v, reached %t; want %+v, %t", c.name, got, got.reached(g), c.want, c.reached)
		}
	}
}

func TestBenchTable(t *testing.T) {
	t.Parallel()
	from := provenance{machine: "Machine: ours", date: "2026-01-02", commit: "abc1234", command: "make bench"}
	var some []goal
	for _, g := range goals {
		if g.pkg == "shm" || g.pkg == "codec" {
			some = append(some, g)
		}
	}
	golden(t, "bench.golden", benchTable(from, parsed(t, benchOutput+`
pkg: bucketbrigade/codec
BenchmarkEncodeFrame/sung-2    1 2 ns/op 0 B/op 0 allocs/op
BenchmarkEncodeFrame/spoken-2  1 2 ns/op 0 B/op 0 allocs/op
BenchmarkEncodeFrame/room-2    1 2 ns/op 0 B/op 0 allocs/op
BenchmarkDecodeFrame/sung-2    1 2 ns/op 0 B/op 0 allocs/op
BenchmarkDecodeFrame/spoken-2  1 2 ns/op 0 B/op 0 allocs/op
BenchmarkDecodeFrame/room-2    1 2 ns/op 0 B/op 0 allocs/op
`), some))
}

func TestThreeDigits(t *testing.T) {
	t.Parallel()
	for x, want := range map[float64]string{0: "0", 0.1234: "0.123", 1.234: "1.23", 12.34: "12.3", 123.4: "123", 1234.5: "1234"} {
		if got := threeDigits(x); got != want {
			t.Errorf("%g: %s, want %s", x, got, want)
		}
	}
}

// Every goal is about benchmarks that are run.
func TestGoalsAreRun(t *testing.T) {
	t.Parallel()
	for _, g := range goals {
		run := false
		for _, r := range benchRuns {
			run = run || r.pkg == g.pkg
		}
		if !run || len(g.bench) == 0 || g.unit == "" || g.shown == "" {
			t.Errorf("%s: nothing is run for it in %s", g.title, g.pkg)
		}
	}
}

// A stand-in for go that prints results, and fails for one package.
func TestBenchWritesWhatItMeasured(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tool := filepath.Join(dir, "go")
	script := `#!/bin/sh
for last; do :; done
case $last in
./bad) echo broken >&2; exit 1;;
esac
echo "pkg: bucketbrigade/${last#./}"
echo "BenchmarkIt-2 1 5 ratio 7 us/op"
echo "args: $*"
`
	if err := os.WriteFile(tool, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(dir, "page.md")
	if err := os.WriteFile(page, []byte("# P\n"+tablesBegin+tablesEnd+"note\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	it := func(title, pkg string, most float64) goal {
		return goal{title: title, pkg: pkg, bench: []string{"BenchmarkIt"}, unit: "ratio", shown: "us/op", most: most}
	}
	cfg := benchConfig{
		goTool: tool, out: page, raw: filepath.Join(dir, "raw"), count: 3,
		runs:  []benchRun{{"good", "It", "1x", 1}, {"bad", "It", "1x", 1}, {"good", "Again", "2s", 1}},
		goals: []goal{it("first", "good", 5), it("second", "good", 4.9), it("third", "bad", 5)},
	}
	var stdout, stderr bytes.Buffer
	err := bench(t.Context(), cfg, &stdout, &stderr)
	if err == nil || !strings.Contains(err.Error(), "benchmarks It of bad") {
		t.Errorf("the failure is %v", err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| first | 5.00 | 7.00 µs | ≤ 5 | reached |", "| second | 5.00 | 7.00 µs | ≤ 4.9 | **not reached** |",
		"| third | not measured | | ≤ 5 | |", "2 of 3 goals were measured, and 1 of them reached.", "note\n",
	} {
		if !strings.Contains(string(text), want) || (want != "note\n" && !strings.Contains(stdout.String(), want)) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
	raw, err := os.ReadFile(filepath.Join(cfg.raw, "good.txt"))
	if err != nil || strings.Count(string(raw), "BenchmarkIt-2") != 2 || !strings.Contains(string(raw), "-bench Again -benchtime 2s -count 3 ./good") {
		t.Errorf("kept (%v):\n%s", err, raw)
	}
	if !strings.Contains(stderr.String(), "broken") || !strings.Contains(stderr.String(), "== good Again") {
		t.Errorf("said:\n%s", &stderr)
	}
}

func TestBenchCommandLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"bench", "-count", "-1"}, "-count -1 is not in 0..100"},
		{[]string{"bench", "fast"}, `argument "fast"`},
	} {
		var out bytes.Buffer
		if err := run(t.Context(), c.args, io.Discard, &out); manual.Status(err) != 2 || !strings.Contains(out.String(), c.says) {
			t.Errorf("%v: %v, said %q", c.args, err, &out)
		}
	}
}

// Whatever a benchmark prints, its numbers are numbers, and a median lies among
// them.
func FuzzParseBenchmarks(f *testing.F) {
	f.Add(benchOutput)
	f.Add("BenchmarkX-2 1 1e400 ns/op -1 x\n")
	f.Fuzz(func(t *testing.T, output string) {
		m := make(measured)
		_ = m.parse(strings.NewReader(output))
		for key, values := range m {
			if len(values) == 0 || key.unit == "" || !strings.HasPrefix(key.bench, "Benchmark") {
				t.Fatalf("%q: %v from %q", key, values, output)
			}
			low, high := math.Inf(1), math.Inf(-1)
			for _, v := range values {
				low, high = min(low, v), max(high, v)
			}
			if mid, ok := m.median(key); !ok || math.IsNaN(mid) || mid < low || mid > high {
				t.Fatalf("median %g of %v", mid, values)
			}
		}
		for _, g := range goals {
			if r := m.result(g); math.IsNaN(r.value) {
				t.Fatalf("%s: %+v from %q", g.title, r, output)
			}
		}
		benchTable(provenance{}, m, goals)
	})
}
