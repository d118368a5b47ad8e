package brigade

import (
	"slices"
	"testing"

	"bucketbrigade/proto"
)

// twice sends a request and then, some time later, the same again, and gives
// both answers.
func (s *singer) twice(p params) (first, second proto.Metadata, audio [2][]float32, lists [2]int) {
	r := s.r
	r.t.Helper()
	req := s.request(frame, 0.25, p)
	first = r.must(req)
	audio[0], lists[0] = r.audio(), len(r.list())
	sum := r.ringSum()
	r.pass(10000)
	req = s.request(frame, 0.25, p)
	req.Again = true
	second = r.must(req)
	audio[1], lists[1] = r.audio(), len(r.list())
	if r.ringSum() != sum {
		r.t.Error("the repeated request was mixed again")
	}
	s.done(frame)
	return first, second, audio, lists
}

func TestAgainIsAnsweredNotRepeated(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	lea, fay := r.join(1, 60000, 9000), r.join(2, 50000, 9000)
	fay.ask(nil)
	lea.ask(params{"mark_start_singing": "1", "request_lead": "1"})
	r.pass(frame)
	lea.sing(0.5, nil)
	fay.sing(0.5, params{"chat": `["one", "two"]`})
	fay.sing(0.5, nil)
	r.pass(frame)

	a, b, audio, lists := lea.twice(params{
		"chat": `["three"]`, "image": "1", "bpr": "90", "user_summary": "1", "volume": "0.5",
	})
	if len(a.Chats) != 2 || !slices.Equal(a.Chats, b.Chats) {
		t.Errorf("chats %v, repeated %v; want the same two", a.Chats, b.Chats)
	}
	if a.Image == nil || b.Image == nil || *a.Image != *b.Image {
		t.Errorf("image %v, repeated %v; want the same token", a.Image, b.Image)
	}
	if b.BPR == nil || *b.BPR != 90 || b.GlobalVolume == nil {
		t.Errorf("repeated settings %+v", b)
	}
	if !slices.Equal(audio[0], audio[1]) || slices.Max(audio[0]) == 0 {
		t.Error("the repeated audio differs, or there was none")
	}
	if lists != [2]int{2, 2} {
		t.Errorf("user lists of %v", lists)
	}
	if b.ServerClock != a.ServerClock+10000 || b.LastRequestClock != a.ServerClock {
		t.Errorf("clocks of the repeated answer: %+v", b)
	}
	if m := fay.ask(nil); len(m.Chats) != 1 || m.Chats[0][1] != "three" {
		t.Errorf("the other singer was told %v", m.Chats)
	}
	if m := lea.ask(nil); len(m.Chats) != 0 || m.Image != nil {
		t.Errorf("told a third time: %+v", m)
	}
}

// What came up after the lost answer follows what was in it.
func TestAgainKeepsOrderOfNews(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	ann, bob := r.join(1, 30000, 0), r.join(2, 60000, 0)
	ann.ask(nil)
	bob.ask(nil)
	bob.ask(params{"chat": `["1", "2"]`, "bpm": "50"})
	r.must(ann.request(frame, 0, nil))
	bob.ask(params{"chat": `["3"]`, "bpm": "60"})
	req := ann.request(frame, 0, nil)
	req.Again = true
	m := r.must(req)
	want := []proto.Chat{{"u2", "1"}, {"u2", "2"}, {"u2", "3"}}
	if !slices.Equal(m.Chats, want) || m.BPM == nil || *m.BPM != 60 {
		t.Errorf("got %v, bpm %v; want %v, 60", m.Chats, m.BPM, want)
	}
}

// Again is for requests that were carried out: any other is a request.
func TestAgainOfWhatNeverArrived(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	ann, bob := r.join(1, 30000, 0), r.join(2, 60000, 0)
	bob.ask(nil)
	for i := range 2 {
		req := ann.request(frame, 0, params{"chat": `["hi"]`})
		req.Again = true
		r.must(req)
		ann.done(frame)
		if m := bob.ask(nil); len(m.Chats) != 1 {
			t.Errorf("request %d: the chat came %d times", i, len(m.Chats))
		}
	}
	req := ann.request(frame, 0, nil) // the same clocks without the mark do not join
	ann.ask(nil)
	if ref := r.try(req); ref == nil || ref.Code != 409 {
		t.Errorf("a second request with the same clocks: %v", ref)
	}
}

func TestAgainLeavesDelayAlone(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	ann := r.join(1, 3*proto.SampleRate, 0)
	ann.ask(params{"user_summary": "1"})
	req := ann.request(frame, 0, params{"user_summary": "1"})
	r.must(req)
	before := r.list()[0].Delay
	r.pass(2 * proto.SampleRate)
	req.Again = true
	r.must(req)
	if after := r.list()[0].Delay; after != before {
		t.Errorf("delay %d s became %d", before, after)
	}
}

// A repeated fresh start does not loosen the clocks of what follows.
func TestAgainKeepsContinuity(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	ann := r.join(1, 30000, 9000)
	req := ann.request(frame, 0, nil) // with reset_user_state
	r.must(req)
	req.Again = true
	r.must(req)
	ann.done(frame)
	ann.read++
	if ref := r.try(ann.request(frame, 0, nil)); codeOf(ref) != 409 {
		t.Errorf("a gap in the read clock: %v, want 409", ref)
	}
	ann.read--
	ann.write++
	if ref := r.try(ann.request(frame, 0, nil)); codeOf(ref) != 409 {
		t.Errorf("a gap in the write clock: %v, want 409", ref)
	}
}

// Only a request with all its clocks the same is the same.
func TestAgainWithOtherClocksIsAnother(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	ann := r.join(1, 30000, 9000)
	ann.ask(nil)
	ann.ask(nil)
	ann.read -= frame // as the last one again, but the write clock goes on
	req := ann.request(frame, 0, nil)
	req.Again = true
	if ref := r.try(req); codeOf(ref) != 409 {
		t.Errorf("%v, want 409", ref)
	}
}
