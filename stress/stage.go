package main

import (
	"errors"
	"fmt"
	"net/url"

	"bucketbrigade/proto"
	"bucketbrigade/singer"
)

var phaseNames = [...]string{
	"gathering: somebody did not connect",
	"placing: somebody was given no place",
	"starting: the song did not begin",
	"singing",
	"ending: the song was not ended",
	"fading: somebody did not hear the end",
	"over",
}

// where says how far the performance came, and what went wrong last.
func (s *stage) where() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := phaseNames[s.phase]
	if n := len(s.failures); n > 0 {
		text += fmt.Sprintf(" (%d errors, the last: %v)", n, s.failures[n-1])
	}
	return text
}

// sing gives what a role sings at the positions from at on: its song, laid out
// from the start of the song in the ring.
func (s *stage) sing(r role, dst []float32, at proto.Clock) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r == leader {
		s.written = at.Add(len(dst))
	}
	if s.start == 0 {
		return
	}
	for i := range dst {
		if p := at.Add(i).Sub(s.start); p >= 0 && p < len(s.songs[r]) {
			dst[i] = s.songs[r][p]
		}
	}
}

// ask gives the leader's wishes, each once.
func (s *stage) ask(r role) url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r != leader || s.asked {
		return nil
	}
	wish := map[phase]string{
		placing:  "request_lead",
		starting: "mark_start_singing",
		ending:   "mark_stop_singing",
	}[s.phase]
	if wish == "" {
		return nil
	}
	s.asked = true
	return url.Values{wish: {"1"}}
}

// enter goes on to the next phase, and says so.
func (s *stage) enter(p phase, format string, args ...any) {
	s.phase, s.asked = p, false
	fmt.Fprintf(s.out, format+"\n", args...)
}

func (s *stage) move(r role, offset int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offsets[r], s.placed[r], s.answers[r] = offset, true, 0
}

func (s *stage) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, err)
	fmt.Fprintln(s.out, "  trouble:", err)
}

// settled is how many answers a singer needs for the server to know all of him:
// the first brings the clock, and only the second request says whether he
// listens only.
const settled = 2

// hear takes an answer and sees whether the performance goes on.
func (s *stage) hear(r role, a *singer.Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[r]++
	s.heard[r].add(a)
	s.ended[r] = s.phase == fading && a.Metadata.ClientReadClock >= s.end
	all := min(s.answers[leader], s.answers[follower], s.answers[listener]) >= settled
	everybody := [roles]bool{true, true, true}
	switch {
	case s.phase == gathering && all:
		s.enter(placing, "all three are connected; the leader asks for the lead")
	case s.phase == placing && all && s.placed == everybody:
		s.enter(starting, "places: leader %d s, follower %d s, listener %d s behind; the leader starts the song",
			s.offsets[leader], s.offsets[follower], s.offsets[listener])
	case s.phase == starting && s.asked && r == leader && a.Metadata.SongStartClock > 1 && a.Metadata.SongEndClock == 0:
		s.start = a.Metadata.SongStartClock
		s.enter(singing, "the song is on, for %.0f s", float64(len(s.songs[leader]))/proto.SampleRate)
	case s.phase == singing && s.written.Sub(s.start) >= len(s.songs[leader]):
		s.enter(ending, "the leader has sung it all and stops")
	case s.phase == ending && s.asked && r == leader && a.Metadata.SongEndClock > 1:
		s.end = a.Metadata.SongEndClock
		s.enter(fading, "the chain sings on until the last has heard the end")
	case s.phase == fading && s.ended == everybody:
		s.enter(over, "done")
		close(s.done)
	}
}

// result cuts the song out of what was heard.
func (s *stage) result() (performance, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.failures) > 0 {
		return performance{}, fmt.Errorf("the performance was disturbed: %w", errors.Join(s.failures...))
	}
	p := performance{offsets: s.offsets, start: s.start, end: s.end}
	n := min(s.end.Sub(s.start), len(s.songs[leader]))
	for r := range roles {
		pcm, err := s.heard[r].cut(s.start, n)
		if err != nil {
			return p, fmt.Errorf("the %s: %w", r, err)
		}
		p.heard[r] = pcm
	}
	return p, nil
}

// track is what one singer heard, in the order it came.
type track struct {
	answers []*singer.Answer
}

func (t *track) add(a *singer.Answer) { t.answers = append(t.answers, a) }

// cut gives the n samples from start on, by their positions. A gap is an error:
// the demo loses nothing.
func (t *track) cut(start proto.Clock, n int) ([]float32, error) {
	pcm := make([]float32, n)
	next := start
	for _, a := range t.answers {
		from, to := a.Start(), a.Metadata.ClientReadClock
		if to <= next || next == start.Add(n) {
			continue
		}
		if from > next {
			return nil, fmt.Errorf("%d samples from position %d on were never heard", from.Sub(next), next)
		}
		k := copy(pcm[next.Sub(start):], a.PCM[next.Sub(from):])
		next = next.Add(k)
	}
	if missing := start.Add(n).Sub(next); missing > 0 {
		return nil, fmt.Errorf("the last %d samples were never heard", missing)
	}
	return pcm, nil
}
