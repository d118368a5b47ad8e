package nginx

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checkRefusal wants what a browser of another origin can read: the CORS
// headers and a message of at most 60 ASCII characters.
func checkRefusal(t *testing.T, resp *http.Response, code int, retryAfter string) {
	t.Helper()
	if resp.StatusCode != code {
		t.Errorf("status %s, want %d", resp.Status, code)
	}
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin":   "*",
		"Access-Control-Expose-Headers": "X-Audio-Metadata",
		"Content-Type":                  "text/plain",
		"Retry-After":                   retryAfter,
	} {
		if got := resp.Header.Values(name); strings.Join(got, "|") != want {
			t.Errorf("%s: %q, want %q alone", name, got, want)
		}
	}
	var meta struct {
		KillClient bool   `json:"kill_client"`
		Message    string `json:"message"`
	}
	raw := resp.Header.Get("X-Audio-Metadata")
	if err := json.Unmarshal([]byte(raw), &meta); err != nil || !meta.KillClient || meta.Message == "" || len(meta.Message) > 60 {
		t.Errorf("X-Audio-Metadata: %q (%v)", raw, err)
	}
}

func TestDeadShard(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1, nil)
	r.shards[0].Close()
	for _, path := range []string{"/api/01?userid=1", "/api?userid=1", "/api?action=status"} {
		resp, _ := r.ask("POST", path, "o")
		checkRefusal(t, resp, http.StatusBadGateway, "1")
	}
	for _, path := range []string{"/api/01", "/api"} {
		if got := r.rawAnswer("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"); got != "" {
			t.Errorf("GET %s to a dead shard: %q, want a closed connection and not a byte", path, got)
		}
	}
}

// rawAnswer is every byte that comes back for a request until nginx closes.
func (r *rig) rawAnswer(request string) string {
	r.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		r.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		r.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil {
		r.Fatalf("want a clean end of the connection: %v", err)
	}
	return string(got)
}

// A shard that takes the request and breaks off, and one that answers no HTTP.
func TestBrokenAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) })
	resp, _ := r.ask("POST", "/api?userid=1", "o")
	checkRefusal(t, resp, http.StatusBadGateway, "1")
	if got := r.shards[0].count() + r.shards[1].count(); got != 1 {
		t.Errorf("the request was sent %d times, want once: it belongs to one shard", got)
	}
	if got := r.rawAnswer("GET /api/02 HTTP/1.1\r\nHost: x\r\n\r\n"); got != "" {
		t.Errorf("GET: %q, want a closed connection and not a byte", got)
	}
}

// Of two shards one is dead: its singers are refused, never moved; the others
// and all requests of nobody but at most one a worker are served.
func TestOneOfTwoDead(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, nil)
	homes := map[bool][]string{} // userids by: at home in the shard that will die
	for _, userid := range strings.Split("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20", " ") {
		dies := r.shardOf("POST", "/api?userid="+userid) == "02"
		homes[dies] = append(homes[dies], userid)
	}
	if len(homes[true]) == 0 || len(homes[false]) == 0 {
		t.Fatalf("20 singers all on one shard: %v", homes)
	}
	r.shards[1].Close()
	for range 3 {
		for _, userid := range homes[true] {
			resp, _ := r.ask("POST", "/api?userid="+userid, "")
			checkRefusal(t, resp, http.StatusBadGateway, "1")
		}
		for _, userid := range homes[false] {
			if got := r.shardOf("POST", "/api?userid="+userid); got != "01" {
				t.Errorf("singer %s of shard 01 went to shard %s", userid, got)
			}
		}
	}
	lost := 0
	for range 20 {
		// Over a connection of its own: a kept one would be tried twice by Go.
		if r.rawAnswer("GET /api HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") == "" {
			lost++
		}
	}
	if lost > 2 {
		t.Errorf("%d of 20 clock requests were lost with one of two shards dead, want at most 2", lost)
	}
}

