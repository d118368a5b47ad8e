package nginx

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// sent is the status with which a request, as it is, is answered; 0 if the
// connection ends without one. at is HOST:PORT, address whose request it is.
func sent(t *testing.T, at, address, request string) int {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	c, err := dialer.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return status(t, c, request)
}

// status is sent over a connection that stays open.
func status(t *testing.T, c net.Conn, request string) (code int) {
	t.Helper()
	if _, err := fmt.Fprint(c, request); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(c).ReadString('\n') // of a closed connection empty
	if _, err := fmt.Sscanf(line, "HTTP/1.1 %d ", &code); err != nil && line != "" {
		t.Fatalf("answered %q", line)
	}
	return code
}

// challenge is a webroot with what certbot leaves there for the authority.
func challenge(t *testing.T) string {
	t.Helper()
	webroot := t.TempDir()
	token := filepath.Join(webroot, ".well-known/acme-challenge/token")
	if err := os.MkdirAll(filepath.Dir(token), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(token, []byte("token.key"), 0o600); err != nil {
		t.Fatal(err)
	}
	return webroot
}

// ended is the access log after the end of nginx, and its lines.
func (r *rig) ended() (text string, lines []string) {
	r.Helper()
	r.stop() // each worker writes what it still holds
	log, err := os.ReadFile(filepath.Join(r.dir, "access.log"))
	if err != nil {
		r.Fatal(err)
	}
	return string(log), strings.FieldsFunc(string(log), func(c rune) bool { return c == '\n' })
}

// What nginx answers by itself has the limit that a shard's answer or a file has,
// so that there is no flood without one. The access log has all that was let in and
// some of the rest; the error log has nothing.
func TestFloodOfWhatNginxAnswersItself(t *testing.T) {
	t.Parallel()
	const n, choirOf1, filesOf1 = 400, 17, 41 // the latter let in at once
	webroot := challenge(t)
	for _, tt := range []struct {
		name, method, path, header string
		atOnce, status, refused    int
	}{
		{"no such shard", "POST", "/api/99?userid=%d", "", choirOf1, 404, 429},
		{"no such shard's clock", "GET", "/api/99?x=%d", "", choirOf1, 404, 0},
		{"redirect to the list", "GET", "/recordings?x=%d", "", filesOf1, 301, 429},
		{"unfinished recording", "GET", "/recordings/.x?x=%d", "", filesOf1, 404, 429},
		{"no such file", "GET", "/none?x=%d", "", filesOf1, 404, 429},
		{"no such challenge", "GET", "/.well-known/acme-challenge/?x=%d", "", choirOf1, 404, 429},
		{"too large", "POST", "/api/01?userid=%d", "Content-Length: 524289\r\n", choirOf1, 413, 429},
		{"too large to upload", "POST", "/upload?x=%d", "Content-Length: 16777217\r\n", choirOf1, 413, 429},
		{"too large for a file", "POST", "/?x=%d", "Content-Length: 99999999999\r\n", choirOf1, 413, 429},
		{"no TLS", "POST", "/api?userid=%d", "", choirOf1, 308, 429},
		{"no TLS, and a clock", "GET", "/api/01?x=%d", "", choirOf1, 308, 0},
		{"no TLS, too large", "POST", "/?x=%d", "Content-Length: 524289\r\n", choirOf1, 308, 429},
		{"no TLS, no challenge", "GET", "/.well-known/acme-challenge/?x=%d", "", choirOf1, 404, 429},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			options := []string{"--unlimited", "none", "--choir", "1", "--acme", webroot}
			r, plain := newTLSRig(t, nil, options...)
			if !strings.HasPrefix(tt.name, "no TLS") {
				r = newRig(t, 1, nil, options...)
				plain = r.url
			}
			start, got := time.Now(), map[int]int{}
			for i := range n {
				head := tt.method + " " + fmt.Sprintf(tt.path, i) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + tt.header
				got[sent(t, strings.TrimPrefix(plain, "http://"), flooder, head+"\r\n")]++
			}
			most := tt.atOnce + 4*int(time.Since(start).Seconds()+1)
			// Bodies that never come keep requests open, ten at most.
			if tt.header != "" {
				tt.atOnce = 10
			}
			if got[tt.status] < tt.atOnce || got[tt.status] > most || got[tt.status]+got[tt.refused] != n {
				t.Errorf("%d requests were answered %v; want %d to %d times %d, else %d", n, got, tt.atOnce, most, tt.status, tt.refused)
			}
			text, lines := r.ended()
			if logged := strings.Count(text, fmt.Sprintf(`" %d in=`, tt.status)); logged != got[tt.status] || len(lines) > logged+n/20 {
				t.Errorf("the log has %d lines, %d of them of the %d let in; want these, and of the rest one in a hundred", len(lines), logged, got[tt.status])
			}
			if log := r.log.String(); log != "" {
				t.Errorf("the error log has\n%.500s", log)
			}
		})
	}
}

