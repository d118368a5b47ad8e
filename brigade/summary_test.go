package brigade

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bucketbrigade/proto"
)

// crowd makes n singers, 100 + i each, i/10 s behind the other.
func (r *room) crowd(n int) []*singer {
	all := make([]*singer, n)
	for i := range all {
		all[i] = r.join(proto.UserID(100+i), 30000+i*4800%480000, 0)
		all[i].ask(nil)
	}
	return all
}

func ids(users []proto.SummaryUser) (out []proto.UserID) {
	for _, u := range users {
		out = append(out, u.User)
	}
	return out
}

func sorted(users []proto.SummaryUser) bool {
	return slices.IsSortedFunc(users, func(a, b proto.SummaryUser) int { return compareListing(&a, &b) })
}

var listPlease = params{"user_summary": "1"}

func TestListIsExactInASmallRoom(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	all := r.crowd(64)
	for i := range 3 {
		all[5].name = strings.Repeat("x", i)
		all[5].ask(nil)
		all[0].ask(listPlease)
		users := r.list()
		at := slices.IndexFunc(users, func(u proto.SummaryUser) bool { return u.User == 105 })
		want := all[5].name
		if want == "" {
			want = "<anonymous>"
		}
		if len(users) != 64 || !sorted(users) || users[at].Name != want {
			t.Fatalf("round %d: %d users, sorted %t, name %q; want 64, sorted, %q", i, len(users), sorted(users), users[at].Name, want)
		}
	}
	all[0].ask(nil)
	if n := len(r.list()); n != 0 {
		t.Errorf("%d users told to who did not ask", n)
	}
}

func TestListIsSharedInALargeRoom(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	all := r.crowd(70)
	told := func(s *singer) int { s.ask(listPlease); return len(r.list()) }
	if n := told(all[0]); n != 70 {
		t.Fatalf("first asking: %d users, want 70", n)
	}
	if n := told(all[0]); n != 0 {
		t.Errorf("asked again at once: %d users, want none", n)
	}
	r.pass(proto.SampleRate - 1)
	late := r.join(7, 90000, 0)
	late.ask(nil)
	all[1].ask(listPlease)
	if users := r.list(); len(users) != 70 || slices.Contains(ids(users), 7) {
		t.Errorf("the list is made anew before it is 1 s old: %d users", len(users))
	}
	late.ask(listPlease)
	if users := r.list(); len(users) != 71 || !slices.Contains(ids(users), 7) || !sorted(users) {
		t.Errorf("the newcomer is told %d users, itself among them: %t", len(users), slices.Contains(ids(users), 7))
	}
	r.pass(1)
	if n := told(all[2]); n != 71 {
		t.Errorf("after 1 s: %d users, want 71", n)
	}
	r.pass(2*proto.SampleRate - 1)
	if n := told(all[0]); n != 0 {
		t.Errorf("before 3 s are over: %d users, want none", n)
	}
	r.pass(1)
	if n := told(all[0]); n != 71 {
		t.Errorf("after 3 s: %d users, want 71", n)
	}
	all[0].read -= frame
	again := all[0].request(frame, 0, listPlease)
	again.Again = true
	r.must(again)
	all[0].done(frame)
	if n := len(r.list()); n != 71 {
		t.Errorf("the lost answer had the list, its repetition has %d users", n)
	}
	all[0].fresh = true
	if n := told(all[0]); n != 71 {
		t.Errorf("after a fresh start: %d users, want 71", n)
	}
}

// Beside 17 frames there is room for 81 users: leader and caller are among
// them, wherever they stand.
func TestListIsCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		lead, caller proto.UserID
	}{
		{"both at the end", 198, 199},
		{"caller at the end", 100, 199},
		{"leader at the end", 199, 100},
		{"one and the same", 199, 199},
		{"caller just inside", 199, 180},
		{"both inside", 101, 100},
	} {
		r := newRoom(t, Config{})
		var caller *singer
		for i := range 100 {
			s := r.join(proto.UserID(100+i), 30000+i*4800, 0)
			p := params{}
			if s.id == c.lead {
				p["request_lead"] = "1"
			}
			s.ask(p)
			if s.id == c.caller {
				caller = s
			}
		}
		caller.fresh, caller.read = true, caller.read-proto.MaxSamples+frame
		r.must(caller.request(proto.MaxSamples, 0, listPlease))
		users := r.list()
		room := (proto.MaxData - 2 - 4*proto.MaxSamples) / proto.SummaryRecord
		got := ids(users)
		if len(users) != room || !sorted(users) || !slices.Contains(got, c.lead) || !slices.Contains(got, c.caller) {
			t.Errorf("%s: %d users (want %d), sorted %t: %v", c.name, len(users), room, sorted(users), got)
		}
		if got[0] != 100 || got[room-3] != 100+proto.UserID(room)-3 {
			t.Errorf("%s: not cut at the end: %v", c.name, got)
		}
		if total := len(r.ans.Summary) + 4*r.b.Samples(); total > proto.MaxData {
			t.Errorf("%s: %d bytes of data", c.name, total)
		}
	}
}

