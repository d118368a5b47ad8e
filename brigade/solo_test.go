package brigade

import (
	"testing"

	"bucketbrigade/proto"
)

// Who listens to solos is moved one bucket behind the latest soloed singer,
// unless it stands there.
func TestSoloMoves(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	a, b, far := r.join(1, 2*second+frame, 0), r.join(2, 4*second+frame, 0), r.join(3, 7*second+frame, 0)
	for _, s := range []*singer{a, b, far} {
		s.ask(nil)
	}
	delay := func(m proto.Metadata) int {
		if m.DelaySeconds == nil {
			return 0
		}
		return *m.DelaySeconds
	}
	for _, c := range []struct {
		name string
		who  *singer
		p    params
		want int
	}{
		{"nobody is soloed", a, params{"begin_monitor": "1", "hear_monitor": "1"}, 0},
		{"solo the one at 2 s", far, params{"monitor": "1"}, 5},
		{"stands there", far, params{"hear_monitor": "1", "begin_monitor": "1"}, 5},
		{"listened then, and solos an unknown one", a, params{"monitor": "99"}, 5},
		{"solo the one at 4 s, being at 7 s", far, params{"monitor": "2"}, 0},
		{"that has stopped listening", b, nil, 0},
		{"begin", b, params{"begin_monitor": "1"}, 7},
		{"unsolo the one at 4 s", b, params{"unmonitor": "2"}, 0},
		{"which moves the one who listened", far, nil, 5},
	} {
		r.pass(frame)
		if got := delay(c.who.ask(c.p)); got != c.want {
			t.Errorf("%s: moved to %d s, want %d", c.name, got, c.want)
		}
		for _, s := range []*singer{a, b, far} {
			if s != c.who {
				s.read = s.read.Add(frame)
				s.fresh = true
			}
		}
	}
}
