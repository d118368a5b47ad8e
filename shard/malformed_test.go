package shard

import (
	"net/http"
	"strings"
	"testing"

	"bucketbrigade/proto"
	"bucketbrigade/proto/prototest"
)

// judgedByTheState are the malformed requests that a shard cannot know to be
// so: they depend on the server clock.
var judgedByTheState = map[string]bool{
	"read_clock in the future":        true,
	"read_clock older than the ring":  true,
	"write_clock in the future":       true,
	"write_clock older than the ring": true,
}

func TestNothingMalformedReachesTheStateOrTheCodecs(t *testing.T) {
	t.Parallel()
	b := &stub{clock: now}
	s := newTestServer(t, b, nil)
	first := target(7, now, 2880, nil)
	if w := ask(s, http.MethodPost, first, nil); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	known := s.roster.singers[testKey]
	decoder, listener, next := known.decoder, known.listener, known.next
	judged := 0
	for _, c := range prototest.Malformed() {
		if judgedByTheState[c.Name] {
			judged++
			continue
		}
		// Clocks that join, so that nothing but the fault stands in the way.
		w := ask(s, http.MethodPost, "/api?"+c.Fill(7, now.Add(2880), now.Add(-57120)), c.Body)
		if w.Code != c.Code || !strings.Contains(killMessage(t, w), c.Names) {
			t.Errorf("%s: %d %s, want %d that names %q", c.Name, w.Code, w.Body, c.Code, c.Names)
		}
		if w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("Access-Control-Expose-Headers") != metadataHeader {
			t.Errorf("%s: headers %v", c.Name, w.Header())
		}
		if b.asked() != 1 {
			t.Fatalf("%s: reached the state", c.Name)
		}
		if s.roster.singers[testKey] != known || known.decoder != decoder || known.listener != listener || known.next != next || s.roster.len() != 1 {
			t.Fatalf("%s: touched the singer", c.Name)
		}
	}
	if judged != len(judgedByTheState) {
		t.Errorf("%d requests were left to the state, want %d", judged, len(judgedByTheState))
	}
	if w := ask(s, http.MethodPost, target(7, now.Add(2880), 2880, nil), nil); w.Code != 200 {
		t.Errorf("the singer goes on: %d %s", w.Code, w.Body)
	}
}

func TestWhatTheTableAssumesToBeFineIs(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, &stub{clock: now}, nil)
	c := prototest.Case{Query: "userid={userid}&n_samples=2880&username=ann&read_clock={read_clock}"}
	if w := ask(s, http.MethodPost, "/api?"+c.Fill(7, now, now.Add(-60000)), nil); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	c.Query += "&write_clock={write_clock}&json_len=17"
	body := append([]byte(`{"lyrics": "la" }`), proto.AppendPacket(proto.AppendPacking(nil, 1), []byte{3 << 3})...)
	if w := ask(s, http.MethodPost, "/api?"+c.Fill(7, now.Add(2880), now.Add(-60000)), body); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
