package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"bucketbrigade/internal/manual"
	"bucketbrigade/load"
)

func TestLoadCommandLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"", 2, "Give -url"},
		{"-help", 0, "-start-at"},
		{"sing", 2, `"sing" is not known; max, merge,`},
		{"-url ftp://x", 2, `"ftp://x": want something like`},
		{"-url http://127.0.0.1:1 -users 0", 2, "0 users are not in 1..100000"},
		{"-url http://127.0.0.1:1 -duration 0.1s", 2, "a duration of 100ms"},
		{"-url http://127.0.0.1:1 -ramp 2m", 2, "a ramp of 2m0s does not fit into 1m0s"},
		{"-url http://127.0.0.1:1 -machine 3/2", 2, `-machine "3/2"`},
		{"-url http://127.0.0.1:1 -machine 1", 2, `-machine "1"`},
		{"-url http://127.0.0.1:1 -machine 1/2", 2, "without a time"},
		{"-url http://127.0.0.1:1 -start-at soon", 2, `-start-at "soon"`},
		{"-url http://127.0.0.1:1 -scenario opera", 2, `"opera" is not known`},
		{"-url http://127.0.0.1:1 -scenario ./none.json", 2, "no such file"},
		{"-url http://127.0.0.1:1 -voices loud", 2, `"loud" is not known`},
		{"-url http://127.0.0.1:1 -voices sung=x", 2, "want a mix"},
		{"-url http://127.0.0.1:1 -pid shard", 2, "is not NAME=PID"},
		{"-url http://127.0.0.1:1 -pid a=1,a=2", 2, "a name of its own"},
		{"-url http://127.0.0.1:1 -metrics shard-01", 2, "is not NAME=HOST:PORT"},
		{"-url http://127.0.0.1:1 -metrics =127.0.0.1:9", 2, "is not NAME=HOST:PORT"},
		{"-url http://127.0.0.1:1 -metrics a=127.0.0.1", 2, "is not NAME=HOST:PORT"},
		{"-url http://127.0.0.1:1 -metrics a=127.0.0.1:9 -pid a=1", 2, "a name of its own"},
		{"-url http://127.0.0.1:1 -report /does/not/exist/a.html", 1, "nothing is begun"},
		{"max -url http://127.0.0.1:1 -report /does/not/exist/a.html", 1, "nothing is begun"},
		{"shards -report /does/not/exist/a.html", 1, "nothing is begun"},
		{"shards -json /does/not/exist/a.json", 1, "nothing is begun"},
		{"-url http://127.0.0.1:1 -pace fast", 2, `"fast" is not known`},
		{"-url http://127.0.0.1:1 -pilots 65", 2, "at most 64 are taken"},
		{"-url http://127.0.0.1:1 -failures 10001", 2, "a list of 10001 failures of each kind is not in 1..10000"},
		{"-url http://127.0.0.1:1 -look 2m", 2, "at most 1m0s are taken"},
		{"-url http://127.0.0.1:1 -look -1s", 2, "more than 0"},
		{"-url http://127.0.0.1:1 -users 1 -voices silence", 1, "the server at http://127.0.0.1:1/api: clock"},
		{"max", 2, "no address to sing at"},
		{"max -url http://127.0.0.1:1 -pace none", 2, "real pace"},
		{"max -url http://127.0.0.1:1 -most 0", 2, "-most 0 is not in"},
		{"merge", 2, "merge what?"},
		{"merge /does/not/exist", 1, "no such file"},
		{"merge load.go", 1, "load.go: no result of a run"},
		{"shards -counts 1,x", 2, "-counts such as"},
		{"local -shards -1", 2, "no less than 0 shards"},
		{"local -bin /does/not/exist", 1, "make build"},
	} {
		var said bytes.Buffer
		err := run(t.Context(), strings.Fields(c.args), &said, &said)
		if err != nil {
			said.WriteString(err.Error())
		}
		if got := manual.Status(err); got != c.status || !strings.Contains(said.String(), c.says) {
			t.Errorf("stress %s: status %d, want %d with %q:\n%s", c.args, got, c.status, c.says, &said)
		}
	}
}

