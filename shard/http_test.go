package shard

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bucketbrigade/proto"
)

const now = proto.Clock(86400000000000)

func TestOptionsAndOtherMethods(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, &stub{clock: now}, nil)
	w := ask(s, http.MethodOptions, "/api/01", nil)
	if w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("Access-Control-Max-Age") != "86400" {
		t.Errorf("OPTIONS: %d %q %v", w.Code, w.Body.String(), w.Header())
	}
	for _, m := range []string{http.MethodPut, http.MethodDelete, http.MethodHead, http.MethodPatch} {
		w := ask(s, m, "/api/01", nil)
		if w.Code != http.StatusMethodNotAllowed || !strings.Contains(killMessage(t, w), m) || w.Header().Get("Allow") == "" {
			t.Errorf("%s: %d %v", m, w.Code, w.Header())
		}
	}
}

func TestStatusIsItsBody(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, &stub{clock: now}, nil)
	w := ask(s, http.MethodPost, "/api?action=status", nil)
	if w.Code != 200 || w.Body.String() != `{"n_connected_users":3,"max_users":35}` {
		t.Errorf("%d %q", w.Code, w.Body.String())
	}
	if got := w.Header().Get(metadataHeader); got != `{"metadata_len":38}` {
		t.Errorf("header %s", got)
	}
}

func TestSongAnswer(t *testing.T) {
	t.Parallel()
	b := &stub{clock: now}
	s := newTestServer(t, b, nil)
	const frames = 10
	w := ask(s, http.MethodPost, target(7, now, frames*proto.FrameSamples, url.Values{"write_clock": {(now - 60000).String()}}), sung(t, frames))
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var length proto.LengthHeader
	if err := json.Unmarshal([]byte(w.Header().Get(metadataHeader)), &length); err != nil {
		t.Fatal(err)
	}
	body := w.Body.Bytes()
	var md proto.Metadata
	if err := json.Unmarshal(body[:length.MetadataLen], &md); err != nil || md.ClientReadClock != now {
		t.Errorf("metadata %s: %v", body[:length.MetadataLen], err)
	}
	summary, packed, err := proto.CutSummary(body[length.MetadataLen:])
	if err != nil || len(summary) != 2 {
		t.Fatalf("summary %x: %v", summary, err)
	}
	packets, err := proto.ParsePackets(nil, packed)
	if err != nil || len(packets) != frames {
		t.Errorf("%d packets (%v), want %d", len(packets), err, frames)
	}
	if rms := b.queries[0].RMS; rms < 0.01 || rms > 0.2 {
		t.Errorf("the state was told rms_volume %g of noise between ±0.1", rms)
	}
	if b.last.Session != proto.CookieSession(testCookie) || b.last.ClientAddress != "192.0.2.1" {
		t.Errorf("session %q, address %q", b.last.Session, b.last.ClientAddress)
	}
}

func TestLyricsCross(t *testing.T) {
	t.Parallel()
	b := &stub{clock: now}
	s := newTestServer(t, b, nil)
	prefix := `{"lyrics":"line one\nünï","request":"get_telemetry","x":1}`
	w := ask(s, http.MethodPost, target(7, now, 2880, url.Values{"json_len": {strconv.Itoa(len(prefix))}}), []byte(prefix))
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if b.last.Lyrics == nil || *b.last.Lyrics != "line one\nünï" || b.last.Kind != "" {
		t.Errorf("lyrics %v, kind %q: only the lyrics may cross", b.last.Lyrics, b.last.Kind)
	}
}

func TestRefusalAnswer(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, &stub{clock: now}, nil)
	w := ask(s, http.MethodPost, "/api?userid=7&read_clock=1&n_samples=77%C3%A9", nil)
	if w.Code != 400 || !strings.Contains(killMessage(t, w), `77\u00e9`) {
		t.Errorf("%d %s", w.Code, w.Header().Get(metadataHeader))
	}
	for _, c := range []byte(w.Header().Get(metadataHeader)) {
		if c >= 0x80 {
			t.Fatalf("header %q is not ASCII", w.Header().Get(metadataHeader))
		}
	}
	if w.Header().Get("Access-Control-Expose-Headers") != metadataHeader || !strings.Contains(w.Body.String(), "n_samples") {
		t.Errorf("headers %v, body %q", w.Header(), w.Body)
	}
}

