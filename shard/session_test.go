package shard

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bucketbrigade/proto"
)

// newTestRequest is a request with the given cookie; none if it is empty.
func newTestRequest(method, target string, body []byte, cookie string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(string(body)))
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: cookieName, Value: cookie})
	}
	return r
}

func serve(s *Server, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func TestEveryAnswerWithoutCookieSetsOne(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, &stub{clock: now}, nil)
	seen := make(map[string]bool)
	for _, c := range []struct{ method, target string }{
		{"GET", "/api"}, {"OPTIONS", "/"}, {"POST", target(7, now, 2880, nil)},
		{"POST", "/?action=status"}, {"POST", "/?broken"}, {"PUT", "/"},
	} {
		w := serve(s, newTestRequest(c.method, c.target, nil, ""))
		cookies := w.Result().Cookies()
		if len(cookies) != 1 {
			t.Errorf("%s %s: cookies %v", c.method, c.target, cookies)
			continue
		}
		k := cookies[0]
		if !isToken(k.Value) || seen[k.Value] || !k.HttpOnly || k.SameSite != http.SameSiteStrictMode || k.Path != "/" || k.Secure {
			t.Errorf("%s %s: cookie %+v", c.method, c.target, k)
		}
		seen[k.Value] = true
		if w := serve(s, newTestRequest(c.method, c.target, nil, k.Value)); len(w.Result().Cookies()) != 0 {
			t.Errorf("%s %s: a second cookie for who has one", c.method, c.target)
		}
	}
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, remote, forwarded, proto, cookie string
		address                                string
		session                                proto.Session
		secure                                 bool
	}{
		{"direct", "192.0.2.7:99", "", "", "", "192.0.2.7", "address:192.0.2.7", false},
		{"forged from outside", "192.0.2.7:99", "10.0.0.1", "https", "", "192.0.2.7", "address:192.0.2.7", false},
		{"behind our proxy", "127.0.0.1:99", "203.0.113.5", "", "", "203.0.113.5", "address:203.0.113.5", false},
		{"behind TLS", "[::1]:99", "203.0.113.5", "https", "", "203.0.113.5", "address:203.0.113.5", true},
		{"a chain: the last was seen", "127.0.0.1:99", "1.2.3.4, 203.0.113.5", "", "", "203.0.113.5", "address:203.0.113.5", false},
		{"nonsense forwarded", "127.0.0.1:99", "me", "", "", "127.0.0.1", "address:127.0.0.1", false},
		{"mapped", "[::ffff:192.0.2.7]:99", "", "", "", "192.0.2.7", "address:192.0.2.7", false},
		{"cookie", "192.0.2.7:99", "", "", testCookie, "192.0.2.7", "cookie:" + testCookie, false},
		{"not our cookie", "192.0.2.7:99", "", "", "x" + testCookie[1:], "192.0.2.7", "address:192.0.2.7", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newTestRequest("GET", "/", nil, c.cookie)
			r.RemoteAddr = c.remote
			if c.forwarded != "" {
				r.Header.Set("X-Forwarded-For", c.forwarded)
			}
			if c.proto != "" {
				r.Header.Set("X-Forwarded-Proto", c.proto)
			}
			w := httptest.NewRecorder()
			got := identify(w, r)
			if got.address != c.address || got.session != c.session {
				t.Errorf("got %+v, want %s, %s", got, c.address, c.session)
			}
			if set := w.Result().Cookies(); len(set) == 1 && set[0].Secure != c.secure {
				t.Errorf("Secure %v, want %v", set[0].Secure, c.secure)
			}
		})
	}
}

// A proxy may leave the lines that the client made up, and add its own.
func TestOnlyTheLastForwardedLineCounts(t *testing.T) {
	t.Parallel()
	r := newTestRequest("GET", "/", nil, "")
	r.RemoteAddr = "127.0.0.1:99"
	r.Header.Add("X-Forwarded-For", "10.0.0.1")
	r.Header.Add("X-Forwarded-For", "203.0.113.5")
	if got := clientAddress(r); got != "203.0.113.5" {
		t.Errorf("address %s, want the last, 203.0.113.5", got)
	}
}

// The state binds a userid to the address and compares it with the address that
// comes with the first cookie: both must be one string.
func TestAddressSessionsAreTheAddressThatIsSent(t *testing.T) {
	t.Parallel()
	for _, peer := range []string{"192.0.2.7:1", "[2001:DB8:0::7]:1", "[::ffff:192.0.2.7]:1", "[fe80::1%eth0]:1", "pipe"} {
		b := &stub{clock: now}
		s := newTestServer(t, b, nil)
		r := newTestRequest("POST", target(7, now, 2880, nil), nil, "")
		r.RemoteAddr = peer
		if w := serve(s, r); w.Code != 200 {
			t.Fatal(w.Code, w.Body)
		}
		bound := b.last.Session
		if bound != proto.AddressSession(b.last.ClientAddress) {
			t.Errorf("%s: session %s, address %s", peer, bound, b.last.ClientAddress)
		}
		r = newTestRequest("POST", target(7, now, 2880, nil), nil, testCookie)
		r.RemoteAddr = peer
		if w := serve(s, r); w.Code != 200 || !b.last.Session.MayTakeOver(bound, b.last.ClientAddress) {
			t.Errorf("%s: the first cookie from %s may not take %s over", peer, b.last.ClientAddress, bound)
		}
	}
}
