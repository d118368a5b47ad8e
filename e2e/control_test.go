package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/singer"
	"bucketbrigade/stack"
	"bucketbrigade/stack/stacktest"
)

const controlSecret = "the conductor's own word"

// logBook is a log that can be read while it is written.
type logBook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// metricsURL is where a program tells operators: the state server says so when
// it is ready, a shard soon after.
func (l *logBook) metricsURL(t *testing.T, program string) string {
	t.Helper()
	line := regexp.MustCompile(program + ` *\| .*msg=metrics addr=(\S+)`)
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		if m := line.FindStringSubmatch(l.String()); m != nil {
			return "http://" + m[1]
		}
	}
	t.Fatalf("%s tells no address", program)
	return ""
}

// conductor controls a room.
type conductor struct {
	t   *testing.T
	api string
}

// try posts without userid and gives status and body.
func (c conductor) try(query url.Values, bearer string) (int, string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.api+"?"+query.Encode(), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// must posts what has to be taken.
func (c conductor) must(query url.Values) (a proto.ControlAnswer) {
	c.t.Helper()
	code, body := c.try(query, controlSecret)
	if err := json.Unmarshal([]byte(body), &a); err != nil || code != http.StatusOK {
		c.t.Fatalf("%v: %d %s", query, code, body)
	}
	return a
}

// step is one request of a singer that has to be taken.
func step(t *testing.T, who *singer.Singer, extra url.Values) proto.Metadata {
	t.Helper()
	a, err := who.Step(t.Context(), extra)
	if err != nil {
		t.Fatal(err)
	}
	return a.Metadata
}

// fetch gets a page.
func fetch(t *testing.T, url string) (int, http.Header, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

// operatorsStack is a brigade with all that operators can have.
func operatorsStack(t *testing.T) (*stack.Stack, *logBook) {
	dir := t.TempDir()
	files := map[string]string{
		"control": controlSecret + "\n",
		"secrets": `{"twilio": {"account_sid": "AC0", "api_key": "SK0", "api_secret": "hush-hush", "room": "hall"}, "instance_name": "Hall"}`,
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	log := new(logBook)
	s := stacktest.Start(t, stack.Config{Shards: 2, Log: log, Args: map[string][]string{
		stack.StateServer: {
			"-control-secret", filepath.Join(dir, "control"), "-secrets", filepath.Join(dir, "secrets"), "-metrics", "127.0.0.1:0",
		},
		stack.CodecShard: {"-metrics", "127.0.0.1:0"},
	}})
	return s, log
}

func TestOperators(t *testing.T) {
	t.Parallel()
	s, log := operatorsStack(t)
	ann, bob := connectedTo(t, s.URL()+"/api/01", 901), connectedTo(t, s.URL()+"/api/02", 902)
	t.Run("tokens", func(t *testing.T) { tokensComeOnce(t, ann, bob) })
	t.Run("control", func(t *testing.T) { controlled(t, s, ann, bob) })
	t.Run("telemetry", func(t *testing.T) { telemetryIsForOperators(t, s, log) })
	for _, secret := range []string{controlSecret, "conductor", "hush-hush"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log tells %s", secret)
		}
	}
}

func connectedTo(t *testing.T, api string, user proto.UserID) *singer.Singer {
	t.Helper()
	who := singer.New(singer.Config{URL: api, User: user, Name: "u" + user.String()})
	if err := who.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	return who
}

func tokensComeOnce(t *testing.T, singers ...*singer.Singer) {
	seen := make(map[string]bool)
	for _, who := range singers {
		m := step(t, who, nil)
		if m.TwilioToken == nil || strings.Count(*m.TwilioToken, ".") != 2 || seen[*m.TwilioToken] {
			t.Fatalf("the first answer tells %v", m.TwilioToken)
		}
		seen[*m.TwilioToken] = true
		if m := step(t, who, nil); m.TwilioToken != nil {
			t.Error("the second answer tells it again")
		}
		if err := who.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if m := step(t, who, nil); m.TwilioToken != nil {
			t.Error("it is told again after a reconnection")
		}
	}
}

func controlled(t *testing.T, s *stack.Stack, ann, bob *singer.Singer) {
	boss := conductor{t, s.URL() + "/api"}
	for name, ask := range map[string]struct{ query, bearer string }{
		"none": {"", ""}, "wrong": {"", "the conductor's own work"}, "wrong in the query": {"not what it should be", ""},
	} {
		q := url.Values{"mark_start_singing": {"1"}, "chat": {`["nobody said that"]`}}
		if ask.query != "" {
			q.Set("secret", ask.query)
		}
		begin := time.Now()
		code, body := boss.try(q, ask.bearer)
		if d := time.Since(begin); code != http.StatusForbidden || d < time.Second || strings.Contains(body, "conductor") {
			t.Errorf("secret %s: %d %s after %v, want 403 after a second", name, code, body, d)
		}
	}
	step(t, bob, nil)
	if m := step(t, ann, url.Values{"bpm": {"77"}}); m.SongStartClock != 0 || len(m.Chats) != 0 || m.BPM == nil {
		t.Errorf("after refusals: %+v", m)
	}
	start := boss.must(url.Values{"mark_start_singing": {"1"}, "chat": {`["all rise"]`}})
	if start.SongStartClock != start.ServerClock || start.SongEndClock != 0 || start.ConnectedUsers != 2 {
		t.Errorf("start: %+v", start)
	}
	want := proto.Chat{"[ANNOUNCEMENT]", "all rise"}
	for _, who := range []*singer.Singer{ann, bob} {
		m := step(t, who, url.Values{"request_lead": {"1"}, "bpm": {"99"}})
		if len(m.Chats) != 1 || m.Chats[0] != want || m.SongStartClock != start.SongStartClock || m.Leader != nil {
			t.Errorf("told %+v", m)
		}
		if m.BPM != nil && *m.BPM == 99 {
			t.Error("a singer sets the tempo under control")
		}
	}
	code, body := boss.try(url.Values{"secret": {controlSecret}, "mark_stop_singing": {"1"}}, "")
	var stop proto.ControlAnswer
	if err := json.Unmarshal([]byte(body), &stop); err != nil || code != 200 || stop.SongEndClock != stop.ServerClock {
		t.Errorf("stop: %d %s", code, body)
	}
	if m := step(t, bob, nil); m.SongEndClock != stop.SongEndClock {
		t.Errorf("the song ends at %d, want %d", m.SongEndClock, stop.SongEndClock)
	}
}

func telemetryIsForOperators(t *testing.T, s *stack.Stack, log *logBook) {
	state, shard := log.metricsURL(t, stack.StateServer), log.metricsURL(t, "shard-01")
	code, header, body := fetch(t, state+"/api/telemetry")
	var told struct {
		Server  struct{ State map[string]any }
		Clients map[string]struct{ Raw map[string]any }
	}
	if err := json.Unmarshal([]byte(body), &told); err != nil || code != 200 || header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %v %s: %v", code, header, body, err)
	}
	if told.Server.State["server_controlled"] != true || told.Clients["901"].Raw["name"] != "u901" || len(told.Clients) != 2 {
		t.Errorf("told %+v", told)
	}
	if code, _, body := fetch(t, shard+"/api/telemetry"); code != 404 || !strings.Contains(body, "/debug/pprof/") {
		t.Errorf("a shard tells %d %s", code, body)
	}
	if code, _, body := fetch(t, shard+"/debug/pprof/goroutine?debug=1"); code != 200 || !strings.Contains(body, "goroutine profile") {
		t.Errorf("a shard's profile: %d %.100s", code, body)
	}
	// To the public the same paths are the clock, or no page at all.
	for _, path := range []string{"/api/telemetry", "/api/start_profile", "/debug/pprof/"} {
		if code, header, body := fetch(t, s.ShardURL(1)+path); code != 200 || body != "ok" || !strings.Contains(header.Get("X-Audio-Metadata"), "server_clock") {
			t.Errorf("GET %s of a shard: %d %s", path, code, body)
		}
		if code, _, body := fetch(t, s.URL()+path); code != 404 || strings.Contains(body, "u901") {
			t.Errorf("GET %s through nginx: %d %s", path, code, body)
		}
	}
	code, _, body = fetch(t, s.URL()+"/api")
	if code != 200 || body != "ok" {
		t.Errorf("the clock: %d %s", code, body)
	}
	if resp, err := http.Post(s.URL()+"/api?action=status", "", nil); err == nil {
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if !strings.Contains(string(text), `"instance_name":"Hall"`) {
			t.Errorf("status %s", text)
		}
	}
}

// Without a secret file nothing has changed: a request without userid is
// malformed.
func TestControlIsOffByDefault(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, stack.Config{Shards: 1})
	boss := conductor{t, s.URL() + "/api"}
	for _, bearer := range []string{"", controlSecret} {
		if code, body := boss.try(url.Values{"mark_start_singing": {"1"}}, bearer); code != 400 || !strings.Contains(body, "userid") {
			t.Errorf("secret %q: %d %s", bearer, code, body)
		}
	}
	if m := step(t, connectedTo(t, s.URL()+"/api/01", 911), nil); m.SongStartClock != 0 || m.TwilioToken != nil {
		t.Errorf("told %+v", m)
	}
}