// plainPick is the list for m, put together and cut entry by entry.
func plainPick(b *Brigade, m *member) []proto.SummaryUser {
	var users []proto.SummaryUser
	known := false
	for _, u := range b.list.users {
		users, known = append(users, u.SummaryUser), known || u.User == m.id
	}
	if own := m.listing(); !known {
		i, _ := slices.BinarySearchFunc(users, own, func(a, b proto.SummaryUser) int { return compareListing(&a, &b) })
		users = slices.Insert(users, i, own)
	}
	room := (proto.MaxData - 2 - 4*b.Samples()) / proto.SummaryRecord
	for i := len(users) - 1; len(users) > room; i-- {
		if id := users[i].User; id != m.id && !(b.state.hasLeader && id == b.state.leader) {
			users = slices.Delete(users, i, i+1)
		}
	}
	return users
}

// Whoever asks, known or late, near the cut or not, beside any leader.
func TestPickedListIsPutTogether(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(9, 9))
	for range 40 {
		r := newRoom(t, Config{})
		all := r.crowd(80 + rng.IntN(20))
		all[0].ask(listPlease) // which makes a list
		r.pass(proto.UserInactive)
		away := 1 + rng.IntN(len(all)-4)
		for i, s := range all {
			if i < away || i >= away+3 {
				s.fresh, s.read = true, s.read.Add(proto.UserInactive)
				s.ask(nil)
			}
		}
		all[0].ask(listPlease) // and another, without those who are away
		for _, s := range all[away : away+3] {
			s.fresh, s.read = true, s.read.Add(proto.UserInactive)
			s.ask(nil)
		}
		for range 1 + rng.IntN(3) {
			late := r.join(proto.UserID(1000+len(all)), 30000+rng.IntN(480000), 0)
			late.ask(nil)
			all = append(all, late)
		}
		if rng.IntN(3) > 0 {
			leader := rng.IntN(len(all))
			if rng.IntN(2) == 0 {
				leader = away + 3 // next to who was away
			}
			all[leader].ask(params{"request_lead": "1"})
		}
		for _, s := range all {
			m := r.b.users.byID[s.id]
			s.fresh, s.read = true, s.read-proto.MaxSamples+frame
			end := s.read.Add(proto.MaxSamples)
			req := s.request(0, 0, params{
				"user_summary": "1", "n_samples": strconv.Itoa(proto.MaxSamples), "read_clock": end.String(),
			})
			req.Want = &proto.Span{From: s.read, To: end} // silence is not sent
			r.b.list.at = r.now
			r.must(req)
			if got, want := r.list(), plainPick(r.b, m); !slices.Equal(got, want) {
				t.Fatalf("%d of %d ask: told\n%v\nwant\n%v", s.id, len(all), ids(got), ids(want))
			}
		}
	}
}

// An entry that was not in the list when it was made moves those behind it.
func TestPlacesBesideALateEntry(t *testing.T) {
	t.Parallel()
	var members []*member
	l := &sharedList{number: 3}
	for i := range 3 {
		m := &member{user: user{id: proto.UserID(10 * i), delay: 10 * i * proto.SampleRate}, place: place{3, i}}
		members = append(members, m)
		l.users = append(l.users, listed{SummaryUser: m.listing()})
		l.wire = proto.AppendSummaryUser(l.wire, &l.users[i].SummaryUser)
	}
	late := &member{user: user{id: 5, delay: 5 * proto.SampleRate}, place: place{2, 0}}
	for _, c := range []struct {
		asks *member
		want []proto.UserID
	}{{late, []proto.UserID{0, 5, 10, 20}}, {members[1], []proto.UserID{0, 10, 20}}} {
		p := pickFor(c.asks, l)
		if p.len() != len(c.want) || c.want[p.at] != c.asks.id {
			t.Errorf("%d asks: %d users, place %d", c.asks.id, p.len(), p.at)
		}
		for _, m := range members {
			if at, ok := p.find(m); !ok || c.want[at] != m.id {
				t.Errorf("%d asks: %d stands at %d, %t", c.asks.id, m.id, at, ok)
			}
		}
		for from := range c.want {
			for to := from; to <= len(c.want); to++ {
				users, err := proto.ParseSummary(p.append(proto.AppendSummaryHeader(nil, to-from), from, to))
				if err != nil || !slices.Equal(ids(users), c.want[from:to]) {
					t.Errorf("%d asks: %d to %d are %v, %v", c.asks.id, from, to, ids(users), err)
				}
			}
		}
	}
	for _, m := range []*member{nil, late} {
		if _, ok := (&picked{list: l}).find(m); ok {
			t.Errorf("%v is in the list", m)
		}
	}
}

// The rank of a user never contradicts the order of the list.
func TestRankFollowsTheList(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 6))
	names := []string{"", "a", "a\x00", "ab", "abcdef", "abcdefg", "abcdeg", "\xff", "\u00e9", "Ann", "Ann Lee", "ann"}
	drawn := func() *proto.SummaryUser {
		return &proto.SummaryUser{
			User: proto.UserID(rng.IntN(3)), Delay: rng.IntN(3) * 130, Name: names[rng.IntN(len(names))],
			MicVolume: float32(rng.IntN(2)),
		}
	}
	for range 5000 {
		a, b := drawn(), drawn()
		if r := cmp.Compare(rank(a), rank(b)); r != 0 && r != compareListing(a, b) {
			t.Fatalf("%+v and %+v rank %d, the list has %d", a, b, r, compareListing(a, b))
		}
	}
}
