package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"bucketbrigade/proto"
	"bucketbrigade/singer"
	"bucketbrigade/state"
	"bucketbrigade/state/statemetrics"
)

// program is a shard that runs in this process, until the test ends.
type program struct{ listening, metrics string }

// start runs a shard and waits until it tells its addresses.
func start(t *testing.T, args ...string) program {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"-listen", "127.0.0.1:0", "-metrics", "127.0.0.1:0"}, args...), io.Discard, w)
		w.Close()
		done <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	var p program
	lines := bufio.NewScanner(r)
	for (p.listening == "" || p.metrics == "") && lines.Scan() {
		for what, addr := range map[string]*string{"listening": &p.listening, "metrics": &p.metrics} {
			if _, at, ok := strings.Cut(lines.Text(), "msg="+what+" addr="); ok {
				*addr = "http://" + at
			}
		}
	}
	go io.Copy(io.Discard, r)
	return p
}

func get(t *testing.T, url string) (code int, body string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// values are the samples of a scrape, by name and labels as they stand there.
func values(t *testing.T, text string) map[string]float64 {
	t.Helper()
	all := make(map[string]float64)
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		x, err := strconv.ParseFloat(value, 64)
		if !ok || err != nil {
			t.Fatalf("line %q is no sample", line)
		}
		all[name] = x
	}
	return all
}

