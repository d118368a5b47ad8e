package metrics

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// text is telemetry that is a text.
type text string

func (t text) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, string(t))
	return int64(n), err
}

func told(context.Context) (io.WriterTo, error) { return text(`{"request_time":1}`), nil }

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// newTest makes a listener until the test ends.
func newTest(t *testing.T, cfg Config) *Server {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = quiet()
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func get(s *Server, method, target, host string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.Host = host
	w := httptest.NewRecorder()
	s.http.Handler.ServeHTTP(w, r)
	return w
}

func TestOnlyLoopback(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ addr, says string }{
		{"127.0.0.1:0", ""}, {"127.1.2.3:0", ""}, {"localhost:0", ""},
		{"0.0.0.0:0", "no loopback address"}, {":0", "no loopback address"}, {"[::]:0", "no loopback address"},
		{"192.0.2.1:9101", "no loopback address"}, {"127.0.0.1", "127.0.0.1:9101"}, {"127.0.0.1:port", "127.0.0.1:9101"}, {"9101", "127.0.0.1:9101"},
	} {
		s, err := New(Config{Addr: c.addr, Log: quiet()})
		if err == nil {
			if ip := s.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
				t.Errorf("%q listens on %v", c.addr, ip)
			}
			s.Close()
		}
		if (err == nil) != (c.says == "") || err != nil && (!strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "-metrics: ")) {
			t.Errorf("%q: %v, want an error that says %q", c.addr, err, c.says)
		}
	}
	taken := newTest(t, Config{Addr: "127.0.0.1:0"})
	if _, err := New(Config{Addr: taken.Addr().String()}); err == nil || !strings.Contains(err.Error(), "choose another address") {
		t.Errorf("a port in use: %v", err)
	}
}

func TestWhatIsTold(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{Telemetry: told})
	s.Handle("/more", "something more", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "more") }))
	bare := newTest(t, Config{})
	for _, c := range []struct {
		s              *Server
		method, target string
		code           int
		says           string
	}{
		{s, "GET", "/api/telemetry", 200, `{"request_time":1}`},
		{s, "GET", "/telemetry", 200, `{"request_time":1}`},
		{s, "GET", "/more", 200, "more"},
		{s, "GET", "/debug/pprof/", 200, "goroutine"},
		{s, "GET", "/debug/pprof/heap?debug=1", 200, "heap profile"},
		{s, "GET", "/debug/pprof/cmdline", 200, "metrics.test"},
		{s, "GET", "/", 404, "/api/telemetry   all that"},
		{s, "GET", "/telemetry/x", 404, "/more            something more"},
		{s, "GET", "/api/get_profile", 404, "/debug/pprof/    profiles"},
		{s, "POST", "/telemetry", 404, "There is:"},
		{bare, "GET", "/api/telemetry", 404, "/debug/pprof/"},
	} {
		w := get(c.s, c.method, c.target, "127.0.0.1:9101")
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %s: %d %.200q, want %d and %q", c.method, c.target, w.Code, w.Body, c.code, c.says)
		}
		if strings.Contains(w.Body.String(), "telemetry") && c.s == bare {
			t.Error("telemetry is offered where there is none")
		}
	}
	w := get(s, "GET", "/api/telemetry", "localhost")
	if h := w.Header(); h.Get("Content-Type") != "application/json" || h.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("headers %v", h)
	}
}

// A page in the operator's browser cannot ask under its own name.
func TestHostMustBeLoopback(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{Telemetry: told})
	for host, want := range map[string]int{
		"127.0.0.1": 200, "127.0.0.1:9101": 200, "[::1]:9101": 200, "[::1]": 200, "localhost:9101": 200, "127.8.9.1:1": 200,
		"evil.example": 403, "evil.example:9101": 403, "localhost.evil.example": 403, "192.0.2.1:9101": 403, "": 403, "0.0.0.0:9101": 403,
	} {
		if w := get(s, "GET", "/telemetry", host); w.Code != want {
			t.Errorf("Host %q: %d, want %d", host, w.Code, want)
		}
	}
}

func TestBrigadeThatDoesNotAnswerIs503(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTest(t, Config{Telemetry: func(ctx context.Context) (io.WriterTo, error) { <-ctx.Done(); return nil, ctx.Err() }})
		begin := time.Now()
		w := get(s, "GET", "/telemetry", "localhost")
		if d := time.Since(begin); w.Code != 503 || d != telemetryPatience || !strings.Contains(w.Body.String(), "does not answer") {
			t.Errorf("%d %q after %v", w.Code, w.Body, d)
		}
	})
}

// broken is telemetry that ends in the middle.
type broken struct{}

func (broken) WriteTo(w io.Writer) (int64, error) {
	n, _ := io.WriteString(w, "{")
	return int64(n), errors.New("broken")
}

func TestRunsBesideAndEndsWithIt(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var calls atomic.Int64
	s := newTest(t, Config{Addr: "127.0.0.1:0", Log: slog.New(slog.NewTextHandler(&log, nil)), Telemetry: func(context.Context) (io.WriterTo, error) {
		if calls.Add(1) > 1 {
			return broken{}, nil
		}
		return text("all"), nil
	}})
	url := "http://" + s.Addr().String()
	failure := errors.New("failure")
	err := s.Beside(t.Context(), func(ctx context.Context) error {
		resp, err := http.Get(url + "/telemetry")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(body) != "all" {
			t.Errorf("%s, %v", body, err)
		}
		if resp, err := http.Get(url + "/telemetry"); err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
			if err == nil {
				t.Error("half of it looks like all of it")
			}
		}
		return failure
	})
	if !errors.Is(err, failure) {
		t.Errorf("error %v", err)
	}
	if _, err := net.Dial("tcp", s.Addr().String()); err == nil {
		t.Error("it still listens")
	}
	if !strings.Contains(log.String(), "msg=metrics addr="+s.Addr().String()) {
		t.Errorf("logged %s", &log)
	}
}

// Whoever is told to end and takes time for it is listened for until he has ended.
func TestListensWhileWhatRunsBesideStops(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{Addr: "127.0.0.1:0", Ready: func() error { return errors.New("it is stopping") }})
	ctx, stop := context.WithCancel(t.Context())
	err := s.Beside(ctx, func(ctx context.Context) error {
		stop()
		<-ctx.Done()
		<-time.After(2 * shutdownGrace) // a listener that ended with ctx would be gone
		resp, err := http.Get("http://" + s.Addr().String() + "/readyz")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "it is stopping\n" {
			t.Errorf("%q, %v", body, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestNothingToldListensNowhere(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	ran := false
	if err := s.Beside(t.Context(), func(context.Context) error { ran = true; return nil }); err != nil || !ran || s.Addr() != nil {
		t.Errorf("ran %t, %v, address %v", ran, err, s.Addr())
	}
}

// A profile under way does not hold the program up for long.
func TestEndsInSpiteOfAProfile(t *testing.T) {
	t.Parallel()
	began, ended := make(chan struct{}), make(chan struct{})
	s := newTest(t, Config{Addr: "127.0.0.1:0"})
	s.Handle("/slow", "never ends", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { close(began); <-r.Context().Done(); close(ended) }))
	err := s.Beside(t.Context(), func(context.Context) error {
		go func() {
			if resp, err := http.Get("http://" + s.Addr().String() + "/slow"); err == nil {
				resp.Body.Close()
			}
		}()
		<-began
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	late := time.NewTimer(5 * time.Second)
	defer late.Stop()
	select {
	case <-ended:
	case <-late.C:
		t.Error("the profile goes on")
	}
}
