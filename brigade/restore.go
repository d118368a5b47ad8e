package brigade

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"bucketbrigade/durable"
	"bucketbrigade/proto"
)

// Restore makes a brigade that goes on where another process was when it ended, at
// server clock now. c.Rings are that one's, as they were left, and snap is what it
// had committed; c.Store is another store, empty: all is in it afterwards, and
// committed.
//
// A request that was not committed is taken back. What only shards or operators
// notice is not restored: what clients told of themselves, what shards held, the
// order of the dice. Of users more than c.Store has slots for, those who were heard
// last are taken.
//
// An error is durable.ErrTorn and says why nothing can be restored; then nothing
// has changed. A Config out of its bounds panics, as with New.
func Restore(c Config, snap *durable.Snapshot, now proto.Clock) (*Brigade, error) {
	return restore(c, proto.RingSamples, snap, now)
}

func restore(c Config, ringSize int, snap *durable.Snapshot, now proto.Clock) (*Brigade, error) {
	if c.Store == nil || c.Rings == nil {
		panic("brigade: Restore needs a Store and Rings")
	}
	b := newBrigade(c, ringSize)
	if err := b.read(snap, now); err != nil {
		return nil, err
	}
	saved, err := snap.Saved()
	if err != nil {
		return nil, err
	}
	silenced, err := b.ring.takeBack(saved)
	if err != nil {
		return nil, err
	}
	if err := b.ring.check(); err != nil {
		return nil, err
	}
	// What was filled and not committed lies in front of what counts.
	b.ring.backingTo, b.ring.monitorTo = max(b.ring.backingTo, now), max(b.ring.monitorTo, now)
	if !b.started {
		b.ring.low = math.MinInt64 // it was about to be cleared
	}
	b.restored = true
	if p := &b.state.playing; p.ahead > p.played+len(b.ring.Ahead) {
		p.ahead = p.played // another process kept more than can be
	}
	b.mixedSince = now // what shards hold is older
	b.payBacking(now)
	b.resumeTake(now, silenced)
	b.keepAll()
	return b, nil
}

// read reads all records.
func (b *Brigade) read(snap *durable.Snapshot, now proto.Clock) error {
	shared, err := snap.Record(keptState, 0)
	if err != nil {
		return err
	}
	if shared == nil {
		return fmt.Errorf("a brigade that has committed nothing: it %w", durable.ErrTorn)
	}
	b.codeState(shared)
	if err := shared.Done(); err != nil {
		return err
	}
	if b.cleared > now {
		return fmt.Errorf("a ring up to clock %d, now is %d: it %w", b.cleared, now, durable.ErrTorn)
	}
	if err := b.readRare(snap); err != nil {
		return err
	}
	return b.readUsers(snap)
}

// readRare reads the records of what rarely changes.
func (b *Brigade) readRare(snap *durable.Snapshot) error {
	for kind, code := range map[int]func(*durable.Coder){
		keptLyrics: func(c *durable.Coder) {
			if c.Text(&b.state.lyrics, proto.MaxLyricsBytes); proto.CheckLyrics(&b.state.lyrics) != nil {
				c.Fault("lyrics beyond the limit")
			}
		},
		keptEvents:  b.codeEvents,
		keptControl: b.control.code,
	} {
		c, err := snap.Record(kind, 0)
		if err != nil {
			return err
		}
		if c == nil {
			continue
		}
		code(c)
		if err := c.Done(); err != nil {
			return err
		}
	}
	b.control.took = b.control.took && b.control.allowed
	return nil
}

// readChats reads the chats that are kept, by their numbers.
func readChats(snap *durable.Snapshot) (map[uint64]proto.Chat, error) {
	chats := make(map[uint64]proto.Chat)
	for slot := range snap.Slots(keptChats) {
		c, err := snap.Record(keptChats, slot)
		if err != nil {
			return nil, err
		}
		if c == nil {
			continue
		}
		var k keptChat
		k.code(c)
		if err := c.Done(); err != nil {
			return nil, err
		}
		chats[k.number] = k.Chat
	}
	return chats, nil
}