func TestServerAwayIs503WithRetryAfter(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, &stub{fail: func() error { return proto.Refuse(503, "away") }}, nil)
	w := ask(s, http.MethodPost, target(7, now, 2880, nil), nil)
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || killMessage(t, w) != "away" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func TestOnlyWhatNoRetryHealsIsDelayed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code int
		want time.Duration
	}{{400, time.Second}, {403, time.Second}, {413, time.Second}, {429, time.Second}, {409, 0}, {503, 0}} {
		synctest.Test(t, func(t *testing.T) {
			b := &stub{clock: now, refuse: func(proto.Query) error { return proto.Refuse(c.code, "no") }}
			s := newHandlerOnly(b)
			start := time.Now()
			w := ask(s, http.MethodPost, target(7, now, 2880, nil), nil)
			if got := time.Since(start); w.Code != c.code || got != c.want {
				t.Errorf("status %d after %v, want %d after %v", w.Code, got, c.code, c.want)
			}
		})
	}
}

func TestBodyTooLong(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, &stub{clock: now}, nil)
	w := ask(s, http.MethodPost, target(7, now, 2880, nil), make([]byte, proto.MaxBodyBytes+1))
	if w.Code != 413 || !strings.Contains(killMessage(t, w), "262144") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestAnswersThatMakeNoSense(t *testing.T) {
	t.Parallel()
	short := backendFunc(func(req *proto.Request, ans *proto.Answer) error {
		*ans = proto.Answer{Metadata: "{}", Summary: []byte{0, 0}, PCM: make([]float32, 5)}
		return nil
	})
	empty := backendFunc(func(req *proto.Request, ans *proto.Answer) error { *ans = proto.Answer{}; return nil })
	broken := backendFunc(func(*proto.Request, *proto.Answer) error { return errors.New("broken") })
	for _, c := range []struct {
		name string
		b    Backend
		code int
	}{{"too few samples", short, 502}, {"no metadata", empty, 502}, {"an error of ours", broken, 500}} {
		w := ask(newTestServer(t, c.b, nil), http.MethodPost, target(7, now, 2880, nil), nil)
		if w.Code != c.code {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.code)
		}
	}
}

func TestLongForeignReasonsAreCut(t *testing.T) {
	t.Parallel()
	b := backendFunc(func(_ *proto.Request, ans *proto.Answer) error {
		*ans = proto.Answer{Error: strings.Repeat("\u00e9\n", 5000)}
		return nil
	})
	w := ask(newTestServer(t, b, nil), http.MethodPost, target(7, now, 2880, nil), nil)
	if n := len(w.Header().Get(metadataHeader)); w.Code != 500 || n > 4000 || killMessage(t, w) == "" {
		t.Errorf("status %d, a header of %d bytes", w.Code, n)
	}
}

func TestTheLongestQueryReachesTheState(t *testing.T) {
	t.Parallel()
	b := &stub{clock: now}
	s := newTestServer(t, b, nil)
	base := target(7, now, 2880, nil) + "&x="
	query := base + strings.Repeat("y", proto.MaxQueryBytes-len(base)+len("/api?"))
	if w := ask(s, http.MethodPost, query, nil); w.Code != 200 || b.asked() != 1 {
		t.Errorf("a query of 16 kB: %d %s", w.Code, w.Body)
	}
	if w := ask(s, http.MethodPost, query+"y", nil); w.Code != 413 {
		t.Errorf("one byte more: %d", w.Code)
	}
}

func TestServesOverTCPAndStops(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, &stub{clock: now}, nil)
	ctx, stop := testContext(t)
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	resp, err := http.Get("http://" + s.Addr().String() + "/api/01")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 || len(resp.Cookies()) != 1 {
		t.Errorf("status %d, cookies %v", resp.StatusCode, resp.Cookies())
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestHeadersAreASCII(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain": "plain", "\u00e9": `\u00e9`, "\U0001f3b5": `\ud83c\udfb5`, "a\x7fb": `a\u007fb`,
	} {
		if got := asciiJSON([]byte(in)); got != want {
			t.Errorf("%q became %s, want %s", in, got, want)
		}
	}
}
