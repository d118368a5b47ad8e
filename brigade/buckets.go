package brigade

import (
	"math"

	"bucketbrigade/proto"
)

const (
	// followerBuckets is how many buckets there are behind the leader's.
	followerBuckets = 5
	// maxRoundDelay bounds how far rounds push the leader back, in seconds.
	maxRoundDelay = 90
)

// bucketPlan says where the buckets stand, in seconds behind the server clock.
type bucketPlan struct {
	first     int // the leader's
	second    int // the first one of the followers
	followers int // how many followers are dealt to
	last      int // spectators'
}

// planBuckets places the buckets for a number of followers. round is the
// length of a round in seconds, 0 if none is sung.
//
//	round  repeats  followers   first  followers' buckets  last
//	    0        0          7       3  6 9 12 15 18          18
//	    0        0          2       3  6 9                   12
//	    8        2          7      19  22 25                 25
//	   16       10          7      93  96 99 102 105 108    108
func planBuckets(round float64, repeats, followers int) bucketPlan {
	room := followerBuckets
	if round > 0 {
		room = min(room, max(1, int(math.Floor(round/proto.BucketSeconds))))
	}
	back := min(int(round*float64(repeats)), maxRoundDelay)
	p := bucketPlan{
		first:     back + proto.BucketSeconds,
		second:    back + 2*proto.BucketSeconds,
		followers: max(1, min(room, followers)),
	}
	p.last = p.second + (p.followers-1)*proto.BucketSeconds
	if p.followers < room {
		p.last += proto.BucketSeconds
	}
	return p
}

// follower is the bucket of the i-th follower: the last bucket first, then
// backwards, round and round.
func (p bucketPlan) follower(i int) int {
	return p.second + (p.followers-1-i%p.followers)*proto.BucketSeconds
}

// lead makes u the leader and moves everybody to a bucket. Followers are dealt
// in random order; spectators go to the last bucket.
func (b *Brigade) lead(u *user) {
	var followers, spectators []*user
	for m := range b.users.heard() {
		switch {
		case m.id == u.id:
		case m.spectator:
			spectators = append(spectators, &m.user)
		default:
			followers = append(followers, &m.user)
		}
	}
	s := &b.state
	p := planBuckets(s.roundSeconds(), s.repeats, len(followers))
	b.rand.Shuffle(len(followers), func(i, j int) { followers[i], followers[j] = followers[j], followers[i] })
	u.move(p.first)
	for i, f := range followers {
		f.move(p.follower(i))
	}
	for _, w := range spectators {
		w.move(p.last)
	}
	s.firstBucket, s.maxPosition = p.first, p.last
	s.leader, s.hasLeader, s.leaderText = u.id, true, u.id.String()
	s.image, s.lyrics = "", ""
	b.broadcast(newsFirstBucket | newsImage | newsLyrics)
}
