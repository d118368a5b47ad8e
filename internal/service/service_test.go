package service

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// manager is a service manager that writes down what it is told.
type manager struct {
	mu   sync.Mutex
	told []string
	fail error
}

func (m *manager) send(state string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.told = append(m.told, state)
	return m.fail
}

// take gives what was told since the last time.
func (m *manager) take() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	told := m.told
	m.told = nil
	return told
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// begin runs a service in a bubble until the context ends and release is called.
func begin(t *testing.T, cfg Config) (s *Service, stop context.CancelFunc, release func() error) {
	cfg.Log = quiet()
	s = New(cfg)
	ctx, stop := context.WithCancel(t.Context())
	over, done := make(chan struct{}), make(chan error, 1)
	failure := errors.New("ended")
	go func() { done <- s.Beside(ctx, func(context.Context) error { <-over; return failure }) }()
	return s, stop, func() error {
		close(over)
		if err := <-done; err != failure {
			return errors.New("the error of what ran is lost")
		}
		return nil
	}
}

func TestManagerIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m manager
		var status atomic.Value
		status.Store("singers 1")
		s, stop, release := begin(t, Config{Send: m.send, Status: func() string { return status.Load().(string) }, Watchdog: 10 * time.Second})
		check := func(when string, want ...string) {
			t.Helper()
			synctest.Wait()
			if got := m.take(); !slices.Equal(got, want) {
				t.Errorf("%s: told %q, want %q", when, got, want)
			}
		}
		<-time.After(time.Minute)
		check("before it works")
		s.Beat()
		check("first beat", "READY=1\nSTATUS=singers 1\nWATCHDOG=1")
		s.Beat()
		check("another beat at once")
		<-time.After(2600 * time.Millisecond)
		check("a quarter of the watchdog's time later, without a beat")
		s.Beat()
		check("with a beat", "WATCHDOG=1")
		<-time.After(6 * time.Second)
		check("the same status")
		status.Store("singers 2")
		<-time.After(6 * time.Second)
		check("another status", "STATUS=singers 2")
		stop()
		check("it stops", "STOPPING=1\nSTATUS=stopping: singers 2")
		status.Store("singers 3")
		<-time.After(6 * time.Second)
		check("it is stopping, another status", "STATUS=stopping: singers 3")
		s.Beat()
		check("it is stopping and works", "WATCHDOG=1")
		if err := release(); err != nil {
			t.Error(err)
		}
	})
}

// A program that ends as soon as it is told to still tells that it stops.
func TestAQuickStopIsTold(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for range 30 { // a coin is tossed for which of the two is noticed first
		var m manager
		s := New(Config{Send: m.send, Log: quiet()})
		if err := s.Beside(ctx, func(context.Context) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if told := m.take(); len(told) != 1 || !strings.HasPrefix(told[0], "STOPPING=1\n") {
			t.Fatalf("told %q", told)
		}
	}
}

// A loop that beats about every half second, the slowest there is, is in time for half
// of any watchdog of 2 s or more.
func TestWatchdogIsPettedInTime(t *testing.T) {
	t.Parallel()
	for _, watchdog := range []time.Duration{2 * time.Second, 3 * time.Second, 10 * time.Second, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var last time.Time
			var most time.Duration
			send := func(state string) error {
				mu.Lock()
				defer mu.Unlock()
				if strings.Contains(state, "WATCHDOG=1") {
					if now := time.Now(); !last.IsZero() {
						most = max(most, now.Sub(last))
					}
					last = time.Now()
				}
				return nil
			}
			s, stop, release := begin(t, Config{Send: send, Watchdog: watchdog})
			for range 500 {
				s.Beat()
				<-time.After(time.Second/2 - 7*time.Millisecond)
			}
			stop()
			if err := release(); err != nil {
				t.Error(err)
			}
			if most == 0 || most > watchdog/2 {
				t.Errorf("watchdog of %v: once nothing was told for %v", watchdog, most)
			}
		})
	}
}

func TestWithoutWatchdogNoneIsPetted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := manager{fail: errors.New("nobody listens")}
		s, stop, release := begin(t, Config{Send: m.send, Watchdog: -1})
		for range 100 {
			s.Beat()
			<-time.After(time.Second)
		}
		stop()
		if err := release(); err != nil {
			t.Error(err)
		}
		if got, want := m.take(), []string{"READY=1\nSTATUS=", "STOPPING=1\nSTATUS=stopping"}; !slices.Equal(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
	})
}

func TestAlive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Log: quiet(), Watchdog: -1})
		if err := s.Alive(); err == nil || !strings.Contains(err.Error(), "not begun") {
			t.Errorf("before the first beat: %v", err)
		}
		s.Beat()
		if err := s.Alive(); err != nil {
			t.Errorf("after a beat: %v", err)
		}
		<-time.After(patience)
		if err := s.Alive(); err != nil {
			t.Errorf("after %v: %v", patience, err)
		}
		<-time.After(time.Second)
		if err := s.Alive(); err == nil || !strings.Contains(err.Error(), "for 6s") {
			t.Errorf("after %v: %v", patience+time.Second, err)
		}
		s.Beat()
		if err := s.Alive(); err != nil {
			t.Errorf("it works again: %v", err)
		}
	})
}

// Not parallel: it counts all allocations there are.
func TestBeatAllocatesNothing(t *testing.T) {
	s := New(Config{Log: quiet(), Watchdog: time.Second})
	if n := testing.AllocsPerRun(100, s.Beat); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkBeat(b *testing.B) {
	s := New(Config{Log: quiet(), Watchdog: -1})
	s.pet()
	for b.Loop() {
		s.Beat()
	}
}
