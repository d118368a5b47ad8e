package state

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"bucketbrigade/proto"
)

// breaks lets servers end at work, one after the other, in a second each.
func (l *life) breaks(servers int) {
	l.t.Helper()
	for range servers {
		l.now = l.now.Add(proto.SampleRate)
		l.engine.ends.work()
		l.die()
		l.start()
		l.sing("&reset_user_state=1") // a room that is left forgets its song
	}
}

// works lets a server work for so many samples from its start on.
func (l *life) works(samples int) {
	for end := l.engine.began.Add(samples); l.now < end; l.engine.tick() {
		l.sing("&reset_user_state=1")
		l.now = min(end, l.now.Add(proto.SampleRate))
	}
}

// A state over which five servers in a row broke is set aside, even where there is no
// room to keep it.
func TestAStateThatBreaksServersIsSetAside(t *testing.T) {
	t.Parallel()
	for _, keeps := range []bool{true, false} {
		s := Settings{reserve: room(needed())}
		if keeps {
			s.reserve = room(needed() + stateOf(20))
		}
		l := begin(t, s)
		for range 2 {
			song := l.sing("&mark_start_singing=1&reset_user_state=1").SongStartClock
			l.breaks(endsAtWork - 1)
			if m := l.sing(""); m.SongStartClock != song {
				t.Fatalf("given up early: %+v", m)
			}
			l.breaks(1)
			if m := l.sing("&reset_user_state=1"); m.SongStartClock != 0 {
				t.Fatalf("goes on with what broke five: %+v", m)
			}
		}
		if log := l.log.String(); strings.Count(log, "server after server broke over what it had restored") != 2 ||
			strings.Contains(log, "its room is needed") == keeps {
			t.Errorf("room to keep it: %t, log:\n%s", keeps, log)
		}
		info, err := os.Stat(filepath.Join(l.dir, badState))
		if keeps != (err == nil) || keeps && info.Size() != int64(stateOf(20)) {
			t.Errorf("room to keep it: %t, %v", keeps, err)
		}
	}
}

// However many servers one request breaks, as long as a shard repeats it the song is
// safe.
func TestARowOfThreeSecondsBreaksTheState(t *testing.T) {
	t.Parallel()
	l := begin(t, Settings{})
	song := l.sing("&mark_start_singing=1&reset_user_state=1").SongStartClock
	l.breaks(1)
	enough := l.engine.began.Add(rowSeconds * proto.SampleRate)
	for range 2 * endsAtWork {
		l.engine.ends.work()
		l.die()
		l.now = min(l.now.Add(proto.SampleRate), enough-1)
		l.start()
	}
	l.engine.ends.work()
	l.die()
	l.now = enough
	if log := l.log.String(); strings.Contains(log, "set aside") {
		t.Fatalf("the song from %d is lost:\n%s", song, log)
	}
	l.start()
	if !strings.Contains(l.log.String(), "set aside") {
		t.Error("it is not given up after three seconds")
	}
}

// Servers that are killed while they wait, or after ten seconds, lose no song, however
// many.
func TestKillsLoseNoSong(t *testing.T) {
	t.Parallel()
	l := begin(t, Settings{})
	song := l.sing("&mark_start_singing=1&reset_user_state=1").SongStartClock
	for range 2 * endsAtWork {
		l.die()
		l.start()
	}
	for range 2 {
		l.breaks(endsAtWork - 1)
		l.die()
		l.start()
	}
	for range 2 {
		l.breaks(endsAtWork - 1)
		l.works(soundAfter * proto.SampleRate)
	}
	l.breaks(endsAtWork - 1)
	l.works(soundAfter*proto.SampleRate - 1)
	if m := l.sing("&reset_user_state=1"); m.SongStartClock != song {
		t.Errorf("the song from %d is lost: %+v\n%s", song, m, l.log)
	}
	if l.breaks(1); !strings.Contains(l.log.String(), "set aside") {
		t.Error("a server of less than ten seconds counts as sound")
	}
}

// A server that panics leaves that it was at work, one that is stopped that it was not.
func TestAServerThatPanicsEndsAtWork(t *testing.T) {
	t.Parallel()
	for _, panics := range []bool{true, false} {
		var broken atomic.Bool
		clock := NewSteadyClock()
		ctx, cancel := context.WithCancel(t.Context())
		cfg := Config{Dir: t.TempDir(), Segments: []string{"echo01"}, Settings: Settings{MaxUsers: 1, Log: quiet()}}
		cfg.Now = func() proto.Clock {
			if broken.Load() {
				panic("the state is odd")
			}
			return clock.Now()
		}
		cfg.Beat = func() {
			if broken.Store(panics); !panics {
				cancel()
			}
		}
		s, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan any, 1)
		go func() {
			defer func() { done <- recover() }()
			_ = s.Run(ctx)
		}()
		if fault := <-done; (fault != nil) != panics {
			t.Errorf("panics: %t, ended with %v", panics, fault)
		}
		if was := s.engine.ends.atWork.Load() != 0; was != panics {
			t.Errorf("panics: %t, ended at work: %t", panics, was)
		}
		cancel()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
