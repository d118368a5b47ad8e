package brigade

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"bucketbrigade/durable"
	"bucketbrigade/proto"
	"pgregory.net/rapid"
)

// home is a room whose brigade is kept, and can be killed and restored. What a
// kill leaves is its rings, its store, and what its recorder has on disk.
type home struct {
	*room
	cfg   Config // without rings and store
	size  int
	mem   []byte
	rings *Rings
	small bool // few chats are kept
}

func newHome(t reporter, c Config, seconds int) *home {
	h := &home{cfg: c, size: seconds * proto.SampleRate}
	h.rings = newRings(h.size, c.Stems)
	h.rings.Silent, h.rings.Ahead = true, make([]float32, 2*proto.SampleRate)
	rng := rand.NewPCG(7, 11)
	c.Rand, c.Rings = rand.New(rng), h.rings
	c.Store = h.newStore()
	h.room = &room{t: t, b: newBrigade(c, h.size), rng: rng, now: epoch}
	h.b.commit()
	return h
}

// layout is that of the store. A small room's chats need less than the usual memory.
func (h *home) layout() durable.Layout {
	l := StoreLayout(h.cfg.MaxUsers, h.cfg.Stems, durable.Identity{1})
	l.Kinds[keptChats].Slots = 300
	if h.small {
		l.Kinds[keptChats].Slots, l.LogBytes = 8, l.LogBytes/8
	}
	l.LogBytes = l.LogBytes / 64 * 8
	return l
}

// newStore makes the store that is written to from now on.
func (h *home) newStore() *durable.Store {
	l := h.layout()
	h.mem = make([]byte, l.Size())
	return durable.Format(h.mem, l)
}

// restart does what a new process does with what the last one left.
func (h *home) restart() {
	h.t.Helper()
	if err := h.tryRestart(); err != nil {
		h.t.Fatalf("not restored: %v", err)
	}
}

func (h *home) tryRestart() error {
	snap, err := durable.Open(h.mem, recordsVersion)
	if err != nil {
		return err
	}
	c := h.cfg
	c.Rand, c.Rings = rand.New(h.rng), h.rings
	c.Store = h.newStore()
	b, err := restore(c, h.size, snap, h.now)
	if err == nil {
		h.b, h.ans = b, proto.Answer{}
	}
	return err
}

// killed is what a brigade panics with that is killed.
type killed struct{}

// killAfter does something during which the process is killed after so many stores,
// and tells whether it was; if not, it was finished before.
func (h *home) killAfter(stores int, do func()) (dead bool) {
	store := h.b.store
	store.Interrupt = func() {
		if stores--; stores < 0 {
			panic(killed{})
		}
	}
	defer func() {
		store.Interrupt = nil
		if cause := recover(); cause != nil {
			if cause != (killed{}) {
				panic(cause)
			}
			dead = true
			h.scribble()
		}
	}()
	do()
	return false
}

// scribble leaves the piece of the ring that was about to be changed half changed.
func (h *home) scribble() {
	snap, err := durable.Open(h.mem, recordsVersion)
	if err != nil {
		h.t.Fatal(err)
	}
	pieces, err := snap.Saved()
	if err != nil || len(pieces) == 0 || pieces[0].Region == allRings {
		return
	}
	at, err := h.b.ring.place(pieces[0])
	if err != nil {
		h.t.Fatal(err)
	}
	clear(at[:len(at)/2/8*8])
}

