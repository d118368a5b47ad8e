package shard

import (
	"net/http"
	"net/url"
	"testing"

	"bucketbrigade/proto"
)

// A state server of the first generation answers in full and knows no snapped
// clocks. A session learns that from its first answer; from then on it asks as
// shards of that generation did, silence included, and hears all by itself.
func TestStateServerOfTheFirstGeneration(t *testing.T) {
	t.Parallel()
	b := &stub{clock: now}
	s := newTestServer(t, b, nil)
	read := now.Add(1234)
	step := func(extra url.Values) proto.Request {
		t.Helper()
		if w := ask(s, http.MethodPost, target(7, read, batch, extra), nil); w.Code != http.StatusOK {
			t.Fatal(w.Code, w.Body)
		}
		read = read.Add(batch)
		return b.last
	}
	for range 2 { // connections
		first := step(url.Values{"reset_user_state": {"1"}})
		if first.ReadEnd == nil || *first.ReadEnd%proto.FrameSamples != 0 || first.Want == nil || len(first.PCM) != batch {
			t.Errorf("the first request asks for %v up to %v with %d samples", first.Want, first.ReadEnd, len(first.PCM))
		}
		for range 3 {
			if r := step(nil); r.ReadEnd != nil || r.Want != nil || r.Held != nil || len(r.PCM) != batch {
				t.Errorf("a later one asks for %v up to %v, holds %v, with %d samples", r.Want, r.ReadEnd, r.Held, len(r.PCM))
			}
		}
	}
	if n := s.Stats(); n.SharedEncodes != 0 || n.SharedFrames != 0 || n.PrivateEncodes != 8*batch/proto.FrameSamples {
		t.Errorf("%+v, want everything private", n)
	}
}

// Asked to, a shard treats the newest state server like that.
func TestPrivateShardSharesNothing(t *testing.T) {
	t.Parallel()
	h := newHall(t, func(c *Config) { c.Private = true })
	g := h.enter(1, 3*proto.SampleRate+777)
	for range 3 {
		g.step(batch, nil)
		if g.last.ClientReadClock != g.read {
			t.Errorf("told %d, asked for %d", g.last.ClientReadClock, g.read)
		}
	}
	if n := h.shard.Stats(); n.Streams != 0 || n.PrivateEncodes != 3*batch/proto.FrameSamples || h.sent != 3*batch {
		t.Errorf("%+v, and %d samples sent", n, h.sent)
	}
}

// Once such a shard knows that the state server is not of the first generation, it
// brings it no silence; what is sung, and what it hears, is as ever.
func TestPrivateShardBringsNoSilence(t *testing.T) {
	t.Parallel()
	h := newHall(t, func(c *Config) { c.Private = true })
	singer, listener := h.enter(1, 3*proto.SampleRate), h.enter(2, 6*proto.SampleRate)
	listener.step(batch, nil) // from which it learns
	if h.brought != batch {
		t.Errorf("the first request brought %d samples", h.brought)
	}
	singer.voice = singing([]float32{0.1, 0.2, -0.1, -0.2})
	singer.step(batch, nil) // connects
	before := h.brought
	for k := range 3 {
		h.pass(batch)
		singer.step(batch, nil)
		if n := h.brought - before; n != batch {
			t.Errorf("round %d: the singer brought %d samples, want %d", k, n, batch)
		}
		listener.step(batch, nil)
		if n := h.brought - before; n != batch {
			t.Errorf("round %d: who is silent brought %d samples", k, n-batch)
		}
		before = h.brought
		if listener.last.ClientReadClock != listener.read {
			t.Errorf("round %d: told %d, asked for %d", k, listener.last.ClientReadClock, listener.read)
		}
	}
}

// What a private shard wants instead of bringing silence is a span that can be said:
// the state server itself refuses what lies too far back.
func TestPrivateShardWantsNothingBeforeAllClocks(t *testing.T) {
	t.Parallel()
	b := &stub{clock: now}
	s := newTestServer(t, b, func(c *Config) { c.Private = true })
	s.modern.Store(true)
	ask(s, http.MethodPost, target(7, 5, batch, nil), nil)
	if w := b.last.Want; w == nil || *w != (proto.Span{From: 0, To: 5}) {
		t.Errorf("it wants %v", w)
	}
}

// To one of the first generation it brings all silence, and says nothing that such
// a one does not know.
func TestPrivateShardBringsTheFirstGenerationAll(t *testing.T) {
	t.Parallel()
	b := &stub{clock: now}
	s := newTestServer(t, b, func(c *Config) { c.Private = true })
	for k := range 4 {
		if w := ask(s, http.MethodPost, target(7, now.Add(k*batch), batch, nil), nil); w.Code != http.StatusOK {
			t.Fatal(w.Code, w.Body)
		}
		if r := b.last; len(r.PCM) != batch || r.Want != nil || r.ReadEnd != nil || r.Held != nil {
			t.Errorf("request %d: %d samples, wants %v up to %v, holds %v", k, len(r.PCM), r.Want, r.ReadEnd, r.Held)
		}
	}
}
