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

// slowBackend tells the clock as it was when half of took was over.
func slowBackend(boot *time.Duration, took *time.Duration, lead *int) Backend {
	return backendFunc(func(_ *proto.Request, ans *proto.Answer) error {
		*boot += *took / 2
		*ans = proto.Answer{Clock: proto.Clock(*lead + proto.DurationSamples(*boot))}
		*boot += *took / 2
		return nil
	})
}

func TestTimekeeperKeepsWhatAQuickAnswerTold(t *testing.T) {
	t.Parallel()
	boot, took, lead := 100*time.Second, time.Second, int(now)
	k := newTimekeeper(slowBackend(&boot, &took, &lead))
	k.boot = func() time.Duration { return boot }
	for _, c := range []struct {
		name string
		took time.Duration
		lead int // of the server
		want int
	}{
		{"slow, and nothing better known", time.Second, int(now), int(now) - 24000},
		{"quick", time.Millisecond, int(now), int(now) - 24},
		{"slow again", time.Second, int(now), int(now) - 24},
		{"set forward", time.Millisecond, int(now) + 100, int(now) + 76},
		{"set back", time.Millisecond, int(now) - 48000, int(now) - 48024},
		{"set back by less than a slow answer tells", time.Second, int(now) - 50000, int(now) - 48024},
		{"the next quick one does", time.Millisecond, int(now) - 50000, int(now) - 50024},
	} {
		took, lead = c.took, c.lead
		k.refresh(t.Context())
		if k.lead != c.want {
			t.Errorf("%s: %d samples off, want %d", c.name, k.lead-lead, c.want-lead)
		}
	}
}

func TestTimekeeperTrustsANewPeerAgain(t *testing.T) {
	t.Parallel()
	old := true
	k := newTimekeeper(backendFunc(func(_ *proto.Request, ans *proto.Answer) error {
		*ans = proto.Answer{Clock: now}
		if old {
			*ans = proto.Answer{Error: "unknown request get_clock"}
		}
		return nil
	}))
	k.refresh(t.Context())
	if !k.wantsMetadata() {
		t.Error("an old peer's clock is in its answers")
	}
	old = false
	k.refresh(t.Context())
	if k.wantsMetadata() {
		t.Error("a new peer tells its clock when asked")
	}
}
