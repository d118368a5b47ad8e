package shard

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"bucketbrigade/proto"
)

func TestClockAnswer(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, &stub{clock: now}, func(c *Config) { c.Version, c.Branch = "abc123", "main" })
	for _, path := range []string{"/", "/api", "/api/07", "/anything?x"} {
		w := ask(s, http.MethodGet, path, nil)
		if w.Code != 200 || w.Body.String() != "ok" {
			t.Errorf("GET %s: %d %q", path, w.Code, w.Body.String())
		}
		for key, want := range map[string]string{
			"Access-Control-Allow-Origin":   "*",
			"Access-Control-Max-Age":        "86400",
			"Access-Control-Expose-Headers": "X-Audio-Metadata",
			"Content-Type":                  "application/octet-stream",
		} {
			if got := w.Header().Get(key); got != want {
				t.Errorf("GET %s: %s is %q, want %q", path, key, got, want)
			}
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(w.Header().Get(metadataHeader)), &got); err != nil {
			t.Fatal(err)
		}
		clock := proto.Clock(got["server_clock"].(float64))
		if clock < now || clock > now.Add(60*proto.SampleRate) {
			t.Errorf("server_clock %d, want soon after %d", clock, now)
		}
		if got["server_sample_rate"] != 48000.0 || got["server_version"] != "abc123" || got["server_branch"] != "main" || len(got) != 4 {
			t.Errorf("metadata %v", got)
		}
	}
}

func TestClockWithoutServerClosesTheConnection(t *testing.T) {
	t.Parallel()
	away := proto.Refuse(503, "away")
	b := &stub{clock: now, fail: func() error { return away }}
	s := newTestServer(t, b, nil)
	func() {
		defer func() {
			if r := recover(); r != http.ErrAbortHandler {
				t.Errorf("the handler ended with %v, want an abort", r)
			}
		}()
		w := ask(s, http.MethodGet, "/", nil)
		t.Errorf("answered %d", w.Code)
	}()
	b.fail = nil
	if w := ask(s, http.MethodGet, "/", nil); w.Code != 200 {
		t.Errorf("server back: %d", w.Code)
	}
	b.fail = func() error { return away }
	if w := ask(s, http.MethodGet, "/", nil); w.Code != 200 {
		t.Errorf("server away again, its clock known: %d", w.Code)
	}
}

// told is when a clock request was answered and what its client makes of it.
type told struct {
	after time.Duration // since all began
	error int           // samples by which the client's clock is ahead of ours
}

// crowd asks for the clock, n at once, and gives what each was told. The server clock
// was now at start.
func crowd(t *testing.T, s *Server, start time.Time, n int) []told {
	t.Helper()
	answers := make([]told, n)
	began := time.Now()
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			w := ask(s, http.MethodGet, "/", nil)
			var head proto.ClockHeader
			if err := json.Unmarshal([]byte(w.Header().Get(metadataHeader)), &head); err != nil || w.Code != 200 {
				t.Errorf("answered %d: %v", w.Code, err)
			}
			trip := time.Since(began)
			makes := head.ServerClock.Add(proto.DurationSamples(trip / 2))
			answers[i] = told{time.Since(start), makes.Sub(now.Add(proto.DurationSamples(time.Since(start))))}
		})
	}
	all.Wait()
	return answers
}

// Those who waited for a state server, or in the queue of a shard's socket, are not
// answered in one moment, and each knows the clock exactly all the same.
func TestCrowdGetsTheClockOneByOne(t *testing.T) {
	t.Parallel()
	const n = 300
	for _, c := range []struct {
		name   string
		away   time.Duration // how long the state server takes to come
		queued bool          // the shard has taken over a socket
		wait   time.Duration // before all ask
		spread bool
	}{
		{"waiting for the state server", 700 * time.Millisecond, false, 0, true},
		{"in the queue", 0, true, 0, true},
		{"after the queue", 0, true, queueFor, false},
		{"no queue", 0, false, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				b := &stub{clock: now.Add(proto.DurationSamples(c.away))}
				b.fail = func() error { <-time.After(time.Until(start.Add(c.away))); return nil }
				s := newServer(Config{Backend: b}.withDefaults())
				s.time.boot = func() time.Duration { return time.Since(start) }
				if c.queued {
					s.roster.youngUntil = start.Add(youth)
				}
				s.takesOver()
				if c.away == 0 {
					s.time.refresh(t.Context())
				}
				<-time.After(c.wait)
				answers := crowd(t, s, start, n)
				judgeCrowd(t, answers, c.wait+c.away, c.spread)
			})
		})
	}
}

// judgeCrowd wants answers after some time: at once, or spread evenly.
func judgeCrowd(t *testing.T, answers []told, after time.Duration, spread bool) {
	t.Helper()
	const parts = 6
	var in [parts]int
	for _, a := range answers {
		if a.error < -2 || a.error > 2 {
			t.Errorf("a client's clock is %d samples ahead", a.error)
		}
		late := a.after - after
		if late < 0 || late >= spreadOver {
			t.Fatalf("answered %v after it was possible", late)
		}
		in[late*parts/spreadOver]++
	}
	if !spread {
		if in[0] < len(answers) {
			t.Errorf("answered in the sixths of %v: %d, want at once", spreadOver, in)
		}
		return
	}
	// Of 300, 50 +- 6.5 fall in each sixth.
	for _, k := range in {
		if even := len(answers) / parts; k < even/3 || k > 2*even {
			t.Errorf("answered in the sixths of %v: %d", spreadOver, in)
		}
	}
}