func TestShardsRefusalsPassUntouched(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Audio-Metadata", `{"kill_client": true, "message": "mine"}`)
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, "the shard's own words")
	})
	for _, method := range []string{"POST", "GET"} {
		resp, text := r.ask(method, "/api/01", "")
		if resp.StatusCode != 503 || text != "the shard's own words" {
			t.Errorf("%s: %s %q", method, resp.Status, text)
		}
		if got := resp.Header.Values("X-Audio-Metadata"); len(got) != 1 || !strings.Contains(got[0], "mine") {
			t.Errorf("%s: X-Audio-Metadata %q", method, got)
		}
		if got := resp.Header.Values("Access-Control-Allow-Origin"); len(got) != 1 {
			t.Errorf("%s: Access-Control-Allow-Origin %q, want it once", method, got)
		}
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1, nil)
	resp, _ := r.ask("POST", "/api/01?userid=1", strings.Repeat("o", 512<<10))
	if resp.StatusCode != 200 || r.shards[0].last(t).Body != 512<<10 {
		t.Errorf("512 kB: %s, %d bytes reached the shard", resp.Status, r.shards[0].last(t).Body)
	}
	// Only the head, as a browser that looks at the answer early would see it:
	// here no write of a body can race with nginx closing.
	for _, path := range []string{"/api/01?userid=1", "/api?userid=1"} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", r.url+path, strings.NewReader(strings.Repeat("o", 512<<10+1)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Expect", "100-continue")
		resp, err := r.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		checkRefusal(t, resp, http.StatusRequestEntityTooLarge, "")
	}
	// One whose size is only known when it comes: this is the beginning of its first chunk.
	chunked := "POST /api/01?userid=1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n80001\r\no"
	if got := sent(t, strings.TrimPrefix(r.url, "http://"), "127.0.0.1", chunked); got != 413 {
		t.Errorf("a chunk of 512 kB and one byte: %d, want 413", got)
	}
	if got := r.shards[0].count(); got != 1 {
		t.Errorf("%d requests reached the shard, want the one that fits", got)
	}
}

func TestLongQuery(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1, nil)
	query := "userid=1&chat=" + strings.Repeat("x", 16<<10-len("userid=1&chat="))
	for _, path := range []string{"/api/01?", "/api?"} {
		resp, text := r.ask("POST", path+query, "")
		if resp.StatusCode != 200 {
			t.Fatalf("a query of 16 kB: %s %q", resp.Status, text)
		}
		if got := r.shards[0].last(t).URI; got != path+query {
			t.Errorf("of %d bytes %d reached the shard", len(path+query), len(got))
		}
	}
}

// The largest body, and an answer that a slow client takes long to read, stay
// in memory: nginx warns when it opens a temporary file.
func TestNothingGoesToDisk(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("0123456789abcdef", 1<<20) // 16 MB
	r := newRig(t, 1, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, big) })
	r.client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err == nil {
			err = c.(*net.TCPConn).SetReadBuffer(128 << 10)
		}
		return c, err
	}
	if _, text := r.ask("POST", "/api/01", strings.Repeat("o", 512<<10)); text != big {
		t.Errorf("%d bytes arrived, want %d", len(text), len(big))
	}
	r.stop()
	if log := r.log.String(); strings.Contains(log, "temporary file") {
		t.Errorf("nginx went to disk:\n%s", log)
	}
}

// The log tells the shard and its time; it never shows a query.
func TestAccessLog(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1, nil)
	r.ask("POST", "/api/01?userid=42&secret=hunter2&username=Ann", "o")
	text := r.waitForLog("userid=42")
	for _, want := range []string{"127.0.0.1 [", `"POST /api/01" 200 `, "userid=42", "upstream=127.0.0.1:", "upstream_status=200", "answer=0."} {
		if !strings.Contains(text, want) {
			t.Errorf("the log has no %q:\n%s", want, text)
		}
	}
	for _, secret := range []string{"hunter2", "Ann"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log shows %q:\n%s", secret, text)
		}
	}
}

// waitForLog reads the access log, which nginx writes once a second.
func (r *rig) waitForLog(what string) string {
	r.Helper()
	for {
		text, err := os.ReadFile(filepath.Join(r.dir, "access.log"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			r.Fatal(err)
		}
		if strings.Contains(string(text), what) {
			return string(text)
		}
		// A request takes some time and makes nginx turn round.
		if _, _, err := r.do("GET", "/", "", nil); err != nil || r.Context().Err() != nil {
			r.Fatalf("no %q in the access log: %v", what, err)
		}
	}
}
