package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bucketbrigade/internal/manual"
	"bucketbrigade/load"
	"bucketbrigade/proto"
)

func TestCommandLineIsAShells(t *testing.T) {
	t.Parallel()
	got := commandLine([]string{"stress", "-url", "http://127.0.0.1:8080/api?x", "-voices", "my songs", "it's", ""})
	if want := `stress -url 'http://127.0.0.1:8080/api?x' -voices 'my songs' 'it'\''s' ''`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A file that cannot be written is said before the run, and one that can be keeps
// what it holds until there is something new.
func TestCanWrite(t *testing.T) {
	t.Parallel()
	old := filepath.Join(t.TempDir(), "old.html")
	if err := os.WriteFile(old, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := canWrite("", "-", old); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(old); err != nil || string(text) != "old" {
		t.Errorf("%q, %v", text, err)
	}
	if err := canWrite(old, "/does/not/exist/out.html"); err == nil || !strings.Contains(err.Error(), "/does/not/exist/out.html") {
		t.Errorf("%v", err)
	}
}

// The page of a comparison shows the best run of the best set-up; one where
// nothing held shows the last run.
func TestReportOfASearch(t *testing.T) {
	t.Parallel()
	run := func(users int, held bool) load.Trial {
		r := &load.Result{
			Setup:   load.Setup{Users: users, DurationS: 10, URLs: []string{"http://x.test/api"}, Scenario: "choir", ObjectiveP99MS: 300, Pace: load.PaceReal},
			Verdict: load.Verdict{Held: held},
		}
		return load.Trial{Users: users, Result: r}
	}
	poor := load.Found{Carries: 50, Limit: "this.", Trials: []load.Trial{run(50, true), run(100, false)}}
	rich := load.Found{Carries: 100, Trials: []load.Trial{run(50, true), run(100, true)}}
	none := load.Found{Limit: "that.", Trials: []load.Trial{run(2, false), run(1, false)}}
	for _, c := range []struct {
		name string
		all  []load.SetUp
		says string
	}{
		{"two", []load.SetUp{{Shards: 0, Found: poor}, {Shards: 2, Found: rich}}, "Carries 100 singers, with 2 shards"},
		{"two", []load.SetUp{{Shards: 0, Found: poor}, {Shards: 2, Found: rich}}, "the run of 100 singers"},
		{"none", []load.SetUp{{Shards: 1, Found: none}}, "Carries 0 singers"},
		{"none", []load.SetUp{{Shards: 1, Found: none}}, "the run of 1 singer for"},
	} {
		name := filepath.Join(t.TempDir(), "out.html")
		if err := reportCarried(name, c.all); err != nil {
			t.Fatal(err)
		}
		page, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(page), c.says) {
			t.Errorf("%s: %v: the page does not say %s", c.name, err, c.says)
		}
	}
	compared(t, load.SetUp{Shards: 0, Found: rich}, load.SetUp{Shards: 2, Found: poor})
	compared(t, load.SetUp{Shards: 0, Found: poor}, load.SetUp{Shards: 1, Found: none}, load.SetUp{Shards: 2, Found: none})
}

// compared writes a comparison for programs and reads it again; that a set-up
// carries nobody is an error.
func compared(t *testing.T, all ...load.SetUp) {
	t.Helper()
	f := loadFlags{json: filepath.Join(t.TempDir(), "out.json")}
	err := f.concludeShards(io.Discard, io.Discard, all)
	var read []load.SetUp
	text, readErr := os.ReadFile(f.json)
	if readErr = errors.Join(readErr, json.Unmarshal(text, &read)); readErr != nil || len(read) != len(all) {
		t.Fatalf("%v: %d set-ups of %d", readErr, len(read), len(all))
	}
	want := ""
	for i, s := range all {
		if r := read[i]; r.Shards != s.Shards || r.Carries != s.Carries || r.Limit != s.Limit || len(r.Trials) != len(s.Trials) || r.Trials[1].Users != s.Trials[1].Users || r.Trials[1].Result.Verdict.Held != s.Trials[1].Result.Verdict.Held {
			t.Errorf("read %+v, want %+v", r, s)
		}
		if s.Carries == 0 {
			want += setUp(s.Shards) + ": not even one singer was carried\n"
		}
	}
	if err == nil && want != "" || err != nil && err.Error()+"\n" != want || manual.Status(err) != min(len(want), 1) {
		t.Errorf("error %v, want %q", err, want)
	}
}

// A search that found nothing keeps its runs, too.
func TestMaxKeepsWhatDidNotHold(t *testing.T) {
	t.Parallel()
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			http.Error(w, "come back later", http.StatusServiceUnavailable)
			return
		}
		text, _ := json.Marshal(proto.ClockHeader{ServerClock: proto.ClockAt(time.Now()), ServerSampleRate: proto.SampleRate})
		w.Header().Set("X-Audio-Metadata", string(text))
	}))
	t.Cleanup(refusing.Close)
	var out, said bytes.Buffer
	err := run(t.Context(), strings.Fields("max -users 1 -duration 1s -voices silence -pilots -1 -json - -url "+refusing.URL), &out, &said)
	if !errors.Is(err, errNothingHeld) {
		t.Fatalf("%v\n%s", err, &said)
	}
	var found load.Found
	if err := json.Unmarshal(out.Bytes(), &found); err != nil {
		t.Fatalf("%v: %.200s", err, &out)
	}
	if found.Carries != 0 || len(found.Trials) != 1 || found.Trials[0].Users != 1 || found.Trials[0].Result.Totals.Errors["status 503"] == 0 || found.Limit != "No request was answered." {
		t.Errorf("%+v", found)
	}
	if !strings.Contains(said.String(), "carries 0 singers") {
		t.Errorf("said %s", &said)
	}
}
