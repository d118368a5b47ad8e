package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// site is a server that counts its connections.
func site(t *testing.T, secure bool, handler http.HandlerFunc) (b *browser, connections *atomic.Int32, server *httptest.Server) {
	t.Helper()
	connections = new(atomic.Int32)
	server = httptest.NewUnstartedServer(handler)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	l := newLine(nil)
	if secure {
		server.StartTLS()
		l.tls = server.Client().Transport.(*http.Transport).TLSClientConfig
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	t.Cleanup(l.close)
	target, err := url.Parse(server.URL + "/api")
	if err != nil {
		t.Fatal(err)
	}
	return &browser{transport: l, target: target}, connections, server
}

// ask posts and gives the body of the answer.
func ask(ctx context.Context, b *browser, query, body string) (string, error) {
	text := ""
	_, err := b.do(ctx, http.MethodPost, query, []byte(body), func(_ http.Header, body []byte) error {
		text = string(body)
		return nil
	})
	return text, err
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	http.SetCookie(w, &http.Cookie{Name: "brigade", Value: "abc"})
	cookie, _ := r.Cookie("brigade")
	if strings.Contains(r.URL.RawQuery, "chunked") {
		w.(http.Flusher).Flush()
	}
	fmt.Fprint(w, r.Method, " ", r.URL, " ", string(body), " ", cookie)
	fmt.Fprint(w, strings.Repeat("x", 20000))
}

func TestLine(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		b, connections, _ := site(t, secure, echo)
		for k, want := range []string{
			"POST /api?a=1 body ", "POST /api?a=1&chunked body brigade=abc", "POST /api?a=1 body brigade=abc",
		} {
			query := "a=1"
			if k == 1 {
				query += "&chunked"
			}
			got, err := ask(t.Context(), b, query, "body")
			if err != nil || !strings.HasPrefix(got, want+"xx") || len(got) != len(want)+20000 {
				t.Errorf("%.60q (%d bytes), %v; want %q", got, len(got), err, want)
			}
		}
		if n := connections.Load(); n != 1 {
			t.Errorf("%d connections for three requests", n)
		}
	}
}

// A connection that the server has closed meanwhile is replaced, body and all.
func TestLineReplacesAClosedConnection(t *testing.T) {
	t.Parallel()
	b, connections, server := site(t, false, echo)
	for range 2 {
		if got, err := ask(t.Context(), b, "", "body"); err != nil || !strings.HasPrefix(got, "POST /api body") {
			t.Errorf("%.30q, %v", got, err)
		}
		server.CloseClientConnections()
	}
	if n := connections.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
	server.Close()
	var f *fault
	if _, err := ask(t.Context(), b, "", "body"); !errors.As(err, &f) || f.kind != KindConnection {
		t.Errorf("a server that is gone: %v", err)
	}
}

func TestLineEndsWithItsContext(t *testing.T) {
	t.Parallel()
	came := make(chan struct{})
	leave := make(chan struct{})
	b, connections, _ := site(t, false, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "slow" {
			return
		}
		close(came)
		<-leave
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { _, err := ask(ctx, b, "slow", ""); ended <- err }()
	<-came
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(leave)
	if _, err := ask(t.Context(), b, "", ""); err != nil {
		t.Error(err)
	}
	if n := connections.Load(); n != 2 {
		t.Errorf("%d connections, want 2: the one that was given up cannot be used", n)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	b, _, _ := site(t, false, func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusServiceUnavailable
		if r.URL.RawQuery == "clocks" {
			status = http.StatusConflict
		}
		http.Error(w, "come back later", status)
	})
	for query, want := range map[string]string{"": "status 503: status 503: come back later", "clocks": "desync: status 409: come back later"} {
		if _, err := ask(t.Context(), b, query, ""); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
