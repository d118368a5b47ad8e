package main

import (
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"

	"bucketbrigade/proto"
	"bucketbrigade/singer"
)

// heardUpTo is an answer of n samples up to end, each as loud as its position.
func heardUpTo(end proto.Clock, n int) *singer.Answer {
	a := &singer.Answer{Metadata: proto.Metadata{ClientReadClock: end, Samples: n}, PCM: make([]float32, n)}
	for i := range a.PCM {
		a.PCM[i] = float32(int(end) - n + i)
	}
	return a
}

func TestCutTakesTheSongOutOfWhatWasHeard(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		ends  []proto.Clock // of answers of 10 samples
		start proto.Clock
		n     int
		says  string // "" if all is there
	}{
		{"one answer", []proto.Clock{110}, 102, 5, ""},
		{"three answers", []proto.Clock{110, 120, 130}, 105, 20, ""},
		{"a whole answer", []proto.Clock{110, 120, 130}, 110, 10, ""},
		{"heard twice, by a new connection", []proto.Clock{110, 105, 115, 125}, 102, 20, ""},
		{"a gap", []proto.Clock{110, 121}, 105, 10, "1 samples from position 110"},
		{"too late", []proto.Clock{110}, 95, 10, "5 samples from position 95"},
		{"not to the end", []proto.Clock{110}, 105, 10, "the last 5 samples"},
		{"nothing", nil, 105, 10, "the last 10 samples"},
	} {
		var track track
		for _, end := range c.ends {
			track.add(heardUpTo(end, 10))
		}
		pcm, err := track.cut(c.start, c.n)
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: error %v, want one that says %q", c.name, err, c.says)
			}
			continue
		}
		if err != nil || len(pcm) != c.n {
			t.Errorf("%s: %d samples, %v", c.name, len(pcm), err)
			continue
		}
		for i, x := range pcm {
			if x != float32(int(c.start)+i) {
				t.Errorf("%s: sample %d is that of position %g, want %d", c.name, i, x, int(c.start)+i)
				break
			}
		}
	}
}

func newTestStage() *stage {
	s := &stage{out: io.Discard, done: make(chan struct{})}
	for r := range s.songs {
		s.songs[r] = []float32{1, 2, 3, 4}
	}
	return s
}

// TestStage leads the three through a performance, wish by wish.
func TestStage(t *testing.T) {
	t.Parallel()
	s := newTestStage()
	const song = proto.Clock(1000)
	answer := func(end proto.Clock, songStart, songEnd proto.Clock) *singer.Answer {
		a := heardUpTo(end, 10)
		a.Metadata.SongStartClock, a.Metadata.SongEndClock = songStart, songEnd
		return a
	}
	expect := func(p phase, wish string) {
		t.Helper()
		if s.phase != p {
			t.Fatalf("phase %d, want %d", s.phase, p)
		}
		for _, r := range []role{follower, listener} {
			if got := s.ask(r); got != nil {
				t.Errorf("the %s wishes %v", r, got)
			}
		}
		got, want := s.ask(leader), url.Values{wish: {"1"}}
		if wish == "" {
			want = nil
		}
		if got.Encode() != want.Encode() {
			t.Errorf("phase %d: the leader wishes %v, want %v", p, got, want)
		}
		if again := s.ask(leader); again != nil {
			t.Errorf("phase %d: the leader wishes %v once more", p, again)
		}
	}
	everybody := func() {
		for r := range roles {
			s.hear(r, answer(900, 0, 0))
		}
	}
	expect(gathering, "")
	everybody()
	expect(gathering, "")
	everybody()
	expect(placing, "request_lead")
	for r := range roles {
		s.move(r, 3*(1+int(r)))
	}
	everybody()
	expect(placing, "") // the second request tells who listens only
	everybody()
	expect(starting, "mark_start_singing")
	s.hear(follower, answer(910, song, 0))
	expect(starting, "")
	s.hear(leader, answer(910, song, 0))
	expect(singing, "")
	dst := make([]float32, 4)
	s.sing(leader, dst, song-2)
	if dst[0] != 0 || dst[2] != 1 || dst[3] != 2 {
		t.Errorf("sang %v at the start of 1 2 3 4, two samples before it", dst)
	}
	s.hear(leader, answer(1010, song, 0))
	expect(singing, "")
	s.sing(leader, dst, song+2)
	s.hear(leader, answer(1010, song, 0))
	expect(ending, "mark_stop_singing")
	s.hear(leader, answer(1020, song, song+4))
	expect(fading, "")
	s.hear(leader, answer(1003, song, song+4))
	s.hear(follower, answer(1013, song, song+4))
	s.hear(listener, answer(1013, song, song+4))
	expect(fading, "") // the leader has not heard the end
	s.hear(leader, answer(1013, song, song+4))
	expect(over, "")
	<-s.done
	s.fail(errors.New("line cut"))
	if _, err := s.result(); err == nil || !strings.Contains(err.Error(), "line cut") {
		t.Errorf("result after a failure: %v", err)
	}
	if got := s.where(); !strings.Contains(got, "over (1 errors, the last: line cut)") {
		t.Errorf("where: %s", got)
	}
}
