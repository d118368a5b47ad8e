package metrics

import (
	"errors"
	"testing"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	var alive, ready error
	s := newTest(t, Config{Alive: func() error { return alive }, Ready: func() error { return ready }})
	bare := newTest(t, Config{})
	for _, c := range []struct {
		s            *Server
		path         string
		alive, ready error
		code         int
		says         string
	}{
		{s, "/healthz", nil, errors.New("the state server is away"), 200, "ok\n"},
		{s, "/healthz", errors.New("it hangs"), nil, 503, "it hangs\n"},
		{s, "/readyz", nil, nil, 200, "ok\n"},
		{s, "/readyz", nil, errors.New("the state server is away"), 503, "the state server is away\n"},
		{bare, "/healthz", nil, nil, 200, "ok\n"},
		{bare, "/readyz", nil, nil, 200, "ok\n"},
	} {
		alive, ready = c.alive, c.ready
		if w := get(c.s, "GET", c.path, "localhost"); w.Code != c.code || w.Body.String() != c.says {
			t.Errorf("%s: %d %q, want %d %q", c.path, w.Code, w.Body, c.code, c.says)
		}
	}
}
