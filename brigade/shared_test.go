package brigade

import (
	"math"
	"slices"
	"testing"

	"bucketbrigade/proto"
)

// cachedFrame is a frame that a shard would have encoded.
type cachedFrame struct {
	read proto.Clock
	pcm  []float32
}

// cache is what one shard holds of one stream.
type cache struct {
	mix    proto.Mix
	frames map[proto.Clock]cachedFrame // by where they begin
}

// held is what of [from, to) is there without a gap.
func (c *cache) held(from, to proto.Clock) *proto.Held {
	h := &proto.Held{Mix: c.mix}
	for at := from; at < to; at = at.Add(frame) {
		f, ok := c.frames[at]
		if !ok {
			break
		}
		if n := len(h.Reads); n > 0 && h.Reads[n-1].At == f.read {
			h.Reads[n-1].To = at.Add(frame)
		} else {
			h.Reads = append(h.Reads, proto.HeldRead{To: at.Add(frame), At: f.read})
		}
	}
	return h
}

// sharedListener hears through a cache that others use as well.
type sharedListener struct {
	*singer
	cache *cache
	told  proto.Metadata // with the last answer
}

// listen makes one request of n samples and gives how many frames of its cache
// were kept. It checks what is kept and what is sent against what would be mixed
// now. Who comes afresh wants all samples, as a newcomer's encoder does.
func (l *sharedListener) listen(n int, p params) (kept int) {
	r, fresh := l.r, l.fresh
	r.t.Helper()
	req := l.request(n, 0, p)
	end := l.read.Add(n) / frame * frame
	from := end.Add(-n)
	held := l.cache.held(from, end)
	first := from
	if k := len(held.Reads); k > 0 {
		first = held.Reads[k-1].To
	}
	want := proto.Span{From: first, To: end}
	if fresh {
		want.From = from
	}
	if want.Len() > 0 {
		want.From = want.From.Add(-primer)
	}
	req.ReadEnd, req.Held, req.Want, req.PCM = &end, held, &want, nil
	l.told = r.must(req)
	l.done(n)
	whole := r.wholeMix(l.id, from, n)
	keep := max(r.ans.Keep, from)
	span := *r.ans.Span
	pcm := r.audio()
	if r.ans.Keep != 0 && r.ans.Keep > first || span.Len() > 0 && (span.From > keep || span.To != end) || span.Len() == 0 && keep != end ||
		fresh && span.From > from {
		r.t.Fatalf("[%d, %d) held up to %d, afresh: %t: kept up to %d, sent %v", from, end, first, fresh, r.ans.Keep, span)
	}
	for at := from; at < end; at = at.Add(frame) {
		now := whole[at.Sub(from):at.Sub(from.Add(-frame))]
		var got []float32
		if span.Len() > 0 && at >= span.From {
			got = pcm[at.Sub(span.From):at.Sub(span.From.Add(-frame))]
			if !slices.Equal(got, now) {
				r.t.Fatalf("frame %d is sent as %v, it is %v", at, got[0], now[0])
			}
		}
		if at >= keep {
			l.cache.frames[at] = cachedFrame{r.now, slices.Clone(got)}
			continue
		}
		kept++
		f := l.cache.frames[at]
		if !slices.Equal(f.pcm, now) && r.now.Sub(f.read) > proto.SampleRate/4 {
			r.t.Fatalf("frame %d, read %d samples ago, is kept as %v, it is %v", at, r.now.Sub(f.read), f.pcm[0], now[0])
		}
	}
	l.cache.mix = r.ans.Mix
	return kept
}

// wholeMix is what a singer with an encoder of its own would hear now.
func (r *room) wholeMix(id proto.UserID, from proto.Clock, n int) []float32 {
	u := &r.b.users.byID[id].user
	saved := r.b.reply
	defer func() { r.b.reply = saved }()
	voices, back := r.b.state.gains(u.backingVolume)
	r.b.reply = reply{from: from, samples: n, sounding: r.b.state.sounding(from, n, true), voices: voices, back: back, autoGain: !r.b.state.noAutoGain}
	pcm := make([]float32, n)
	r.b.Mix(pcm)
	return pcm
}

// A song that starts anew at the very clock of the one before is another.
func TestSongAtTheSameClockIsAnother(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	shard := &cache{frames: map[proto.Clock]cachedFrame{}}
	one, two := r.join(1, 30000, 0), r.join(2, 30000, 0)
	lis := &sharedListener{singer: r.join(3, 30000, 0), cache: shard}
	one.ask(nil)
	one.ask(params{"mark_start_singing": "1"})
	for range 2 {
		two.ask(nil)
	}
	r.pass(10)
	lis.listen(2*frame, nil)
	old := shard.held(lis.read/frame*frame-frame, lis.read/frame*frame)
	r.pass(frame)
	two.read, two.fresh = one.read.Add(-frame), true
	two.ask(params{"mark_start_singing": "1"})
	lis.read, lis.fresh = lis.read.Add(-frame), true
	r.now = r.now.Add(1)
	if kept := lis.listen(frame, nil); kept != 0 || len(old.Reads) == 0 {
		t.Errorf("%d frames of %v are kept of a song that is over", kept, old)
	}
}