// memory is what must be the same whether the process died or not.
func (r *room) memory() string {
	b := r.b
	s, take := b.state, b.take
	s.playing.pcm, s.playing.ahead = nil, 0
	take.next = max(take.next, b.cleared.Add(-b.ring.size)) // what is older is gone
	text := fmt.Sprintf("%+v %+v|%v %v %v %v %d %d|%+v|%v %q %d|%d of %d\n", s, b.events, b.started, b.cleared,
		b.lastRequest, b.requested, b.said, b.users.turns, take, b.control.took, strings.Join(b.control.done[:], " "), b.control.next,
		b.users.active, len(b.users.byID))
	if !b.started {
		return text // the ring is yet to be cleared
	}
	for m := b.users.newest; m != nil; m = m.older {
		u := m.user
		u.telemetry = nil
		if over := len(u.told.said) + len(u.queued.said) - proto.MaxChatsQueued; over > 0 {
			u.told.forget(min(over, len(u.told.said)))
		}
		text += fmt.Sprintf("%+v %v %d\n", u, m.active, m.turn)
	}
	return text + fmt.Sprint(r.ringSum())
}

// evening is the same random evening in a room whose process is killed now and then,
// and in one whose process lives.
type evening struct {
	t          *rapid.T
	home       *home
	twin       *room
	kept, once *disk
	singers    map[int][2]*singer
}

func newEvening(t *rapid.T) *evening {
	e := &evening{t: t, kept: newDisk(), once: newDisk(), singers: map[int][2]*singer{}}
	c := Config{
		MaxUsers: 3, JSONArea: proto.OldJSONArea, VideoToken: longToken,
		ControlSecret: rapid.SampledFrom([]proto.Secret{"", testSecret}).Draw(t, "control"),
		Tracks: trackMap{
			"long":  slices.Repeat([]float32{-1}, 100000),
			"short": slices.Repeat([]float32{0.5}, 1000),
		},
		Recorder: e.kept, Stems: rapid.IntRange(0, 9).Draw(t, "stems") == 0,
	}
	e.home = newHome(t, c, randomRingSeconds)
	c.Recorder = e.once
	e.twin = newRoomOf(t, c, randomRingSeconds)
	return e
}

// both does something in both rooms; in the one that is killed it is done again,
// marked so, until it is through.
func (e *evening) both(do func(r *room, again bool)) {
	kill := rapid.IntRange(0, 2).Draw(e.t, "kill") == 0
	if !kill {
		do(e.home.room, false)
		do(e.twin, false)
		return
	}
	committed := e.home.committed()
	dice, err := e.home.rng.MarshalBinary()
	if err != nil {
		e.t.Fatal(err)
	}
	dead := e.home.killAfter(rapid.IntRange(0, 60).Draw(e.t, "stores"), func() { do(e.home.room, false) })
	do(e.twin, false)
	switch {
	case !dead || e.home.committed() != committed: // killed before the answer was read, perhaps
		e.home.restart()
		do(e.home.room, true)
		do(e.twin, true)
	default:
		if err := e.home.rng.UnmarshalBinary(dice); err != nil {
			e.t.Fatal(err)
		}
		e.home.restart()
		do(e.home.room, true)
	}
}

// committed is how much the store has committed.
func (h *home) committed() byte { return h.mem[256] }

// step lets a singer, whoever controls the room, or time do something.
func (e *evening) step() {
	t := e.t
	pass := rapid.SampledFrom([]int{0, 0, 0, 1, frame, 2 * frame, 2 * proto.SampleRate, 6 * proto.SampleRate, proto.UserLifetime}).Draw(t, "pass")
	e.home.pass(pass)
	e.twin.pass(pass)
	if rapid.IntRange(0, 5).Draw(t, "tick") == 0 {
		e.both(func(r *room, _ bool) { r.b.Tick(r.now) })
	}
	if rapid.IntRange(0, 7).Draw(t, "conductor") == 0 {
		req := conduct(randomParams(t))
		req.ControlSecret = rapid.SampledFrom([]proto.Secret{testSecret, testSecret, "wrong"}).Draw(t, "secret")
		req.Nonce = rapid.SampledFrom([]string{"1", "2", "3", "4"}).Draw(t, "nonce")
		e.request(func(*room) *proto.Request { return req })
		return
	}
	id := rapid.IntRange(1, 5).Draw(t, "who")
	s, ok := e.singers[id]
	if !ok || rapid.IntRange(0, 3).Draw(t, "afresh") == 0 {
		delay, lag := rapid.IntRange(0, proto.SampleRate).Draw(t, "delay")+2*frame, rapid.IntRange(0, proto.SampleRate/2).Draw(t, "lag")
		s = [2]*singer{e.home.join(proto.UserID(id), delay, lag), e.twin.join(proto.UserID(id), delay, lag)}
		e.singers[id] = s
	}
	p, n := randomParams(t), frame*rapid.IntRange(1, 2).Draw(t, "frames")
	x := rapid.SampledFrom([]float32{0, 0.25, -1, 1000}).Draw(t, "x")
	if e.request(func(r *room) *proto.Request {
		if r == e.twin {
			return s[1].request(n, x, p)
		}
		return s[0].request(n, x, p)
	}) {
		s[0].done(n)
		s[1].done(n)
	}
}

