package state

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/shard/backendtest"
	"bucketbrigade/shm"
)

// teller is what can be asked for telemetry.
type teller interface {
	Telemetry(context.Context) (io.WriterTo, error)
}

// server is the part of telemetry that says what program tells it.
func server(t *testing.T, from teller) map[string]any {
	t.Helper()
	told, err := from.Telemetry(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if _, err := told.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	var all struct {
		Server map[string]any `json:"server"`
	}
	if err := json.Unmarshal(text.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	return all.Server
}

func TestTelemetryOfALocalState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, err := NewLocal(Settings{Version: "abc", Now: func() proto.Clock { return proto.ClockAt(time.Now()) }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		start(t, l.Run)
		pass := func(d time.Duration) { timer := time.NewTimer(d); <-timer.C }
		pass(10 * time.Second)
		var ans proto.Answer
		if err := l.Call(t.Context(), backendtest.Sing(1, backendtest.Clock(t, l), 2880), &ans); err != nil {
			t.Fatal(err)
		}
		first := server(t, l)
		if first["server_version"] != "abc" || first["server_branch"] != "unknown" || first["server_uptime"] != 10.0 || first["n_connected_users"] != 1.0 {
			t.Errorf("told %v", first)
		}
		pass(999 * time.Millisecond)
		if second := server(t, l); second["server_clock"] != first["server_clock"] {
			t.Errorf("within a second it was copied twice")
		}
		pass(time.Millisecond)
		if third := server(t, l); third["server_clock"] != first["server_clock"].(float64)+proto.SampleRate {
			t.Errorf("after a second the clock was %v, then %v", first["server_clock"], third["server_clock"])
		}
	})
}

func TestTelemetryOfAServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startServer(t, Config{Dir: dir, Segments: []string{"echo01"}, Settings: Settings{Branch: "main"}})
	c := openClient(t, dir, "echo01", shm.ClientConfig{})
	backendtest.Clock(t, c)
	var all sync.WaitGroup
	for range 10 { // while others call
		all.Go(func() {
			if told := server(t, s); told["server_branch"] != "main" {
				t.Errorf("told %v", told)
			}
		})
		backendtest.Clock(t, c)
	}
	all.Wait()
}

func TestTelemetryOfAStateThatStandsStill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, err := NewLocal(Settings{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if _, err := l.Telemetry(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v", err)
				}
			})
		}
		all.Wait()
	})
}

// A reader that takes nothing holds nobody up: the brigade answers on, and so
// does the window.
func TestASlowReaderHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	l, err := NewLocal(Settings{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	start(t, l.Run)
	told, err := l.Telemetry(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() { _, err := told.WriteTo(w); done <- err }()
	backendtest.Clock(t, l)
	server(t, l)
	r.Close()
	if err := <-done; err == nil {
		t.Error("nobody read it, yet it was written")
	}
}

func TestControlAndTokensReachTheBrigade(t *testing.T) {
	t.Parallel()
	const secret = "the conductor's word"
	if _, err := NewLocal(Settings{ControlSecret: "short"}); err == nil || strings.Contains(err.Error(), "short") {
		t.Errorf("a short secret: %v", err)
	}
	l, err := NewLocal(Settings{ControlSecret: secret, VideoToken: func(u proto.UserID) string { return "T" + u.String() }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	start(t, l.Run)
	var ans proto.Answer
	if err := l.Call(t.Context(), &proto.Request{ControlSecret: secret}, &ans); err != nil || ans.Refusal() != nil || !strings.Contains(ans.Metadata, `"song_end_clock"`) {
		t.Errorf("%+v, %v", ans, err)
	}
	if err := l.Call(t.Context(), backendtest.Sing(5, backendtest.Clock(t, l), 2880), &ans); err != nil || !strings.Contains(ans.Metadata, `"twilio_token":"T5"`) {
		t.Errorf("%+v, %v", ans, err)
	}
}