// Whose backing is louder, who hears solos or wants loopback, gets all of it and
// another name for it.
func TestOtherMixesAreNotShared(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	shard := &cache{frames: map[proto.Clock]cachedFrame{}}
	one := &sharedListener{singer: r.join(1, 30000, 0), cache: shard}
	two := &sharedListener{singer: r.join(2, 30000, 0), cache: shard}
	one.listen(frame, params{"bpm": "120"})
	one.listen(frame, params{"mark_start_singing": "1"})
	two.listen(2*frame, nil)
	usual := shard.mix
	for range 30 {
		r.pass(frame)
		one.listen(frame, nil)
		if kept := two.listen(frame, nil); kept != 1 || shard.mix != usual {
			t.Fatalf("%d frames kept, mix %d", kept, shard.mix)
		}
	}
	for _, c := range []struct {
		p   params
		mix proto.Mix
	}{
		{params{"user_backing_volume": "0.5"}, 501},
		{params{"user_backing_volume": "0"}, 1},
		{params{"user_backing_volume": "1", "hear_monitor": "1"}, 0},
		{params{"loopback": "true"}, 0},
	} {
		r.pass(frame)
		shard.mix = usual
		one.listen(frame, nil)
		req := two.request(frame, 0, c.p)
		end := two.read.Add(frame) / frame * frame
		req.ReadEnd, req.Want, req.Held = &end, &proto.Span{From: end, To: end}, shard.held(end.Add(-frame), end)
		r.must(req)
		two.done(frame)
		if len(req.Held.Reads) != 1 || r.ans.Mix != c.mix || r.ans.Keep != 0 || r.ans.Span.To != end || r.ans.Span.Len() < frame {
			t.Errorf("%v: mix %d, keep %d, span %v; want mix %d and all", c.p, r.ans.Mix, r.ans.Keep, r.ans.Span, c.mix)
		}
	}
	if m := two.ask(params{"user_backing_volume": "1"}); m.Samples != frame || r.ans.Mix != 0 || r.ans.Keep != 0 || r.ans.Clock != 0 {
		t.Errorf("a shard of the first generation is told mix %d, keep %d, clock %d", r.ans.Mix, r.ans.Keep, r.ans.Clock)
	}
}

func TestHeldIsChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		shift int // of read_end against the grid
		reads []proto.HeldRead
		good  bool
	}{
		"nothing":         {0, nil, true},
		"all":             {0, []proto.HeldRead{{To: 0, At: 1}}, true},
		"two":             {0, []proto.HeldRead{{To: -frame, At: 1}, {To: 0, At: 2}}, true},
		"from the future": {0, []proto.HeldRead{{To: 0, At: math.MaxInt64 / 2}}, true},
		"off the grid":    {0, []proto.HeldRead{{To: -1, At: 1}}, false},
		"grid moved":      {1, nil, false},
		"before":          {0, []proto.HeldRead{{To: -2 * frame, At: 1}}, false},
		"behind":          {0, []proto.HeldRead{{To: frame, At: 1}}, false},
		"backwards":       {0, []proto.HeldRead{{To: 0, At: 1}, {To: -frame, At: 2}}, false},
		"twice":           {0, []proto.HeldRead{{To: 0, At: 1}, {To: 0, At: 1}}, false},
	} {
		r := newRoom(t, Config{})
		s := r.join(1, 30000, 0)
		s.ask(nil)
		req := s.request(2*frame, 0, nil)
		end := s.read.Add(2*frame)/frame*frame - proto.Clock(c.shift)
		held := &proto.Held{Mix: 1001, Reads: slices.Clone(c.reads)}
		for i := range held.Reads {
			held.Reads[i].To += end
		}
		req.ReadEnd, req.Want, req.Held = &end, &proto.Span{}, held
		before := r.digest()
		ref := r.try(req)
		if (ref == nil) != c.good || ref != nil && (ref.Code != 400 || r.digest() != before) {
			t.Errorf("%s: %+v, want it taken: %t", name, ref, c.good)
		}
	}
}

// A silent singer counts as one who sings silence, without a sample being sent.
func TestSilenceIsNotSent(t *testing.T) {
	t.Parallel()
	rooms := [2]*room{}
	for i := range rooms {
		r := newRoom(t, Config{Stems: true})
		s := r.join(1, 60000, 9000)
		s.ask(params{"bpm": "120", "bpr": "1", "repeats": "1"})
		s.sing(0.25, params{"mark_start_singing": "1"})
		for range 20 {
			r.pass(frame)
			req := s.request(frame, 0, nil)
			if i == 1 {
				end := s.read.Add(frame)
				req.PCM, req.ReadEnd, req.Want = nil, &end, &proto.Span{From: end.Add(-frame), To: end}
			}
			r.must(req)
			s.done(frame)
		}
		rooms[i] = r
	}
	if rooms[0].ringSum() != rooms[1].ringSum() {
		t.Error("silence that is not sent leaves another ring than silence that is")
	}
	if n := slices.Max(rooms[1].b.ring.People); n == 0 {
		t.Error("nobody is there")
	}
}
