package brigade

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"bucketbrigade/proto"
)

// audience is a room in which some sing and others listen through the streams of one
// shard, at any time and from any place.
type audience struct {
	*room
	rng       *rand.Rand
	shard     *cache
	singers   []*standing
	listeners []*sharedListener
	due       []proto.Clock // when each listener asks
	ids       int           // that listeners have had

	kept, all           int // frames that were listened to
	joined, placed, led int // how often somebody did; or was told to move
}

// standing is a singer who keeps to a place.
type standing struct {
	*singer
	delay, lag int
}

func newAudience(t *testing.T, seed uint64) *audience {
	rng := rand.New(rand.NewPCG(seed, 1))
	// The last bucket is 18 s behind, and who sings there 4 s more.
	r := newRoomOf(t, Config{Tracks: trackMap{"t": slices.Repeat([]float32{0.5}, 200000)}}, 26)
	r.b.Tick(r.now)
	c := &audience{room: r, rng: rng, shard: &cache{frames: map[proto.Clock]cachedFrame{}}}
	for range 6 {
		r.pass(rng.IntN(20000))
		c.listeners = append(c.listeners, c.newcomer())
		c.due = append(c.due, r.now)
	}
	for i := range 4 {
		// Some come long before the listeners read, some just then, some late.
		s := &standing{delay: proto.SampleRate, lag: proto.SampleRate/2 + rng.IntN(3*proto.SampleRate)}
		s.singer = r.join(proto.UserID(1+i), s.delay, s.lag)
		c.singers = append(c.singers, s)
	}
	return c
}

// newcomer is a listener who has not been here before, about 3 s behind.
func (c *audience) newcomer() *sharedListener {
	c.ids++
	return &sharedListener{singer: c.join(proto.UserID(100+c.ids), c.near(3*proto.SampleRate), 0), cache: c.shard}
}

// near is a delay about as long.
func (c *audience) near(delay int) int { return delay + c.rng.IntN(12000) - 6000 }

// place has a singer begin anew, delay behind the clock.
func (c *audience) place(s *singer, delay, lag int) {
	s.read, s.fresh = c.now.Add(-delay), true
	s.write = s.read.Add(-lag)
}

// sing lets singer s come if it is time, perhaps with a change, and go where it is
// told to.
func (c *audience) sing(s *standing) {
	late := c.now.Sub(s.read) - s.delay
	if late <= 0 || late <= proto.SampleRate && c.rng.IntN(2) == 0 {
		return
	}
	m := s.sing(float32(c.rng.IntN(9))/16, randomChange(c.rng))
	if m.DelaySeconds != nil {
		c.led++
		s.delay = *m.DelaySeconds * proto.SampleRate
		c.place(s.singer, s.delay, s.lag)
	}
}

// listen lets listener i come. It goes where it is told to; now and then it
// chooses a place of its own, or leaves to somebody new.
func (c *audience) listen(i int) {
	l := c.listeners[i]
	c.due[i] = c.due[i].Add(10 * frame)
	c.kept += l.listen(10*frame, nil)
	c.all += 10
	behind := c.now.Sub(l.read)
	switch chance := c.rng.IntN(80); {
	case l.told.DelaySeconds != nil:
		c.led++
		c.place(l.singer, c.near(*l.told.DelaySeconds*proto.SampleRate), 0)
	case chance < 2:
		c.placed++
		to := behind + c.rng.IntN(6*proto.SampleRate) - 3*proto.SampleRate
		c.place(l.singer, min(max(to, proto.SampleRate), 20*proto.SampleRate), 0)
	case chance == 2:
		c.joined++
		c.listeners[i] = c.newcomer()
	default:
		return
	}
	c.due[i] = c.now
}

// Whoever would have heard a voice with an encoder of its own hears it in a
// shared stream, unless that voice came less than 250 ms before the read:
// whatever is sung, started, ended, turned up, whoever leads, and whoever listens
// when and from where.
func TestSharedStreamLacksNoVoice(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			c := newAudience(t, seed)
			for range 4000 {
				c.pass(c.rng.IntN(3000))
				for _, s := range c.singers {
					c.sing(s)
				}
				for i := range c.listeners {
					if c.now >= c.due[i] {
						c.listen(i)
					}
				}
			}
			t.Logf("%d of %d frames were kept; %d came, %d went elsewhere, %d were told to", c.kept, c.all, c.joined, c.placed, c.led)
			if c.kept < c.all/8 {
				t.Errorf("%d of %d frames were kept: nothing is shared", c.kept, c.all)
			}
			if c.joined < 5 || c.placed < 5 || c.led < 20 {
				t.Errorf("%d came, %d went elsewhere and %d were told to: nobody moves", c.joined, c.placed, c.led)
			}
		})
	}
}

// randomChange is now and then something that changes what all hear, or where they
// stand.
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
	case 8:
		return params{"mic_volume": fmt.Sprintf(`[["%d",%g]]`, 1+rng.IntN(4), 2*rng.Float64())}
	case 9:
		if rng.IntN(4) == 0 { // it makes everybody move
			return params{"request_lead": "1"}
		}
	}
	return nil
}
