package brigade

import (
	"fmt"
	"strings"
	"testing"

	"bucketbrigade/proto"
)

// arrivals is how many of a crowd from addresses were taken. Address k of the crowd is
// as of from, with k for the %d in it.
func (r *room) arrivals(first, n int, from string) (taken int) {
	r.t.Helper()
	for k := range n {
		s := r.join(proto.UserID(first+k), 30000, 0)
		if s.addr = from; strings.Contains(from, "%d") {
			s.addr = fmt.Sprintf(from, k)
		}
		switch ref := r.try(s.request(frame, 0, nil)); {
		case ref == nil:
			taken++
		case codeOf(ref) != 429:
			r.t.Errorf("user %d from %s: %v, want 429", first+k, s.addr, ref)
		}
	}
	return taken
}

// One network cannot fill the room; who has little always finds a place that is left.
func TestNetworksShareTheRoom(t *testing.T) {
	t.Parallel()
	type crowd struct {
		n    int
		from string
		want int
	}
	for name, crowds := range map[string][]crowd{
		"one address":                  {{300, "203.0.113.7", 100}},
		"two":                          {{300, "203.0.113.7", 100}, {300, "203.0.113.8", 50}},
		"the last places":              {{100, "203.0.113.7", 100}, {49, "203.0.113.8", 49}, {60, "203.0.114.%d", 51}},
		"one customer's IPv6":          {{300, "2001:db8::1:%d", 100}},
		"customers with IPv6":          {{300, "2001:db8:0:%d::1", 200}},
		"IPv4 by another name":         {{60, "203.0.113.7", 60}, {60, "::ffff:203.0.113.7", 40}},
		"few are taken in any crowd":   {{150, "203.0.113.%d", 150}, {60, "203.0.114.1", 50}},
		"this machine":                 {{300, "127.0.0.1", 200}},
		"this machine by IPv6":         {{300, "::1", 200}},
		"peers that tell no address":   {{300, "", 200}},
		"peers that tell another name": {{300, "somewhere", 200}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t, Config{MaxUsers: 200})
			first := 1
			for _, c := range crowds {
				if got := r.arrivals(first, c.n, c.from); got != c.want {
					t.Errorf("%d of %d from %s are taken, want %d", got, c.n, c.from, c.want)
				}
				first += c.n
			}
		})
	}
}

// Who is refused is told why; who is inside stays; who falls silent makes room, and
// still counts for his network after a restart.
func TestCrowdFromOneNetwork(t *testing.T) {
	t.Parallel()
	h := newHome(t, Config{MaxUsers: 120}, 2)
	const from = "203.0.113.7"
	if got := h.arrivals(1, 60, from); got != 60 {
		t.Fatalf("%d of 60 are taken", got)
	}
	h.restart()
	late := h.join(1000, 30000, 0)
	late.addr = from
	const want = "60 of 60 here come from your network: no more than there are places left, 60"
	if ref := h.try(late.request(frame, 0, nil)); codeOf(ref) != 429 || ref.Reason != want {
		t.Errorf("%v, want 429 %s", ref, want)
	}
	inside := h.join(1, 30000, 0)
	inside.addr = from
	inside.ask(nil)
	h.pass(proto.UserInactive)
	if got := h.arrivals(2000, 100, from); got != 60 {
		t.Errorf("%d of 100 are taken where all have fallen silent, want 60", got)
	}
}

// Who has just fallen silent counts for nobody.
func TestSilentNeighboursDoNotCount(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{MaxUsers: 110})
	const from = "203.0.113.7"
	first := r.arrivals(1, 55, from)
	r.pass(proto.UserInactive - 1)
	others := r.arrivals(100, 55, "203.0.114.%d")
	r.pass(1)
	if again := r.arrivals(200, 1, from); first != 55 || others != 55 || again != 1 {
		t.Errorf("%d, %d, and when the first had fallen silent %d are taken; want 55, 55, 1", first, others, again)
	}
}
