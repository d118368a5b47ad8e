package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bucketbrigade/codec"
	"bucketbrigade/stack"
	"bucketbrigade/stack/stacktest"
)

// The benchmarks run real programs at real pace and count their processor time,
// not ours: each is one measurement of a fixed number of requests, so
//
//	go test -run '^$' -bench . -benchtime 1x -count 5 ./e2e
//
// takes ten to thirty seconds for each line. Metrics are per request of 600 ms.
//
// With BRIGADE_PROFILE=DIR what the shard does meanwhile goes to DIR, as a file for
// go tool pprof for each measurement, which then is longer.

// sharing is how a shard encodes.
type sharing string

const (
	shared  sharing = "shared"
	private sharing = "private"
)

// programs are built once for all benchmarks of a run.
type programs struct {
	bin     string
	sharing bool // codec-shard knows -encode
}

func buildPrograms(b *testing.B) programs {
	b.Helper()
	p := programs{bin: stacktest.Build(b)}
	help, err := exec.Command(filepath.Join(p.bin, stack.CodecShard), "-help").CombinedOutput()
	if err != nil {
		b.Fatalf("codec-shard -help: %v", err)
	}
	p.sharing = strings.Contains(string(help), "-encode")
	return p
}

// start runs a stack of one shard that encodes so.
func (p programs) start(b *testing.B, how sharing, nginx bool, args ...string) *stack.Stack {
	b.Helper()
	switch {
	case p.sharing:
		args = append(args, "-encode", string(how))
	case how == shared:
		b.Skip("codec-shard has no -encode: nothing is shared")
	}
	return stacktest.Start(b, stack.Config{
		BinDir: p.bin, Shards: 1, NoNginx: !nginx, Args: map[string][]string{stack.CodecShard: args},
	})
}

// report reports a time for each request.
func report(b *testing.B, d time.Duration, unit string) {
	b.ReportMetric(float64(d)/float64(time.Microsecond), unit)
}

// BenchmarkShard is what a shard takes for a request, HTTP and all, by raw
// libopus on the same packets: decode and encode where all have encoders of
// their own, decode alone where forty in one bucket share one.
func BenchmarkShard(b *testing.B) {
	p, voices := buildPrograms(b), sungVoices(b)
	for _, how := range []sharing{private, shared} {
		b.Run(string(how), func(b *testing.B) {
			for b.Loop() {
				benchmarkShard(b, p, voices, how)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func benchmarkShard(b *testing.B, p programs, voices batches, how sharing) {
	prof := newProfiler(b, string(how))
	s := p.start(b, how, false, prof.args()...)
	raw := newRawCodec(how == private)
	defer raw.close()
	l := &load{voices: voices, singers: 1 + 40, buckets: 1, url: s.URL() + "/api/01", profiler: prof, heard: raw.heard}
	cost := l.measure(b, s, raw.count)
	each, err := raw.each()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(cost.shard)/float64(each), "ratio")
	report(b, cost.shard, "us/op")
	report(b, each, "raw-us/op")
}

// BenchmarkSystem is what nginx, shard and state server take for a request when
// all is shared, by what they take with an encoder for each, at libopus's
// defaults. Both shards have as many processors: one, or two where one does not
// carry an encoder for each.
func BenchmarkSystem(b *testing.B) {
	const singers, buckets = 60, 2 // who ask 100 times a second
	p := buildPrograms(b)
	for _, c := range []struct {
		kind   string
		voices func(testing.TB) batches
		procs  int
	}{
		{"sung", sungVoices, 1},     // 4 ms each, 0.4 of a processor
		{"speech", spokenVoices, 2}, // 10 ms each
	} {
		b.Run(c.kind, func(b *testing.B) {
			voices, procs := c.voices(b), []string{"-procs", fmt.Sprint(c.procs)}
			defaults := []string{
				"-complexity", fmt.Sprint(codec.Browser().Complexity), "-opus-application", codec.Browser().Application.String(),
			}
			for b.Loop() {
				ours := systemCost(b, p, voices, singers, buckets, shared, procs...)
				theirs := systemCost(b, p, voices, singers, buckets, private, slices.Concat(defaults, procs)...)
				b.ReportMetric(float64(ours.all())/float64(theirs.all()), "ratio")
				report(b, ours.all(), "us/op")
				report(b, ours.nginx, "nginx-us/op")
				report(b, ours.shard, "shard-us/op")
				report(b, ours.state, "state-us/op")
				report(b, theirs.all(), "private-us/op")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// systemCost is what a request costs nginx, shard and state server with so many
// singers, all but the leader in so many buckets behind.
func systemCost(b *testing.B, p programs, voices batches, singers, buckets int, how sharing, args ...string) clocks {
	prof := newProfiler(b, fmt.Sprint(how, singers))
	s := p.start(b, how, true, append(args, prof.args()...)...)
	l := &load{voices: voices, singers: singers, buckets: buckets, url: s.URL() + "/api/01", profiler: prof}
	cost := l.measure(b, s, nil)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	return cost
}

// BenchmarkGrowth is what a request costs the whole system with ever more
// singers on one shard. The ratio is that to the best of fewer singers, where it
// is worst.
func BenchmarkGrowth(b *testing.B) {
	p, voices := buildPrograms(b), sungVoices(b)
	how := shared
	if !p.sharing {
		how = private
	}
	for b.Loop() {
		var best, dearest time.Duration
		ratio := 0.0
		for _, singers := range []int{20, 100, 200} {
			cost := systemCost(b, p, voices, singers, 1, how).all()
			if best > 0 {
				ratio, dearest = max(ratio, float64(cost)/float64(best)), max(dearest, cost)
				best = min(best, cost)
			} else {
				best = cost
			}
			report(b, cost, fmt.Sprintf("us-at-%d/op", singers))
		}
		b.ReportMetric(ratio, "ratio")
		report(b, dearest, "us/op")
	}
	b.ReportMetric(0, "ns/op")
}
