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
	if n := h.shard.Stats(); n.Streams != 0 || n.PrivateEncodes != 3*batch/proto.FrameSamples || h.brought != 3*batch {
		t.Errorf("%+v, and %d samples brought", n, h.brought)
	}
}