// A hundred singers behind one address who come back all at once without TLS are
// all sent on; and so is a singer, and a certificate authority is answered, while
// another address floods.
func TestRedirectsOfSingers(t *testing.T) {
	t.Parallel()
	r, plain := newTLSRig(t, nil, "--unlimited", "none", "--acme", challenge(t))
	r.url = plain
	from := func(address string) *rig {
		there := r.from(address)
		there.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		return there
	}
	storm := func(i int) string { return fmt.Sprintf("/api?userid=%d", i%100) }
	if got := from(choir).statuses("POST", 1000, 8, storm); got[308] != 1000 {
		t.Errorf("1000 requests of 100 singers: %v, want all sent on", got)
	}
	if got := from(flooder).statuses("POST", 4000, 8, storm); got[429] < 1000 {
		t.Errorf("4000 requests of a flood: %v, want many refused", got)
	}
	flood := from(flooder)
	resp, text := flood.ask("POST", "/api?userid=1", "")
	for tries := 0; resp.StatusCode == 308 && tries < 1000; tries++ { // its share grows meanwhile
		resp, text = flood.ask("POST", "/api?userid=1", "")
	}
	if resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "5" || resp.Header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(text, "wait five seconds") {
		t.Errorf("the flood is told %s %v %q", resp.Status, resp.Header, text)
	}
	if resp, text := from("127.0.0.4").ask("GET", "/.well-known/acme-challenge/token", ""); resp.StatusCode != 200 || text != "token.key" {
		t.Errorf("the certificate authority is told %s %q", resp.Status, text)
	}
	if resp, _ := from(choir).ask("POST", "/api?userid=1", ""); resp.StatusCode != 308 {
		t.Errorf("a singer: %s, want to be sent on", resp.Status)
	}
}

// Whoever announces a body and never sends it holds ten requests open, whatever he
// was told at once.
func TestBodiesThatNeverCome(t *testing.T) {
	t.Parallel()
	r, plain := newTLSRig(t, nil, "--unlimited", "none", "--choir", "1")
	site := newRig(t, 1, nil, "--unlimited", "none", "--choir", "1")
	for url, want := range map[string]int{plain: 308, site.url: 413} {
		got := map[int]int{}
		for range 13 {
			c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(flooder)}}).Dial("tcp", strings.TrimPrefix(url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			got[status(t, c, "POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n")]++
		}
		if got[want] != 10 || got[429] != 3 {
			t.Errorf("13 requests: %v, want 10 times %d and 3 times 429", got, want)
		}
	}
	if got := sent(t, strings.TrimPrefix(plain, "http://"), choir, "POST /api HTTP/1.1\r\nHost: x\r\n\r\n"); got != 308 {
		t.Errorf("%s: a singer is told %d, want 308", r.url, got)
	}
}

