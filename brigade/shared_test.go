package brigade

import (
	"fmt"
	"math"
	"math/rand/v2"
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
}

// listen makes one request of n samples and gives what is heard. It checks what
// is kept of the cache against what would be mixed now.
func (l *sharedListener) listen(n int, p params) (heard []float32, kept int) {
	r := l.r
	r.t.Helper()
	req := l.request(n, 0, p)
	end := l.read.Add(n) / frame * frame
	from := end.Add(-n)
	held := l.cache.held(from, end)
	first := from
	if k := len(held.Reads); k > 0 {
		first = held.Reads[k-1].To
	}
	req.ReadEnd, req.Held, req.Want, req.PCM = &end, held, &proto.Span{From: first, To: end}, nil
	r.must(req)
	l.done(n)
	whole := r.wholeMix(l.id, from, n)
	keep := max(r.ans.Keep, from)
	span := *r.ans.Span
	pcm := r.audio()
	if r.ans.Keep != 0 && r.ans.Keep > first || span.Len() > 0 && (span.From > keep || span.To != end) || span.Len() == 0 && keep != end {
		r.t.Fatalf("[%d, %d) held up to %d: kept up to %d, sent %v", from, end, first, r.ans.Keep, span)
	}
	for at := from; at < end; at = at.Add(frame) {
		now := whole[at.Sub(from):at.Sub(from.Add(-frame))]
		if at >= keep {
			got := pcm[at.Sub(span.From):at.Sub(span.From.Add(-frame))]
			if !slices.Equal(got, now) {
				r.t.Fatalf("frame %d is sent as %v, it is %v", at, got[0], now[0])
			}
			l.cache.frames[at] = cachedFrame{r.now, slices.Clone(got)}
		} else {
			kept++
			f := l.cache.frames[at]
			if !slices.Equal(f.pcm, now) && r.now.Sub(f.read) > proto.SampleRate/4 {
				r.t.Fatalf("frame %d, read %d samples ago, is kept as %v, it is %v", at, r.now.Sub(f.read), f.pcm[0], now[0])
			}
		}
		heard = append(heard, l.cache.frames[at].pcm...)
	}
	l.cache.mix = r.ans.Mix
	return heard, kept
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

// Whoever would have heard a voice with an encoder of its own hears it in a
// shared stream, unless that voice came less than 250 ms before the read:
// whatever is sung, started, ended, turned up, and whoever listens when.
func TestSharedStreamLacksNoVoice(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 1))
			r := newRoom(t, Config{Tracks: trackMap{"t": slices.Repeat([]float32{0.5}, 200000)}})
			r.b.Tick(r.now)
			shard := &cache{frames: map[proto.Clock]cachedFrame{}}
			var listeners []*sharedListener
			var due []proto.Clock
			for i := range 6 {
				r.pass(rng.IntN(20000))
				delay := 3*proto.SampleRate + rng.IntN(12000) - 6000
				listeners = append(listeners, &sharedListener{r.join(proto.UserID(100+i), delay, 0), shard})
				due = append(due, r.now)
			}
			var singers []*singer
			for i := range 4 {
				// Some come long before the listeners read, some just then, some late.
				lag := proto.SampleRate/2 + rng.IntN(3*proto.SampleRate)
				singers = append(singers, r.join(proto.UserID(1+i), proto.SampleRate, lag))
			}
			kept, all := 0, 0
			for range 4000 {
				r.pass(rng.IntN(3000))
				for _, s := range singers {
					if late := r.now.Sub(s.read); late > proto.SampleRate && rng.IntN(2) == 0 || late > 2*proto.SampleRate {
						s.sing(float32(rng.IntN(9))/16, randomChange(rng))
					}
				}
				for i, l := range listeners {
					if r.now < due[i] {
						continue
					}
					due[i] = due[i].Add(10 * frame)
					_, k := l.listen(10*frame, nil)
					kept, all = kept+k, all+10
				}
			}
			t.Logf("%d of %d frames were kept", kept, all)
			if kept < all/4 {
				t.Errorf("%d of %d frames were kept: nothing is shared", kept, all)
			}
		})
	}
}

// randomChange is now and then something that changes what all hear.
func randomChange(rng *rand.Rand) params {
	switch rng.IntN(120) {
	case 0:
		return params{"mark_start_singing": "1"}
	case 1:
		return params{"mark_stop_singing": "1"}
	case 2:
		return params{"volume": fmt.Sprint(0.5 + rng.Float64())}
	case 3:
		return params{"backing_volume": fmt.Sprint(rng.Float64())}
	case 4:
		return params{"disableAutoGain": fmt.Sprint(rng.IntN(2))}
	case 5:
		return params{"bpm": []string{"0", "90"}[rng.IntN(2)]}
	case 6:
		return params{"track": "t", "mark_start_singing": "1"}
	case 7:
		return params{"bpm": "120", "bpr": "1", "repeats": "2"}
	}
	return nil
}

// A song that starts anew at the very clock of the one before is another.
func TestSongAtTheSameClockIsAnother(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	shard := &cache{frames: map[proto.Clock]cachedFrame{}}
	one, two := r.join(1, 30000, 0), r.join(2, 30000, 0)
	lis := &sharedListener{r.join(3, 30000, 0), shard}
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
	if _, kept := lis.listen(frame, nil); kept != 0 || len(old.Reads) == 0 {
		t.Errorf("%d frames of %v are kept of a song that is over", kept, old)
	}
}

// Whose backing is louder, who hears solos or wants loopback, gets all of it and
// another name for it.
func TestOtherMixesAreNotShared(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	shard := &cache{frames: map[proto.Clock]cachedFrame{}}
	one := &sharedListener{r.join(1, 30000, 0), shard}
	two := &sharedListener{r.join(2, 30000, 0), shard}
	one.listen(frame, params{"bpm": "120"})
	one.listen(frame, params{"mark_start_singing": "1"})
	two.listen(2*frame, nil)
	usual := shard.mix
	for range 30 {
		r.pass(frame)
		one.listen(frame, nil)
		if _, kept := two.listen(frame, nil); kept != 1 || shard.mix != usual {
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