// request makes the same request in both rooms, and compares what is answered.
func (e *evening) request(make func(*room) *proto.Request) (carriedOut bool) {
	answers := map[*room][]any{}
	e.both(func(r *room, again bool) {
		req := make(r)
		req.Again = again
		_ = r.try(req)
		carriedOut = r.ans.Error == ""
		var metadata map[string]any
		if r.ans.Metadata != "" {
			if err := json.Unmarshal([]byte(r.ans.Metadata), &metadata); err != nil {
				e.t.Fatal(err)
			}
		}
		answers[r] = []any{r.ans.Error, r.ans.Code, metadata, string(r.ans.Summary), r.audio()}
	})
	if a, b := answers[e.home.room], answers[e.twin]; !reflect.DeepEqual(a, b) {
		e.t.Fatalf("killed:\n%v\n%v\nnever:\n%v\n%v", a[0], a[2], b[0], b[2])
	}
	return carriedOut
}

// compareSongs compares what was recorded.
func (e *evening) compareSongs() {
	for start, want := range e.once.songs {
		if how := e.kept.songs[start].differs(want); how != "" {
			e.t.Fatalf("the song from %d %s", start, how)
		}
	}
}

// Wherever the process is killed, between whatever two stores: once it is back and
// the shard has asked again, all is as if it had lived.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := newEvening(t)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			e.step()
			if rapid.Bool().Draw(t, "restart") {
				e.home.restart()
			}
			e.home.checkInvariants()
			if a, b := e.home.memory(), e.twin.memory(); a != b {
				t.Fatalf("killed:\n%s\nnever:\n%s", a, b)
			}
			e.compareSongs()
		}
	})
}

// A process that is killed while a song starts leaves the ring as it was, or silent,
// whether or not the start is asked for again.
func TestKilledWhileTheRingIsSilenced(t *testing.T) {
	t.Parallel()
	seen := map[bool]int{}
	for stores := range 12 {
		h := newHome(t, Config{MaxUsers: 3}, 2)
		ann := h.join(1, 20000, 9000)
		ann.sing(0.25, params{"mark_start_singing": "1"})
		for range 5 {
			h.pass(frame)
			ann.sing(0.25, nil)
		}
		h.pass(frame)
		before := slices.Clone(h.rings.Audio)
		req := ann.request(frame, 0, params{"mark_start_singing": "1"})
		if !h.killAfter(stores, func() { _ = h.try(req) }) {
			break
		}
		cleared := slices.Max(h.rings.Audio) == 0
		if cleared { // or nothing was yet
			copy(h.rings.Audio, before)
		}
		h.restart()
		seen[cleared]++
		if silent := slices.Max(h.rings.Audio) == 0; silent != cleared || !silent && !slices.Equal(h.rings.Audio, before) {
			t.Errorf("killed after %d stores, cleared: %t: silent is %t", stores, cleared, silent)
		}
	}
	if seen[true] == 0 || seen[false] == 0 {
		t.Errorf("killed before and after: %v", seen)
	}
}