// Behind another proxy each client has his own share of the redirects.
func TestRedirectsBehindAProxy(t *testing.T) {
	t.Parallel()
	r, plain := newTLSRig(t, nil, "--unlimited", "none", "--choir", "1", "--real-ip-from", "127.0.0.1")
	r.url = plain
	r.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for i := range 100 {
		resp, _, err := r.do("GET", "/", "", http.Header{"X-Forwarded-For": {fmt.Sprintf("203.0.113.%d", i)}})
		if err != nil || resp.StatusCode != 308 {
			t.Fatalf("client %d: %v %v, want to be sent on", i, resp, err)
		}
	}
}

// The maps that compare numbers by their digits do so right.
func TestTooLargeByDigits(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("site.conf.template")
	if err != nil {
		t.Fatal(err)
	}
	for name, limit := range map[string]int{"512k": 512 << 10, "16m": 16 << 20} {
		_, body, _ := strings.Cut(string(text), "$brigade_beyond_"+name+" {")
		body, _, _ = strings.Cut(body, "\n}")
		var any []string
		for _, m := range regexp.MustCompile(`"~(.*)"`).FindAllStringSubmatch(body, -1) {
			any = append(any, m[1])
		}
		beyond := regexp.MustCompile(strings.Join(any, "|"))
		check := func(n int) {
			if got := beyond.MatchString(fmt.Sprint(n)); got != (n > limit) {
				t.Fatalf("%d is beyond %s: %v", n, name, got)
			}
		}
		for n := 0; n < 1<<31; n += 1 + n/5000 { // each step less than two in ten thousand
			check(n)
		}
		for d := -2000; d <= 2000; d++ {
			check(limit + d)
		}
	}
}

// What never comes as far as a limit is in the log now and then.
func TestFloodOfMalformedRequests(t *testing.T) {
	t.Parallel()
	const n = 1000
	r := newRig(t, 1, nil, "--unlimited", "none")
	for range n {
		if got := sent(t, strings.TrimPrefix(r.url, "http://"), flooder, "GET / HTTP/1.1\r\n\r\n"); got != 400 {
			t.Fatalf("a request without Host: %d, want 400", got)
		}
	}
	if text, lines := r.ended(); strings.Count(text, " 400 ") != len(lines) || len(lines) > n/20 {
		t.Errorf("of %d malformed requests the log has %d, want about one in a hundred:\n%.500s", n, len(lines), text)
	}
}

// However long and whatever is what a client sends, its line in the log is short,
// and of names it has none.
func TestLogLinesAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1, nil)
	long := strings.Repeat("x", 30_000)
	for _, request := range []string{
		"POST /api?userid=Ann",
		"POST /api?userid=" + long,
		"POST /api/01?userid=" + strings.Repeat("9", 21),
		"GET /" + long,
		"GET /" + strings.Repeat("%22", 9_000),
		"GET /recordings/Ann%20sings.wav",
		"POST /api/99?userid=" + long,
		"LONGMETHOD" + strings.Repeat("X", 20_000) + " /api?userid=12345678901234567890",
	} {
		sent(t, strings.TrimPrefix(r.url, "http://"), "127.0.0.1", request+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	}
	text, lines := r.ended()
	for _, line := range lines {
		if len(line) > 400 {
			t.Errorf("a line of %d bytes: %.500s", len(line), line)
		}
	}
	for _, want := range []string{
		`"POST /api" 200 .* userid=- `,
		`"POST /api/01" 200 .* userid=- `,
		`"GET /x{96}\.\.\." 404 `,
		`"GET /\.\.\." 404 `,
		`"GET /recordings/Ann\.\.\." 404 `,
		`"POST /api/99" 404 .* userid=- `,
		`"- /api" 200 .* userid=12345678901234567890 `,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("no line is %s:\n%s", want, text)
		}
	}
	if len(lines) != 8 || strings.Contains(text, "userid=A") {
		t.Errorf("%d lines, want 8, none with a name for a userid:\n%s", len(lines), text)
	}
	if log := r.log.String(); log != "" {
		t.Errorf("the error log has\n%.500s", log)
	}
}
