package brigade

import (
	"cmp"
	"slices"

	"bucketbrigade/proto"
)

const (
	// exactUsers is up to how many active users everybody gets the exact list
	// with every answer: 1000 users × 51 bytes with each would be 85 MB/s.
	exactUsers = 64
	// listAge is how old the shared list gets; listEvery is how often each user
	// gets it.
	listAge   = 1 * proto.SampleRate
	listEvery = 3 * proto.SampleRate
)

// sharedList is the user list for all in a large room.
type sharedList struct {
	at    proto.Clock
	made  bool
	users []proto.SummaryUser // sorted
}

// listDue tells whether u gets the user list with this answer. It is asked
// before the request changes anything.
func (b *Brigade) listDue(now proto.Clock, u *user, o *order) bool {
	if !o.query.Summary {
		return false
	}
	return !u.listed || now.Sub(u.listedAt) >= listEvery || o.again && u.toldList || b.users.active <= exactUsers
}

// summary appends the user list for u to dst, or an empty one.
func (b *Brigade) summary(now proto.Clock, u *user, due bool, dst []byte) []byte {
	u.toldList = due
	if !due {
		return proto.AppendSummaryHeader(dst, 0)
	}
	u.listed, u.listedAt = true, now
	var users []proto.SummaryUser
	if b.users.active <= exactUsers {
		b.listing = b.users.appendListing(b.listing[:0])
		users = b.listing
	} else {
		users = b.pickFromShared(now, u)
	}
	dst = proto.AppendSummaryHeader(dst, len(users))
	for i := range users {
		dst = proto.AppendSummaryUser(dst, &users[i])
	}
	return dst
}

// pickFromShared gives the shared list as far as it fits beside the audio.
// What does not fit is cut at the end; leader and u stay.
func (b *Brigade) pickFromShared(now proto.Clock, u *user) []proto.SummaryUser {
	l := &b.list
	if !l.made || now.Sub(l.at) >= listAge {
		l.users = b.users.appendListing(l.users[:0])
		l.at, l.made = now, true
	}
	users := append(b.listing[:0], l.users...)
	if !slices.ContainsFunc(users, func(s proto.SummaryUser) bool { return s.User == u.id }) {
		own := u.listing()
		i, _ := slices.BinarySearchFunc(users, own, compareListing)
		users = slices.Insert(users, i, own)
	}
	b.listing = users
	room := (proto.MaxData - proto.SummaryHeader - 4*b.reply.samples) / proto.SummaryRecord
	if len(users) <= room {
		return users
	}
	for i := len(users) - 1; len(users) > room; i-- {
		id := users[i].User
		if id != u.id && !(b.state.hasLeader && id == b.state.leader) {
			users = slices.Delete(users, i, i+1)
		}
	}
	return users
}

// appendListing appends the active users in the order of the list.
func (r *roster) appendListing(dst []proto.SummaryUser) []proto.SummaryUser {
	for m := range r.heard() {
		dst = append(dst, m.listing())
	}
	slices.SortFunc(dst, compareListing)
	return dst
}

func (u *user) listing() proto.SummaryUser {
	return proto.SummaryUser{
		User:      u.id,
		Name:      u.name,
		MicVolume: float32(u.micVolume),
		RMS:       u.rms,
		Delay:     u.delaySeconds(),
		Muted:     u.muted,
		Soloed:    u.soloed,
	}
}

// compareListing orders by delay, name, microphone volume, and userid as text.
func compareListing(a, b proto.SummaryUser) int {
	if c := cmp.Compare(a.Delay, b.Delay); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Name, b.Name); c != 0 {
		return c
	}
	if c := cmp.Compare(a.MicVolume, b.MicVolume); c != 0 {
		return c
	}
	return cmp.Compare(a.User.String(), b.User.String())
}
