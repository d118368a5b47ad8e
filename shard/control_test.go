package shard

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bucketbrigade/proto"
)

// conduct sends a request without userid.
func conduct(s *Server, query, authorization, body string) *httptest.ResponseRecorder {
	r := newTestRequest(http.MethodPost, "/api?"+query, []byte(body), testCookie)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return serve(s, r)
}

func TestControlReachesTheState(t *testing.T) {
	t.Parallel()
	const secret = "a long enough secret"
	nonces := make(map[string]bool)
	for _, c := range []struct {
		name, query, authorization string
		want                       proto.Secret
	}{
		{"header", "mark_start_singing=1", "Bearer " + secret, secret},
		{"scheme in small letters", "n_samples=0", "bearer  " + secret + " ", secret},
		{"query", "secret=a+long+enough+secret", "", ""}, // it is read there
		{"another scheme", "x=1", "Basic abcdef", ""},
		{"scheme alone", "x=1", "Bearer", ""},
		{"nothing", "", "", ""},
		{"longest", "", "Bearer " + strings.Repeat("s", 256), proto.Secret(strings.Repeat("s", 256))},
	} {
		b := &stub{clock: now}
		w := conduct(newTestServer(t, b, nil), c.query, c.authorization, "")
		if w.Code != 200 || w.Body.String() != `{"server_clock":86400000000000,"client_read_clock":0,"n_samples":0}` {
			t.Fatalf("%s: %d %s", c.name, w.Code, w.Body)
		}
		var length proto.LengthHeader
		if err := json.Unmarshal([]byte(w.Header().Get(metadataHeader)), &length); err != nil || length.MetadataLen != w.Body.Len() {
			t.Errorf("%s: header %s of %d bytes", c.name, w.Header().Get(metadataHeader), w.Body.Len())
		}
		if b.last.ControlSecret != c.want || b.last.QueryString != c.query || len(b.last.PCM) != 0 || b.last.Session != "" {
			t.Errorf("%s: the state was asked %+v", c.name, b.last)
		}
		if n := b.last.Nonce; n == "" || len(n) > proto.MaxNonceBytes || nonces[n] {
			t.Errorf("%s: nonce %q", c.name, n)
		}
		nonces[b.last.Nonce] = true
	}
}

func TestControlIsAnEmptyPost(t *testing.T) {
	t.Parallel()
	b := &stub{clock: now}
	s := newTestServer(t, b, nil)
	for _, c := range []struct {
		name, query, authorization, body string
		code                             int
		says                             string
	}{
		{"body", "", "Bearer x", "\x01", 400, "userid"},
		{"n_samples", "n_samples=2880", "Bearer x", "", 400, "userid"},
		{"prefix", "json_len=2", "Bearer x", "{}", 400, "userid"},
		{"no prefix", "json_len=0", "Bearer x", "", 400, "userid"},
		{"loudness", "rms_volume=1", "Bearer x", "", 400, "rms_volume"},
		{"malformed", "bpm=501", "Bearer x", "", 400, "bpm"},
		{"secret too long", "", "Bearer " + strings.Repeat("s", 257), "", 413, "257"},
	} {
		w := conduct(s, c.query, c.authorization, c.body)
		if w.Code != c.code || !strings.Contains(killMessage(t, w), c.says) {
			t.Errorf("%s: %d %s, want %d that says %s", c.name, w.Code, w.Body, c.code, c.says)
		}
	}
	if b.asked() != 0 {
		t.Errorf("%d of them reached the state", b.asked())
	}
}

func TestASingerBringsNoSecretAcross(t *testing.T) {
	t.Parallel()
	b := &stub{clock: now}
	r := newTestRequest(http.MethodPost, target(7, now, 2880, nil), nil, testCookie)
	r.Header.Set("Authorization", "Bearer a long enough secret")
	if w := serve(newTestServer(t, b, nil), r); w.Code != 200 || b.last.ControlSecret != "" || b.last.Nonce != "" {
		t.Errorf("%d, the state was asked %+v", w.Code, b.last)
	}
}

// Guessing is slow, and what was guessed is not logged.
func TestWrongSecretsAreDelayed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newHandlerOnly(&stub{clock: now, refuse: func(proto.Query) error { return proto.Refuse(403, "not the secret") }})
		var log bytes.Buffer
		s.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
		begin := time.Now()
		w := conduct(s, "secret=guess-in-the-query", "Bearer guess-in-the-header", "")
		if d := time.Since(begin); w.Code != 403 || d != time.Second {
			t.Errorf("%d after %v", w.Code, d)
		}
		s.tally.report(s.cfg.Log)
		if strings.Contains(log.String(), "guess") || !strings.Contains(log.String(), "403") {
			t.Errorf("logged %s", &log)
		}
	})
}