func TestParseStart(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("X", 2*3600)
	now := time.Date(2026, 5, 1, 23, 30, 0, 0, zone)
	for text, want := range map[string]string{
		"23:45":                     "2026-05-01T23:45:00+02:00",
		"23:45:07":                  "2026-05-01T23:45:07+02:00",
		"00:10":                     "2026-05-02T00:10:00+02:00",
		"23:20":                     "2026-05-01T23:20:00+02:00", // too late, which the run says
		"2026-06-01T20:00:00Z":      "2026-06-01T20:00:00Z",
		"2026-06-01T20:00:00+01:00": "2026-06-01T20:00:00+01:00",
	} {
		got, err := parseStart(text, now)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s: %s, %v; want %s", text, got.Format(time.RFC3339), err, want)
		}
	}
}

func TestParseMetrics(t *testing.T) {
	t.Parallel()
	list, err := parseMetrics("shard-01=127.0.0.1:9201,state-server=http://[::1]:9101,x=https://h.example.org:1/deep/metrics")
	want := "[{shard-01 0 http://127.0.0.1:9201/metrics} {state-server 0 http://[::1]:9101/metrics} {x 0 https://h.example.org:1/deep/metrics}]"
	if got := fmt.Sprint(list); err != nil || got != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
}

// What depends on the number of singers is left to each run of a search.
func TestConfigLeavesOutWhatIsNotGiven(t *testing.T) {
	t.Parallel()
	f := loadFlags{urls: "http://127.0.0.1:1", machine: "1/1", scenario: "choir"}
	f.cfg.Users, f.cfg.Pilots = 50, -1
	cfg, err := f.config(time.Now())
	if err != nil || cfg.Ramp != 0 || cfg.Pilots != -1 {
		t.Errorf("ramp %v, %d pilots, %v", cfg.Ramp, cfg.Pilots, err)
	}
}

func TestPrintResult(t *testing.T) {
	t.Parallel()
	r := &load.Result{
		Totals:    load.Totals{Due: 10, Sent: 9, Answered: 7, Unconnected: 1, ConnectP50MS: 5, ConnectP99MS: 700, ConnectMaxMS: 1500, Errors: map[string]int{load.KindTooSlow: 1, load.KindLost: 1}},
		Failures:  []load.Failure{{AtS: 1.5, Kind: load.KindLost, Singer: "ann", User: 5, Text: "bob did not hear ann"}},
		Pilots:    []load.Pair{{Singer: "ann", Listener: "bob", Expected: 2, Heard: 1, Verdict: load.KindLost}, {Singer: "bob", Listener: "ann", Unsung: 1, Verdict: "rightly not heard"}},
		Voices:    []load.Voice{{Singer: "ann", Expected: 2, Heard: 1}, {Singer: "bob", Unheard: load.UnheardLast}},
		Processes: []load.Process{{Name: "generator-1", Generator: true, CPUS: 0.2, SteadyS: 10, Requests: 1000, PerRequestUS: 200}, {Name: "shard-01", CPUS: 2, SteadyS: 10, Requests: 1000, PerRequestUS: 2000}},
		Capacity:  &load.Capacity{Cores: 4, Singers: 1200, Parts: []load.Share{{Kind: "shard", PerRequestUS: 2000, SingersPerCore: 300}}},
		Warnings:  []string{"The clock is off."},
		Verdict:   load.Verdict{Reasons: []string{"1 × lost voice: ann."}},
	}
	var out bytes.Buffer
	printResult(&out, r)
	golden(t, "load.golden", out.String())

	r.Verdict, r.Setup.ObjectiveP99MS = load.Verdict{Held: true}, 300
	out.Reset()
	printResult(&out, r)
	const want = "\nThe objective held: no errors, p99 within 300 ms, 1 of 2 pilots heard; nobody stood behind bob.\n"
	if !strings.HasSuffix(out.String(), want) {
		t.Errorf("%s\nwant at the end: %s", &out, want)
	}
}
