package brigade

import (
	"testing"

	"bucketbrigade/proto"
)

// The shard may move what a client hears down to a frame grid, and fetch just
// what it lacks. Continuity and delay stay on what the client asked for.
func TestReadEndAndWant(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	tom, lea := r.join(1, 10001, 1000), r.join(2, 60001, 0)
	lea.ask(nil)
	tom.ask(params{"mark_start_singing": "1"})
	for range 22 {
		r.pass(frame)
		tom.sing(0.5, nil)
		lea.ask(nil)
	}
	req := lea.request(frame, 0, nil)
	end := lea.read.Add(frame) / frame * frame
	req.ReadEnd = &end
	m := r.must(req)
	lea.done(frame)
	whole := r.audio()
	if got, want := r.b.users.byID[2].delay, r.now.Sub(lea.read); got != want || lea.read == end {
		t.Errorf("delay %d, want %d as asked for", got, want)
	}
	if m.ClientReadClock != end || m.Samples != frame || *r.ans.Span != (proto.Span{From: end.Add(-frame), To: end}) {
		t.Fatalf("told [%d) with %d samples, span %v", m.ClientReadClock, m.Samples, r.ans.Span)
	}
	if !allOf(whole, 0.5*1.2) {
		t.Fatalf("hears %v", whole[:3])
	}
	for _, want := range []proto.Span{{}, {From: end, To: end}, {From: end.Add(-100), To: end}, {From: end.Add(-2 * frame), To: end}} {
		req := lea.request(frame, 0, nil)
		req.ReadEnd, req.Want = &end, &want
		r.must(req)
		lea.done(frame)
		if n := want.Len(); r.b.Samples() != n || r.ans.Span.Len() != n || n > 0 && (*r.ans.Span != want || !allOf(r.audio()[n-100:], 0.6)) {
			t.Errorf("wanted %v: got %v, %d samples", want, r.ans.Span, r.b.Samples())
		}
	}
	if m := lea.ask(nil); m.Samples != frame {
		t.Error("the clocks that were asked for do not join any more")
	}
}

// In what is picked by want each 60 ms frame sounds or not by its own clock;
// a whole interval by its first sample.
func TestSoundingFrames(t *testing.T) {
	t.Parallel()
	const f = frame
	for _, c := range []struct {
		name       string
		start, end proto.Clock
		from       proto.Clock
		frames     bool
		want       int
	}{
		{"no song", 0, 0, 10 * f, true, 0},
		{"no end", 5, 0, 10 * f, true, 4 * f},
		{"ends inside a frame", 5, 11*f + 1, 10 * f, true, 2 * f},
		{"ends at a frame", 5, 11 * f, 10 * f, true, f},
		{"ended", 5, 10 * f, 10 * f, true, 0},
		{"ended long ago", 5, 3, 10 * f, true, 0},
		{"halted", 1, 1, 10 * f, true, 0},
		{"interval, ends inside", 5, 10*f + 1, 10 * f, false, 4 * f},
		{"interval, ended", 5, 10 * f, 10 * f, false, 0},
		{"interval, halted", 1, 1, 10 * f, false, 0},
	} {
		s := state{songStart: c.start, songEnd: c.end}
		if got := s.sounding(c.from, 4*f, c.frames); got != c.want {
			t.Errorf("%s: %d samples sound, want %d", c.name, got, c.want)
		}
	}
}

func TestLoopbackGivesTheInputBack(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	ann := r.join(1, 30000, 9000)
	ann.ask(params{"mark_start_singing": "1", "request_lead": "1"})
	req := ann.request(frame, 0.25, params{"loopback": "true"})
	m := r.must(req)
	clear(req.PCM) // the answer is written over the request
	if m.PeopleHeard != -1 || !allOf(r.audio(), 0.25) {
		t.Errorf("%d people, %v", m.PeopleHeard, r.audio()[:3])
	}
}
