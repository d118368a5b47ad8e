package shard

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
)

// stub is a backend that answers each request with silence of the right
// length and remembers the queries; refuse may refuse.
type stub struct {
	mu      sync.Mutex
	queries []proto.Query
	last    proto.Request
	refuse  func(q proto.Query) error // an answer that refuses
	fail    func() error              // no answer
	hold    func(q proto.Query)       // called before the answer
	upload  func(file string) string  // answers proto.KindUploaded
	clock   proto.Clock
}

func (s *stub) Call(_ context.Context, req *proto.Request, ans *proto.Answer) error {
	pcm := ans.PCM[:0]
	*ans = proto.Answer{}
	if s.fail != nil {
		if err := s.fail(); err != nil {
			return err
		}
	}
	if req.Kind == proto.KindClock {
		ans.Clock = s.clock
		return nil
	}
	if req.Kind == proto.KindUploaded {
		ans.Upload = s.upload(req.Upload)
		return nil
	}
	q, err := proto.ParseQuery(req.QueryString)
	if err != nil {
		panic(err) // the shard lets nothing malformed through
	}
	if s.hold != nil {
		s.hold(q)
	}
	s.mu.Lock()
	s.queries, s.last = append(s.queries, q), *req
	s.mu.Unlock()
	if q.Status {
		ans.Metadata = `{"n_connected_users":3,"max_users":35}`
		return nil
	}
	if s.refuse != nil {
		if err := s.refuse(q); err != nil {
			ans.SetRefusal(proto.AsRefusal(err))
			return nil
		}
	}
	ans.Metadata = fmt.Sprintf(`{"server_clock":%d,"client_read_clock":%d,"n_samples":%d}`, s.clock, q.Read, len(req.PCM))
	ans.Summary = []byte{0, 0}
	ans.PCM = append(pcm, make([]float32, len(req.PCM))...)
	return nil
}

// asked is how many requests came through.
func (s *stub) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queries)
}

// newTestServer makes a shard that is asked through its handler.
func newTestServer(t *testing.T, b Backend, adjust func(*Config)) *Server {
	t.Helper()
	cfg := Config{Backend: b, RefusalDelay: -1, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	if adjust != nil {
		adjust(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

const testCookie = "0123456789abcdef0123456789abcdef"

// ask sends one request to the handler, with the test's cookie.
func ask(s *Server, method, target string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(string(body)))
	r.AddCookie(&http.Cookie{Name: cookieName, Value: testCookie})
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

// target is a singer's request for n samples up to read.
func target(user int, read proto.Clock, n int, extra url.Values) string {
	q := url.Values{
		"userid":     {fmt.Sprint(user)},
		"read_clock": {read.String()},
		"n_samples":  {fmt.Sprint(n)},
	}
	for k, v := range extra {
		q[k] = v
	}
	return "/api?" + q.Encode()
}

// sung is packed Opus of n frames of noise.
func sung(t *testing.T, frames int) []byte {
	t.Helper()
	pcm := make([]float32, frames*proto.FrameSamples)
	for i := range pcm {
		pcm[i] = 0.1 * float32((i*7919)%200-100) / 100
	}
	packed, err := codec.NewEncoder().AppendPacked(nil, pcm)
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

// killMessage reads the header of a refusal; "" if there is none.
func killMessage(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var kill proto.KillHeader
	if err := json.Unmarshal([]byte(w.Header().Get(metadataHeader)), &kill); err != nil || !kill.KillClient {
		t.Errorf("header %q is no refusal (%v)", w.Header().Get(metadataHeader), err)
	}
	return kill.Message
}

// backendFunc is a backend that is one function.
type backendFunc func(*proto.Request, *proto.Answer) error

func (f backendFunc) Call(_ context.Context, req *proto.Request, ans *proto.Answer) error {
	return f(req, ans)
}

// testContext is a context to end by hand.
func testContext(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, cancel
}

// newHandlerOnly makes a shard that does not listen: no goroutine, no socket,
// fit for a bubble of fake time.
func newHandlerOnly(b Backend) *Server {
	cfg := Config{Backend: b}.withDefaults()
	cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	return newServer(cfg)
}
