package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bucketbrigade/load"
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
		all  []carried
		says string
	}{
		{"two", []carried{{0, poor}, {2, rich}}, "Carries 100 singers, with 2 shards"},
		{"two", []carried{{0, poor}, {2, rich}}, "the run of 100 singers"},
		{"none", []carried{{1, none}}, "Carries 0 singers"},
		{"none", []carried{{1, none}}, "the run of 1 singer for"},
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
}