// readUsers reads all users and puts them in order.
func (b *Brigade) readUsers(snap *durable.Snapshot) error {
	chats, err := readChats(snap)
	if err != nil {
		return err
	}
	var members []*member
	for slot := range snap.Slots(keptUsers) {
		c, err := snap.Record(keptUsers, slot)
		if err != nil {
			return err
		}
		if c == nil {
			continue
		}
		m := new(member)
		m.code(c, b.said)
		if err := c.Done(); err != nil {
			return err
		}
		if m.lastHeard > b.cleared {
			return fmt.Errorf("user %s was heard at %d, now is %d: it %w", m.id, m.lastHeard, b.cleared, durable.ErrTorn)
		}
		m.told.find(chats)
		m.queued.find(chats)
		b.makeTokens(&m.user)
		members = append(members, m)
	}
	slices.SortFunc(members, func(a, b *member) int {
		return cmp.Or(cmp.Compare(a.lastHeard, b.lastHeard), cmp.Compare(a.turn, b.turn), cmp.Compare(a.id, b.id))
	})
	members = members[max(0, len(members)-b.store.Slots(keptUsers)):]
	for _, m := range members {
		if !b.users.enter(m, b.cleared) {
			return fmt.Errorf("user %s stands there twice: it %w", m.id, durable.ErrTorn)
		}
	}
	return nil
}

// enter puts back a member, the latest of all, at clock now; false if it is there.
func (r *roster) enter(m *member, now proto.Clock) bool {
	if r.byID[m.id] != nil {
		return false
	}
	m.slot, m.network = r.slot(), networkOf(m.address)
	r.byID[m.id] = m
	r.link(m)
	if m.active = fresh(m, now); m.active {
		r.active++
		if r.oldestActive == nil {
			r.oldestActive = m
		}
	}
	return true
}

// find takes the chats of n from those that are kept; the others are lost.
func (n *news) find(kept map[uint64]proto.Chat) {
	said := n.said[:0]
	for _, number := range n.said {
		if chat, ok := kept[number]; ok {
			n.chats, said = append(n.chats, chat), append(said, number)
		}
	}
	n.said = said
}

// makeTokens makes the tokens that a user is still to be told.
func (b *Brigade) makeTokens(u *user) {
	for _, n := range []*news{&u.queued, &u.told} {
		switch {
		case n.keys&newsVideoToken == 0:
		case b.videoToken == nil:
			n.keys &^= newsVideoToken
		default:
			n.token = b.tokenFor(u.id)
		}
	}
}

// keepAll commits everything.
func (b *Brigade) keepAll() {
	chats := make(map[uint64]proto.Chat)
	for m := b.users.oldest; m != nil; m = m.newer {
		b.users.change(m)
		for _, n := range []*news{&m.queued, &m.told} {
			for i, number := range n.said {
				chats[number] = n.chats[i]
			}
		}
	}
	for number, chat := range chats {
		b.keepChat(keptChat{number, chat})
	}
	b.eventsChanged, b.control.changed = true, true
	b.commit()
}

// resumeTake goes on with the recording. What the recorder had not written yet is
// taken down again.
func (b *Brigade) resumeTake(now proto.Clock, silenced bool) {
	t := &b.take
	if !t.on {
		return
	}
	if b.recorder == nil {
		b.take = take{}
		return
	}
	// It may be begun though that was not committed.
	written, ok := b.recorder.Resume(t.start)
	if !ok && !t.begun {
		return
	}
	t.begun = ok
	has := t.start.Add(min(written, takeMax))
	// Up to gone the ring may hold something else by now: what is recorded stays.
	gone := b.cleared
	if !silenced {
		gone = min(gone, now.Add(-b.ring.size))
	}
	lost := b.cleared.Add(-b.ring.size) // what is older is in no ring
	t.next = max(min(t.next, has), min(has, gone), min(t.next, lost))
}

// check finds samples that are no numbers.
func (r *ring) check() error {
	all := append([][]float32{r.Audio, r.Backing, r.Monitor, r.Ahead}, r.Stems...)
	for i, samples := range all {
		if proto.CheckPCM(samples) == nil {
			continue
		}
		for k, x := range samples {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return fmt.Errorf("sample %d of ring %d is %v: it %w", k, i, x, durable.ErrTorn)
			}
		}
	}
	return nil
}
