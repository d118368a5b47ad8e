package brigade

import (
	"cmp"
	"encoding/binary"
	"math"
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

// sharedList is the user list for all in a large room. Each of its members knows
// its place in it.
type sharedList struct {
	at     proto.Clock
	number uint64   // how many were made; 0: none yet
	users  []listed // sorted
	wire   []byte   // the records of users
}

// listed is one entry of a list. Who it is matters while the list is made.
type listed struct {
	proto.SummaryUser
	member *member
}

// place is where a member stands in the shared list of a number.
type place struct {
	list  uint64
	index int
}

// listDue tells whether u gets the user list with this answer. It is asked
// before the request changes anything.
func (b *Brigade) listDue(now proto.Clock, u *user, o *order) bool {
	if !o.query.Summary {
		return false
	}
	return !u.listed || now.Sub(u.listedAt) >= listEvery || o.again && u.toldList || b.users.active <= exactUsers
}

// summary appends the user list for m to dst, or an empty one.
func (b *Brigade) summary(now proto.Clock, m *member, due bool, dst []byte) []byte {
	m.toldList = due
	if !due {
		return proto.AppendSummaryHeader(dst, 0)
	}
	m.listed, m.listedAt = true, now
	if b.users.active > exactUsers {
		b.refreshList(now)
		return b.pickFromShared(m, dst)
	}
	b.listing = b.lister.append(b.listing[:0], &b.users)
	dst = proto.AppendSummaryHeader(dst, len(b.listing))
	for i := range b.listing {
		dst = proto.AppendSummaryUser(dst, &b.listing[i].SummaryUser)
	}
	return dst
}

// refreshList makes the shared list anew if it is too old.
func (b *Brigade) refreshList(now proto.Clock) {
	l := &b.list
	if l.number > 0 && now.Sub(l.at) < listAge {
		return
	}
	l.users = b.lister.append(l.users[:0], &b.users)
	l.at, l.wire = now, l.wire[:0]
	l.number++
	for i := range l.users {
		u := &l.users[i]
		u.member.place = place{l.number, i}
		u.member = nil // it may be forgotten before the list is
		l.wire = proto.AppendSummaryUser(l.wire, &u.SummaryUser)
	}
}

// pickFromShared appends the shared list as far as it fits beside the audio, with
// m in its place. What does not fit is cut at the end; leader and m stay. With
// room for 4, c asking and e leading:
//
//	a b c d e f    becomes    a b c e
func (b *Brigade) pickFromShared(m *member, dst []byte) []byte {
	p := pickFor(m, &b.list)
	stay := [2]int{p.at, p.at}
	if at, ok := p.find(b.leader()); ok {
		stay = [2]int{min(at, p.at), max(at, p.at)}
	}
	room := (proto.MaxData - proto.SummaryHeader - 4*b.reply.samples) / proto.SummaryRecord
	all := min(room, p.len())
	end := all // of what is told up to there
	for i := len(stay) - 1; i >= 0; i-- {
		if stay[i] >= end && (i == 0 || stay[i] != stay[i-1]) {
			end--
		}
	}
	dst = p.append(proto.AppendSummaryHeader(dst, all), 0, end)
	for i, at := range stay {
		if at >= end && (i == 0 || at != stay[i-1]) {
			dst = p.append(dst, at, at+1)
		}
	}
	return dst
}

// picked is the shared list with one more entry, if who asks came after it was
// made.
type picked struct {
	list *sharedList
	at   int // the place of who asks
	late bool
	own  proto.SummaryUser // if late
}

func pickFor(m *member, l *sharedList) picked {
	if m.place.list == l.number {
		return picked{list: l, at: m.place.index}
	}
	p := picked{list: l, late: true, own: m.listing()}
	p.at, _ = slices.BinarySearchFunc(l.users, &p.own, func(u listed, own *proto.SummaryUser) int {
		return compareListing(&u.SummaryUser, own)
	})
	return p
}

func (p *picked) len() int {
	if p.late {
		return len(p.list.users) + 1
	}
	return len(p.list.users)
}

// find gives the place of a member; false if it is nil or not in the list.
func (p *picked) find(m *member) (at int, ok bool) {
	switch {
	case m == nil || m.place.list != p.list.number:
		return 0, false
	case p.late && m.place.index >= p.at:
		return m.place.index + 1, true
	}
	return m.place.index, true
}

// append appends the records of places from to to.
func (p *picked) append(dst []byte, from, to int) []byte {
	if p.late && from <= p.at && p.at < to {
		dst = p.append(dst, from, p.at)
		dst = proto.AppendSummaryUser(dst, &p.own)
		return p.append(dst, p.at+1, to)
	}
	if p.late && from > p.at {
		from, to = from-1, to-1
	}
	return append(dst, p.list.wire[from*proto.SummaryRecord:to*proto.SummaryRecord]...)
}

// lister puts users in the order of the list, in memory that it uses again.
type lister struct {
	found []listed
	order []ranked
}

// ranked is a user with what mostly settles its place.
type ranked struct {
	rank uint64
	at   int // in found
}

// append appends the active users in the order of the list.
func (l *lister) append(dst []listed, r *roster) []listed {
	for m := range r.heard() {
		u := listed{m.listing(), m}
		l.order = append(l.order, ranked{rank(&u.SummaryUser), len(l.found)})
		l.found = append(l.found, u)
	}
	slices.SortFunc(l.order, func(a, b ranked) int {
		if a.rank != b.rank {
			return cmp.Compare(a.rank, b.rank)
		}
		return compareListing(&l.found[a.at].SummaryUser, &l.found[b.at].SummaryUser)
	})
	for _, o := range l.order {
		dst = append(dst, l.found[o.at])
	}
	clear(l.found) // who is forgotten must not stay here
	l.found, l.order = l.found[:0], l.order[:0]
	return dst
}

// rank is a number that grows in the order of the list: the delay, and the first
// six bytes of the name.
func rank(u *proto.SummaryUser) uint64 {
	var name [8]byte
	copy(name[2:], u.Name)
	return uint64(max(0, min(math.MaxUint16, u.Delay)))<<48 | binary.BigEndian.Uint64(name[:])
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
func compareListing(a, b *proto.SummaryUser) int {
	if c := cmp.Compare(a.Delay, b.Delay); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Name, b.Name); c != 0 {
		return c
	}
	if c := cmp.Compare(a.MicVolume, b.MicVolume); c != 0 {
		return c
	}
	if a.User == b.User {
		return 0
	}
	return cmp.Compare(a.User.String(), b.User.String())
}
