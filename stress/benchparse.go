package main

import (
	"bufio"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// measured are the results of benchmarks: what was measured, each as often as
// the benchmark ran.
type measured map[metric][]float64

// metric names one kind of number that a benchmark gives:
//
//	pkg: bucketbrigade/shm
//	BenchmarkRPC/empty-2    1000    0.61 us/op    4.2 ratio
//
// has {"shm", "BenchmarkRPC/empty", "us/op"} and {…, "ratio"}.
type metric struct {
	pkg   string // folder in the module
	bench string // without the number of processors at its end
	unit  string
}

// maxBenchLine bounds a line of output.
const maxBenchLine = 1 << 20

// parse adds what go test -bench printed. Lines that are no result are passed
// over, for tests log what they like.
func (m measured) parse(output io.Reader) error {
	pkg := ""
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, maxBenchLine)
	for lines.Scan() {
		line := lines.Text()
		if name, ok := strings.CutPrefix(line, "pkg: "); ok {
			_, pkg, _ = strings.Cut(strings.TrimSpace(name), "/")
			continue
		}
		m.parseLine(pkg, strings.Fields(line))
	}
	return lines.Err()
}

// parseLine adds a result: name, how often, then numbers with their units.
func (m measured) parseLine(pkg string, fields []string) {
	if len(fields) < 4 || len(fields)%2 != 0 || !strings.HasPrefix(fields[0], "Benchmark") {
		return
	}
	if _, err := strconv.ParseUint(fields[1], 10, 64); err != nil {
		return
	}
	for i := 2; i < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
			continue
		}
		key := metric{pkg, withoutProcessors(fields[0]), fields[i+1]}
		m[key] = append(m[key], value)
	}
}

// withoutProcessors cuts the -2 that go test adds to names.
func withoutProcessors(name string) string {
	at := strings.LastIndexByte(name, '-')
	if at < 0 {
		return name
	}
	if _, err := strconv.ParseUint(name[at+1:], 10, 32); err != nil {
		return name
	}
	return name[:at]
}

// median is the middle of what was measured; ok is false if nothing was.
func (m measured) median(key metric) (value float64, ok bool) {
	values := slices.Sorted(slices.Values(m[key]))
	n := len(values)
	if n == 0 {
		return 0, false
	}
	// Halved before they are added: the sum could be too large.
	return values[(n-1)/2]/2 + values[n/2]/2, true
}
