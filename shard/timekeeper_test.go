package shard

import (
	"errors"
	"testing"
	"time"

	"bucketbrigade/proto"
)

func TestTimekeeperRunsOnFromOneLook(t *testing.T) {
	t.Parallel()
	boot := 100 * time.Second
	b := &stub{clock: now}
	k := newTimekeeper(b)
	k.boot = func() time.Duration { return boot }
	if c, ok := k.now(t.Context()); !ok || c != now {
		t.Errorf("clock %d, %v", c, ok)
	}
	b.fail = func() error { return errors.New("away") }
	boot += 1500 * time.Millisecond
	if c, ok := k.now(t.Context()); !ok || c != now.Add(72000) {
		t.Errorf("1.5 s later: clock %d (%v), want %d", c, ok, now.Add(72000))
	}
	b.fail, b.clock = nil, now.Add(10)
	k.refresh(t.Context())
	if c, _ := k.now(t.Context()); c != now.Add(10) {
		t.Errorf("after a new look: %d, want %d", c, now.Add(10))
	}
}

func TestTimekeeperWithAnOldPeer(t *testing.T) {
	t.Parallel()
	old := backendFunc(func(req *proto.Request, ans *proto.Answer) error {
		*ans = proto.Answer{Error: "unknown request get_clock"}
		if req.Kind == "" {
			*ans = proto.Answer{Metadata: `{"server_clock":86400000000000}`, Summary: []byte{0, 0}, PCM: make([]float32, len(req.PCM))}
		}
		return nil
	})
	s := newTestServer(t, old, nil)
	s.time.boot = func() time.Duration { return 0 }
	c, ok := s.time.now(t.Context())
	if wall := proto.ClockAt(time.Now()); !ok || wall.Sub(c) < 0 || wall.Sub(c) > 60*proto.SampleRate {
		t.Errorf("clock %d (%v), want the wall clock %d", c, ok, wall)
	}
	if w := ask(s, "POST", target(7, now, 2880, nil), nil); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	if c, _ := s.time.now(t.Context()); c != now {
		t.Errorf("clock %d, want the answer's %d", c, now)
	}
}
