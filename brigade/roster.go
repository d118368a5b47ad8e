package brigade

import (
	"iter"
	"net/netip"

	"bucketbrigade/proto"
)

// rememberedFactor bounds how many users are remembered, as a multiple of how
// many may be active.
const rememberedFactor = 4

// member is a user with its place in the roster.
type member struct {
	user
	network      netip.Prefix // of user.address
	newer, older *member
	active       bool
	place        place // in the shared user list
	// turn counts up with each time that somebody was heard.
	turn uint64
	slot int // of its record; -1: it is forgotten
	// changed: since its record was written.
	changed bool
}

// roster holds all remembered users, in the order in which they were heard
// last. The active ones are the newest, so who falls silent and who is to be
// forgotten is found from the ends, without looking at everybody.
//
//	newest ── … ── oldestActive ── … ── oldest
type roster struct {
	byID           map[proto.UserID]*member
	newest, oldest *member
	oldestActive   *member
	active         int
	turns          uint64

	// What is to be kept of it: who has changed, and which records are nobody's any
	// more. free are the slots below slots that nobody has.
	changed []*member
	left    []int
	free    []int
	slots   int
}

func newRoster() roster { return roster{byID: make(map[proto.UserID]*member)} }

// change notes that what is known of m has changed, or is about to.
func (r *roster) change(m *member) {
	if !m.changed {
		m.changed = true
		r.changed = append(r.changed, m)
	}
}

// kept notes that all that changed has been kept.
func (r *roster) kept() {
	for _, m := range r.changed {
		m.changed = false
	}
	clear(r.changed) // who is forgotten must not stay here
	r.changed = r.changed[:0]
	r.free = append(r.free, r.left...)
	r.left = r.left[:0]
}

// slot finds a record for a newcomer.
func (r *roster) slot() int {
	for _, unused := range []*[]int{&r.left, &r.free} {
		if n := len(*unused); n > 0 {
			slot := (*unused)[n-1]
			*unused = (*unused)[:n-1]
			return slot
		}
	}
	r.slots++
	return r.slots - 1
}

// find gives the member of an id; nil if id is nil or unknown.
func (r *roster) find(id *proto.UserID) *member {
	if id == nil {
		return nil
	}
	return r.byID[*id]
}

// known gives a member that is not to be forgotten at clock now.
func (r *roster) known(id proto.UserID, now proto.Clock) *member {
	m := r.byID[id]
	if m == nil || expired(m, now) {
		return nil
	}
	return m
}

func expired(m *member, now proto.Clock) bool { return now.Sub(m.lastHeard) > proto.UserLifetime }
func fresh(m *member, now proto.Clock) bool   { return now.Sub(m.lastHeard) < proto.UserInactive }

// activeAt counts the active users at clock now and changes nothing.
func (r *roster) activeAt(now proto.Clock) int {
	n := r.active
	for m := r.oldestActive; m != nil && !fresh(m, now); m = m.newer {
		n--
	}
	return n
}

// settle brings the roster to clock now: who is silent for long is inactive,
// who is silent for very long is forgotten.
func (r *roster) settle(now proto.Clock) {
	for m := r.oldestActive; m != nil && !fresh(m, now); m = r.oldestActive {
		r.deactivate(m)
	}
	for r.oldest != nil && expired(r.oldest, now) {
		r.forget(r.oldest)
	}
}

func (r *roster) deactivate(m *member) {
	m.active = false
	r.active--
	r.oldestActive = m.newer
}

// forget drops a member that is not active.
func (r *roster) forget(m *member) {
	r.unlink(m)
	delete(r.byID, m.id)
	r.left = append(r.left, m.slot)
	m.slot = -1
}

// bound forgets the longest unheard inactive users until at most limit are
// remembered.
func (r *roster) bound(limit int) {
	for len(r.byID) > limit && r.oldest != nil && !r.oldest.active {
		r.forget(r.oldest)
	}
}

// add takes in a user that is not there yet; touch must follow.
func (r *roster) add(u user) *member {
	m := &member{user: u, slot: r.slot()}
	r.byID[u.id] = m
	r.link(m)
	return m
}

// touch says that m was heard at clock now, the latest of all.
func (r *roster) touch(m *member, now proto.Clock) {
	m.lastHeard = now
	r.turns++
	m.turn = r.turns
	if m.active && r.oldestActive == m && m.newer != nil {
		r.oldestActive = m.newer
	}
	r.unlink(m)
	r.link(m)
	if !m.active {
		m.active = true
		r.active++
		if r.oldestActive == nil {
			r.oldestActive = m
		}
	}
}

// heard goes through the active users, the latest first.
func (r *roster) heard() iter.Seq[*member] {
	return func(yield func(*member) bool) {
		for m := r.newest; m != nil && m.active; m = m.older {
			if !yield(m) {
				return
			}
		}
	}
}

func (r *roster) link(m *member) {
	m.older, m.newer = r.newest, nil
	if r.newest != nil {
		r.newest.newer = m
	} else {
		r.oldest = m
	}
	r.newest = m
}

func (r *roster) unlink(m *member) {
	if m.newer != nil {
		m.newer.older = m.older
	} else {
		r.newest = m.older
	}
	if m.older != nil {
		m.older.newer = m.newer
	} else {
		r.oldest = m.newer
	}
	m.newer, m.older = nil, nil
}
