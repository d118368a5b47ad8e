package brigade

import (
	"testing"

	"bucketbrigade/proto"
)

func TestSessions(t *testing.T) {
	t.Parallel()
	const here, there = "192.0.2.1", "192.0.2.2"
	type try struct {
		session proto.Session
		addr    string
		code    int // 0: carried out
	}
	address, cookie := proto.AddressSession, proto.CookieSession
	for _, c := range []struct {
		name  string
		tries []try
	}{
		{"anonymous stays anonymous", []try{{"", here, 0}, {"", there, 0}, {cookie("a"), here, 403}}},
		{"a cookie keeps its singer", []try{{cookie("a"), here, 0}, {cookie("a"), there, 0}, {cookie("b"), here, 403},
			{address(here), here, 403}, {"", here, 403}}},
		{"an address goes over to a cookie once", []try{{address(here), here, 0}, {address(here), here, 0},
			{cookie("a"), here, 0}, {cookie("b"), here, 403}, {address(here), here, 403}, {cookie("a"), there, 0}}},
		{"not to a cookie from elsewhere", []try{{address(here), here, 0}, {cookie("a"), there, 403}, {cookie("b"), here, 0}}},
		{"not to another address", []try{{address(here), here, 0}, {address(there), there, 403}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t, Config{})
			s := r.join(1, 30000, 0)
			for i, try := range c.tries {
				s.session, s.addr = try.session, try.addr
				ref := r.try(s.request(frame, 0, nil))
				if code := codeOf(ref); code != try.code {
					t.Fatalf("try %d as %q from %s: %d, want %d", i, try.session, try.addr, code, try.code)
				}
				if ref == nil {
					s.done(frame)
				}
				r.pass(frame)
			}
		})
	}
}

func codeOf(r *proto.Refusal) int {
	if r == nil {
		return 0
	}
	return r.Code
}

// A userid belongs to its session until the user is forgotten, and whose clocks
// it had is forgotten with it.
func TestForgottenUserIsFree(t *testing.T) {
	t.Parallel()
	for _, tick := range []bool{false, true} {
		r := newRoom(t, Config{})
		s := r.join(1, 30000, 0)
		s.session = "cookie:a"
		s.ask(nil)
		r.pass(proto.UserLifetime)
		other := r.join(1, 40000, 0)
		other.session, other.fresh = "cookie:b", false
		if ref := r.try(other.request(frame, 0, nil)); codeOf(ref) != 403 {
			t.Fatalf("after an hour: %v, want 403", ref)
		}
		r.pass(1)
		if tick {
			r.b.Tick(r.now)
			if n := len(r.b.users.byID); n != 0 {
				t.Errorf("%d users remembered after the tick", n)
			}
		}
		other.read = r.now.Add(-40000)
		if m := other.ask(nil); m.BPM == nil || m.ConnectedUsers != 1 {
			t.Errorf("not greeted as a newcomer: %+v", m)
		}
	}
}

func TestRoomLimit(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{MaxUsers: 3})
	var in []*singer
	for id := range proto.UserID(3) {
		in = append(in, r.join(id, 30000, 0))
		in[id].ask(nil)
	}
	late := r.join(9, 30000, 0)
	for range 3 {
		if ref := r.try(late.request(frame, 0, nil)); codeOf(ref) != 429 {
			t.Fatalf("the fourth of three: %v, want 429", ref)
		}
		for _, s := range in {
			s.ask(nil) // who is inside is never refused
		}
		r.pass(frame)
	}
	r.pass(proto.UserInactive - 1)
	in[1].ask(nil)
	in[2].ask(nil)
	r.pass(1) // singer 0 is silent for more than 5 s now
	late.read = r.now.Add(-30000)
	late.ask(nil)
	if ref := r.try(in[0].request(frame, 0, nil)); codeOf(ref) != 429 {
		t.Errorf("who lost its place comes back into a full room: %v, want 429", ref)
	}
	if m := in[1].ask(nil); m.ConnectedUsers != 3 {
		t.Errorf("%d are here", m.ConnectedUsers)
	}
}

func TestRememberedUsersAreBounded(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{MaxUsers: 2})
	for id := range proto.UserID(20) {
		r.join(id, 30000, 0).ask(nil)
		r.pass(proto.UserInactive)
	}
	if n := len(r.b.users.byID); n != 8 {
		t.Errorf("%d users remembered, want 4 times 2", n)
	}
	if r.b.users.byID[19] == nil || r.b.users.byID[12] == nil || r.b.users.byID[11] != nil {
		t.Error("not the ones unheard for longest were forgotten")
	}
}
