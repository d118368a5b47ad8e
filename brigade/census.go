package brigade

import "bucketbrigade/proto"

// Census is what a brigade can be counted by: no names, no clocks.
type Census struct {
	// Users is how many users are remembered, Active how many of them were heard
	// lately, Buckets where those stand, the leader's bucket first.
	Users, Active int
	Buckets       [Buckets]int
	// Leader says that somebody leads, Song that one is sung, Recording that one
	// is being taken down.
	Leader, Song, Recording bool
	// LateWrites is how often audio came so late that the next bucket had heard
	// its place already, since the brigade was made.
	LateWrites int
}

// Census counts as of the last request or tick. It looks at all active users.
func (b *Brigade) Census() Census {
	c := Census{
		Users: len(b.users.byID), Active: b.users.active,
		Leader: b.state.hasLeader, Song: b.state.songStart > 1 && b.state.songEnd == 0, Recording: b.take.on,
		LateWrites: b.lateWrites,
	}
	for m := range b.users.heard() {
		c.Buckets[b.state.bucketOf(&m.user)]++
	}
	return c
}

// isLate tells whether audio from clock from on, of a singer in a bucket, has
// come after the next bucket heard that place:
//
//	 next bucket hears        from            now
//	───────────┼────────────────┼──── 3 s … ────┤      in time
//	 from │    │                                       late
func (s *state) isLate(now, from proto.Clock, bucket int) bool {
	next := s.firstBucket + (bucket+1)*proto.BucketSeconds
	return bucket+1 < Buckets && now.Sub(from) > next*proto.SampleRate
}
