package brigade

import (
	"testing"

	"bucketbrigade/proto"
)

const second = proto.SampleRate

func TestCensus(t *testing.T) {
	t.Parallel()
	r := newRoomOf(t, Config{}, 60)
	if c := r.b.Census(); c != (Census{}) {
		t.Errorf("of an empty room: %+v", c)
	}
	leader := r.join(1, 3*second, second)
	followers := []*singer{r.join(2, 6*second, second), r.join(3, 6*second, second), r.join(4, 18*second, second), r.join(5, 40*second, second)}
	leader.ask(nil)
	for _, f := range followers {
		f.ask(nil)
	}
	want := Census{Users: 5, Active: 5, Buckets: [Buckets]int{1, 2, 0, 0, 0, 2}}
	if c := r.b.Census(); c != want {
		t.Errorf("%+v, want %+v", c, want)
	}
	leader.ask(params{"request_lead": "1"})
	leader.ask(params{"mark_start_singing": "1"})
	want.Leader, want.Song = true, true
	if c := r.b.Census(); c != want {
		t.Errorf("%+v, want %+v", c, want)
	}
	leader.ask(params{"mark_stop_singing": "1"})
	want.Leader, want.Song = false, false
	if c := r.b.Census(); c != want {
		t.Errorf("%+v, want %+v", c, want)
	}
	r.pass(6 * second)
	r.b.Tick(r.now)
	if c, want := r.b.Census(), (Census{Users: 5}); c != want {
		t.Errorf("after everybody left: %+v, want %+v", c, want)
	}
}

// Audio is late if the next bucket has heard its place already.
func TestLateWrites(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		delay, lag int // of the singer, in samples: behind the clock, behind what it hears
		late       int
	}{
		{3 * second, frame, 0},
		{3 * second, 3 * second, 0},
		{3 * second, 3*second + 1, 1},
		{6 * second, 3 * second, 0},
		{6 * second, 3*second + 1, 1},
		{18 * second, 9 * second, 0}, // nobody stands behind the last bucket
	} {
		r := newRoomOf(t, Config{}, 60)
		leader := r.join(1, 3*second, second)
		leader.ask(params{"request_lead": "1"})
		r.pass(second)
		r.b.state.songStart = epoch.Add(-50 * second)
		s := r.join(2, c.delay, c.lag)
		s.sing(0.1, nil)
		if got := r.b.Census().LateWrites; got != c.late {
			t.Errorf("%d s behind the clock, audio %.2f s behind: %d late writes, want %d", c.delay/second, float64(c.lag)/second, got, c.late)
		}
	}
}
