package shard

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bucketbrigade/proto"
)

// beatsOf counts the beats of ten seconds; hang is called after five.
func beatsOf(t *testing.T, b Backend, own bool, hang func(*Server)) (before, after int) {
	var beats atomic.Int64
	s := newHandlerOnly(b)
	s.cfg.Beat, s.cfg.OwnState = func() { beats.Add(1) }, own
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.proveLife(ctx) }()
	<-time.After(5*time.Second - time.Millisecond)
	synctest.Wait()
	before = int(beats.Load())
	hang(s)
	<-time.After(5 * time.Second)
	synctest.Wait()
	after = int(beats.Load()) - before
	cancel()
	<-done
	return before, after
}

func TestBeatsComeOfWorkAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		fail          func() error // of the state server
		own           bool
		hang          func(*Server)
		before, after int
	}{
		{"works", nil, false, func(*Server) {}, 10, 10},
		{"state server away", func() error { return proto.Refuse(503, "away") }, false, func(*Server) {}, 10, 10},
		{"own state away", func() error { return proto.Refuse(503, "away") }, true, func(*Server) {}, 0, 0},
		{"own state works", nil, true, func(*Server) {}, 10, 10},
		{"no coder comes back", nil, false, func(s *Server) {
			for range cap(s.coders) {
				s.coders <- struct{}{}
			}
		}, 10, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			before, after := beatsOf(t, &stub{clock: now, fail: c.fail}, c.own, c.hang)
			if before != c.before || after != c.after {
				t.Errorf("%s: %d and %d beats, want %d and %d", c.name, before, after, c.before, c.after)
			}
		})
	}
}

// hung is a state server that takes requests and never answers.
type hung struct{}

func (hung) Call(ctx context.Context, _ *proto.Request, _ *proto.Answer) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestAStateServerThatHangsDoesNotStopTheBeats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		if before, after := beatsOf(t, hung{}, false, func(*Server) {}); before != 10 || after != 10 {
			t.Errorf("%d and %d beats, want 10 and 10", before, after)
		}
	})
}

func TestStatusTellsWhetherTheStateServerAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var away atomic.Bool
		b := &stub{clock: now, fail: func() error {
			if away.Load() {
				return proto.Refuse(503, "away")
			}
			return nil
		}}
		s := newHandlerOnly(b)
		check := func(answers bool, status string) {
			t.Helper()
			if err := s.StateAnswers(); (err == nil) != answers || s.Status() != status {
				t.Errorf("%v, %q; want %q", err, s.Status(), status)
			}
		}
		check(false, "singers 0, shared streams 0, state server does not answer")
		s.housekeep(t.Context(), 1)
		s.asking.Wait()
		check(true, "singers 0, shared streams 0, state server answers")
		away.Store(true)
		for n := range 4 {
			<-time.After(time.Second)
			s.housekeep(t.Context(), n+2)
		}
		check(false, "singers 0, shared streams 0, state server does not answer")
		away.Store(false)
		s.housekeep(t.Context(), 6)
		s.asking.Wait()
		check(true, "singers 0, shared streams 0, state server answers")
	})
}
