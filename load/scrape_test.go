package load

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bucketbrigade/internal/metrics"
)

func TestCPUSeconds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, err string
		want      time.Duration
	}{
		{"# HELP process_cpu_seconds_total Total.\nprocess_cpu_seconds_total 12.34\nprocess_open_fds 9\n", "", 12340 * time.Millisecond},
		{"process_cpu_seconds_total 1.5e2 1700000000000\n", "", 150 * time.Second},
		{"process_cpu_seconds_total 0", "", 0},
		{"process_cpu_seconds_total_of_another 7\n", "there is no process_cpu_seconds_total", 0},
		{"", "there is no process_cpu_seconds_total", 0},
		{"process_cpu_seconds_total NaN\n", `is "NaN", no number of seconds`, 0},
		{"process_cpu_seconds_total -1\n", `is "-1", no number of seconds`, 0},
		{"process_cpu_seconds_total 1e300\n", "no number of seconds of 0..1e+09", 0},
		{"process_cpu_seconds_total 1 and " + strings.Repeat("x", 1<<17), "token too long", 0},
	} {
		got, err := cpuSeconds(strings.NewReader(c.text))
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%.60q: %v, %v; want %v, %q", c.text, got, err, c.want, c.err)
		}
	}
}

func FuzzCPUSeconds(f *testing.F) {
	f.Add("process_cpu_seconds_total 12.34\n")
	f.Add("# HELP x\nprocess_cpu_seconds_total +Inf\n")
	f.Fuzz(func(t *testing.T, text string) {
		if used, err := cpuSeconds(strings.NewReader(text)); used < 0 || err != nil && used != 0 {
			t.Errorf("%q: %v, %v", text, used, err)
		}
	})
}

// The listener of our programs tells what the kernel knows of this process.
func TestScrapeOurMetrics(t *testing.T) {
	t.Parallel()
	s, err := metrics.New(metrics.Config{Addr: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	// Other tests of this process use it up meanwhile.
	used, err := newScraper("http://" + s.Addr().String() + "/metrics").cpu(ctx)
	if err != nil || used > time.Hour {
		t.Errorf("%v, %v", used, err)
	}
	if _, err := newScraper("http://" + s.Addr().String() + "/nothing").cpu(ctx); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("%v, want a 404", err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// What a process tells each second stands in the result, per request too; one
// that is started anew is said.
func TestRunAsksMetrics(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	steady := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "process_cpu_seconds_total %g\n", 7+0.25*float64(asked.Add(1)))
	}))
	t.Cleanup(steady.Close)
	var looked atomic.Int64
	anew := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "process_cpu_seconds_total %d\n", 100-looked.Add(1))
	}))
	t.Cleanup(anew.Close)
	cfg := Config{
		URLs: []string{"http://brigade.test/"}, Users: 2, Duration: 3 * time.Second, Ramp: time.Second, Pilots: -1,
		Scenario: quiet(""), batches: 2, Transport: newStub(),
		Processes: []NamedProcess{{Name: "shard-01", Metrics: steady.URL}, {Name: "state-server", Metrics: anew.URL}},
	}
	r, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	p := r.Processes[1]
	if p.Name != "shard-01" || p.Metrics != steady.URL || p.CPUS < 0.49 || p.CPUS > 0.51 || p.PerRequestUS < 5e4 {
		t.Errorf("%+v", p)
	}
	if used := r.Seconds[1].CPU["shard-01"]; used < 0.24 || used > 0.26 {
		t.Errorf("second 1: %g s", used)
	}
	if len(r.Warnings) == 0 || !strings.Contains(r.Warnings[0], "state-server cannot be looked at after 1s: it has used less processor than before") {
		t.Errorf("warnings %q", r.Warnings)
	}
	if w := r.Weights(); w.Shards < 0.08 || w.Generator <= 0 {
		t.Errorf("%+v", w)
	}
}
