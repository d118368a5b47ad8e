package brigade

import (
	"slices"
	"testing"

	"bucketbrigade/proto"
)

func TestBuckets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name              string
		bpm, bpr, repeats int
		followers         int
		first, last       int
		positions         []int
	}{
		{"no rounds, seven", 0, 0, 0, 7, 3, 18, []int{18, 15, 12, 9, 6, 18, 15}},
		{"no rounds, two", 0, 0, 0, 2, 3, 12, []int{9, 6}},
		{"no rounds, alone", 0, 0, 0, 0, 3, 9, nil},
		{"short round", 120, 16, 2, 3, 19, 25, []int{25, 22, 25}},
		{"long round", 60, 16, 10, 6, 93, 108, []int{108, 105, 102, 99, 96, 108}},
		{"tiny round", 500, 1, 20, 2, 5, 8, []int{8, 8}},
		{"no repeats is no round", 60, 16, 0, 1, 3, 9, []int{6}},
	} {
		s := state{bpm: c.bpm, bpr: c.bpr, repeats: c.repeats}
		p := planBuckets(s.roundSeconds(), s.repeats, c.followers)
		var got []int
		for i := range c.followers {
			got = append(got, p.follower(i))
		}
		if p.first != c.first || p.last != c.last || !slices.Equal(got, c.positions) {
			t.Errorf("%s: leader %d, followers %v, last %d; want %d, %v, %d",
				c.name, p.first, got, p.last, c.first, c.positions, c.last)
		}
	}
}

// The leader stands alone in the first bucket, spectator or not; the others
// are dealt to the buckets behind.
func TestLeadMovesEverybody(t *testing.T) {
	t.Parallel()
	for _, spectates := range []string{"", "1"} {
		r := newRoom(t, Config{})
		all := make([]*singer, 9)
		for i := range all {
			all[i] = r.join(proto.UserID(i), 30000, 0)
			p := params{}
			if i >= 7 {
				p["spectator"] = "1"
			}
			all[i].ask(p)
		}
		lyrics := "la"
		req := all[0].request(frame, 0, params{"request_lead": "1", "spectator": spectates})
		req.Lyrics = &lyrics
		all[0].done(frame)
		m := r.must(req)
		if m.DelaySeconds == nil || *m.DelaySeconds != 3 || m.Leader == nil || *m.Leader != "0" || value(t, m.Lyrics) != "" {
			t.Errorf("leader is told %+v", m)
		}
		var got []int
		for i := range all[1:] {
			p := params{}
			if i+1 >= 7 {
				p["spectator"] = "1"
			}
			m := all[i+1].ask(p)
			if m.DelaySeconds == nil || m.FirstBucket == nil || i+1 >= 7 && *m.DelaySeconds != 18 {
				t.Fatalf("singer %d is told %+v", i+1, m.News)
			}
			got = append(got, *m.DelaySeconds)
		}
		slices.Sort(got)
		if want := []int{6, 9, 12, 15, 18, 18, 18, 18}; !slices.Equal(got, want) {
			t.Errorf("moved to %v, want %v", got, want)
		}
	}
}