// lint finds names and texts that are not as Prometheus wants them.
func lint(t *testing.T, text string) {
	t.Helper()
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "brigade_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// until scrapes until a sample has a value: the census is taken four times a
// second.
func until(t *testing.T, url, name string, value float64) map[string]float64 {
	t.Helper()
	late := time.Now().Add(20 * time.Second)
	for {
		_, text := get(t, url)
		all := values(t, text)
		if all[name] == value {
			return all
		}
		if time.Now().After(late) {
			t.Fatalf("%s is %v, want %v", name, all[name], value)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// choir has a leader and two followers sing, and does what goes wrong: 4 requests
// of each are carried out, one more joins nothing (409), one is malformed (400).
func choir(t *testing.T, p program) {
	t.Helper()
	ctx := t.Context()
	var singers []*singer.Singer
	// Four requests at once bring a singer 2.4 s nearer to the clock.
	for i, user := range []proto.UserID{901, 902, 903} {
		s := singer.New(singer.Config{URL: p.listening + "/api/01", User: user, Name: "s", Offset: 2 + 3*(1+i)})
		if err := s.Connect(ctx); err != nil {
			t.Fatal(err)
		}
		singers = append(singers, s)
	}
	for k := range 4 {
		for i, s := range singers {
			var ask url.Values
			if i == 0 && k == 1 {
				ask = url.Values{"request_lead": {"1"}}
			}
			if i == 0 && k == 2 {
				ask = url.Values{"mark_start_singing": {"1"}}
			}
			if _, err := s.Step(ctx, ask); err != nil {
				t.Fatal(err)
			}
		}
	}
	for query, want := range map[string]int{
		"userid=990&read_clock=9&n_samples=28800": 409, "userid=x": 400, "action=status": 200,
	} {
		resp, err := http.Post(p.listening+"/api/01?"+query, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %s, want %d", query, resp.Status, want)
		}
	}
}

// ofShard is what a shard must have counted after choir: three times the clock,
// twelve songs, the first of each singer without audio, a status.
var ofShard = map[string]float64{
	"brigade_shard_singers":                                       3,
	"brigade_shard_ready":                                         1,
	`brigade_shard_requests_total{code="200"}`:                    3 + 12 + 1,
	`brigade_shard_requests_total{code="400"}`:                    1,
	`brigade_shard_requests_total{code="409"}`:                    1,
	`brigade_shard_requests_total{code="503"}`:                    0,
	`brigade_shard_requests_total{code="none"}`:                   0,
	`brigade_shard_requests_total{code="other"}`:                  0,
	`brigade_shard_desyncs_total{reason="too_old"}`:               1,
	`brigade_shard_desyncs_total{reason="other"}`:                 0,
	"brigade_shard_request_seconds_count":                         13,
	"brigade_shard_decode_seconds_count":                          9,
	`brigade_shard_rpc_seconds_count{outcome="refused"}`:          1,
	`brigade_shard_rpc_seconds_count{outcome="timed_out"}`:        0,
	`brigade_shard_rpc_seconds_count{outcome="failed"}`:           0,
	`brigade_shard_odd_timing_total{what="clock_jump"}`:           0,
	`brigade_shard_request_seconds_bucket{le="+Inf"}`:             13,
	`brigade_shard_encoded_frames_total{mode="private"}`:          -1, // some
	"brigade_shard_encode_seconds_count":                          -1,
	`brigade_shard_rpc_seconds_count{outcome="answered"}`:         -1,
	`brigade_shard_rpc_seconds_sum{outcome="answered"}`:           -1,
	"brigade_shard_streams":                                       -1,
	`brigade_shard_rpc_seconds_bucket{outcome="failed",le="2.5"}`: 0,
}

var ofState = map[string]float64{
	`brigade_state_singers{bucket="1"}`:        1,
	`brigade_state_singers{bucket="2"}`:        1,
	`brigade_state_singers{bucket="3"}`:        1,
	`brigade_state_singers{bucket="6"}`:        0,
	"brigade_state_users":                      3,
	"brigade_state_leader_present":             1,
	"brigade_state_song_on":                    1,
	`brigade_state_requests_total{code="200"}`: -1,
	`brigade_state_requests_total{code="409"}`: 1,
	"brigade_state_handle_seconds_count":       -1,
	"brigade_state_mix_seconds_count":          -1,
	"brigade_state_faults_total":               0,
	"brigade_state_late_writes_total":          0,
	"brigade_state_recording_enabled":          1,
	"brigade_state_recording_on":               1,
	"brigade_state_recorded_seconds_total":     0,
	"brigade_state_recording_failures_total":   0,
}

// compare checks a scrape; -1 stands for anything above 0.
func compare(t *testing.T, got, want map[string]float64) {
	t.Helper()
	for name, value := range want {
		is, there := got[name]
		if !there || value >= 0 && is != value || value < 0 && is <= 0 {
			t.Errorf("%s: %v (there: %t), want %v", name, is, there, value)
		}
	}
}

func TestMetricsOfABrigadeInOneProcess(t *testing.T) {
	t.Parallel()
	p := start(t, "-recordings", t.TempDir())
	choir(t, p)
	got := until(t, p.metrics+"/metrics", "brigade_state_song_on", 1)
	compare(t, got, ofShard)
	compare(t, got, ofState)
	_, text := get(t, p.metrics+"/metrics")
	lint(t, text)
	for path, says := range map[string]string{"/healthz": "ok\n", "/readyz": "ok\n"} {
		if code, body := get(t, p.metrics+path); code != 200 || body != says {
			t.Errorf("%s: %d %q", path, code, body)
		}
	}
}

func TestMetricsOfAShardAndAStateServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, "-dir", dir, "-segment", "echo01")
	if code, body := get(t, p.metrics+"/healthz"); code != 200 {
		t.Errorf("without a state server /healthz is %d %q", code, body)
	}
	if code, body := get(t, p.metrics+"/readyz"); code != 503 || body != "the state server has not answered yet\n" {
		t.Errorf("without a state server /readyz is %d %q", code, body)
	}
	srv, err := state.New(state.Config{Dir: dir, Segments: []string{"echo01"}, Settings: state.Settings{Recordings: t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx) }()
	choir(t, p)
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(statemetrics.Sheet(srv.Stats))
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(r, promhttp.HandlerOpts{ErrorHandling: promhttp.PanicOnError}))
	site := newSite(t, mux)
	got := until(t, site+"/metrics", "brigade_state_song_on", 1)
	compare(t, got, ofState)
	if got["brigade_state_segments"] != 1 {
		t.Errorf("%v segments", got["brigade_state_segments"])
	}
	_, text := get(t, site+"/metrics")
	lint(t, text)
	_, text = get(t, p.metrics+"/metrics")
	lint(t, text)
	all := values(t, text)
	all[`brigade_shard_rpc_seconds_count{outcome="timed_out"}`] = 0 // some, before there was a state server
	compare(t, all, ofShard)
	for name := range all {
		if strings.HasPrefix(name, "brigade_state") {
			t.Errorf("%s is told by a shard that has no state", name)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
}

func newSite(t *testing.T, h http.Handler) string {
	site := httptest.NewServer(h)
	t.Cleanup(site.Close)
	return site.URL
}

// family is the name of a metric without what a histogram appends.
func family(name string) string {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if cut, ok := strings.CutSuffix(name, suffix); ok && strings.HasSuffix(cut, "_seconds") {
			return cut
		}
	}
	return name
}

// Operators read of every metric there is and of no other, and no rule waits for
// one that never comes.
func TestDocumentsNameTheMetricsThereAre(t *testing.T) {
	t.Parallel()
	_, text := get(t, start(t).metrics+"/metrics")
	told := make(map[string]bool)
	for name := range values(t, text) {
		name, _, _ = strings.Cut(name, "{")
		told[family(name)] = true
	}
	name := regexp.MustCompile(`(brigade_(shard|state)|process)_[a-z_]*[a-z]`)
	for _, path := range []string{"../../docs/operating.md", "../../deploy/prometheus/alerts.yml"} {
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		named := make(map[string]bool)
		for _, n := range name.FindAllString(string(file), -1) {
			named[family(n)] = true
			if !told[family(n)] {
				t.Errorf("%s names %s, which nobody tells", path, n)
			}
		}
		for n := range told {
			if strings.HasSuffix(path, ".md") && strings.HasPrefix(n, "brigade_") && !named[n] {
				t.Errorf("%s does not name %s", path, n)
			}
		}
	}
}

// Each rule says when, for whom and what to do; each label that a rule looks for
// is one there is.
func TestAlertRulesAreWhole(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("../../deploy/prometheus/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	_, text := get(t, start(t).metrics+"/metrics")
	rules := strings.Split(string(file), "      - alert: ")[1:]
	if len(rules) < 10 {
		t.Fatalf("%d rules", len(rules))
	}
	label := regexp.MustCompile(`(outcome|code|reason|what|le)="([^"]*)"`)
	for _, rule := range rules {
		name, _, _ := strings.Cut(rule, "\n")
		for _, key := range []string{"        expr: ", "        labels: {severity: ", "        annotations:\n          summary: \""} {
			if strings.Count(rule, key) != 1 {
				t.Errorf("%s has not one %q", name, strings.TrimSpace(key))
			}
		}
		if strings.Count(rule, "(") != strings.Count(rule, ")") || strings.Contains(rule, "\t") {
			t.Errorf("%s: parentheses without their partners, or a tab", name)
		}
		for _, l := range label.FindAllString(rule, -1) {
			if !strings.Contains(text, l) {
				t.Errorf("%s looks for %s, which nothing has", name, l)
			}
		}
	}
}
