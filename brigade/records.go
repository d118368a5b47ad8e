package brigade

import (
	"encoding/json"
	"math"

	"bucketbrigade/durable"
	"bucketbrigade/proto"
)

const (
	// maxKeptClock bounds a clock that is read: sums of clocks and lengths stay far
	// from overflow.
	maxKeptClock = proto.Clock(1) << 60
	// maxPlace bounds a place in the room, in seconds, and maxDelay one in samples.
	maxPlace = 1000
	maxDelay = 1 << 40
	// maxScalar bounds a volume: the scalar of proto.MaxVolume is 1000.5.
	maxScalar = 1001
	maxInt    = math.MaxInt64
)

// codeClock is any clock but a negative one.
func codeClock(c *durable.Coder, v *proto.Clock) { durable.Number(c, v, 0, maxKeptClock) }

// codeState is the record of what is shared, but for what is long.
func (b *Brigade) codeState(c *durable.Coder) {
	s := &b.state
	c.Float(&s.globalVolume, 0, maxScalar)
	c.Float(&s.backingVolume, 0, maxScalar)
	codeClock(c, &s.songStart)
	codeClock(c, &s.songEnd)
	c.Flag(&s.hasLeader)
	durable.Number(c, &s.leader, 0, math.MaxUint64)
	durable.Number(c, &s.bpm, 0, proto.MaxBPM)
	durable.Number(c, &s.repeats, 0, proto.MaxRepeats)
	durable.Number(c, &s.bpr, 0, proto.MaxBPR)
	durable.Number(c, &s.nextClick, 0, 60*proto.SampleRate)
	c.Text(&s.requestedTrack, maxNameValue)
	durable.Number(c, &s.requestedSamples, 0, maxDelay)
	s.playing.code(c)
	c.Text(&s.backingType, maxNameValue)
	durable.Number(c, &s.firstBucket, 0, maxPlace)
	durable.Number(c, &s.maxPosition, 0, maxPlace)
	c.Flag(&s.noAutoGain)
	c.Flag(&s.noSongVideo)
	c.Text(&s.image, maxNameValue)

	c.Flag(&b.started)
	codeClock(c, &b.cleared)
	c.Flag(&b.requested)
	codeClock(c, &b.lastRequest)
	durable.Number(c, &b.said, 0, math.MaxInt64)
	durable.Number(c, &b.users.turns, 0, math.MaxInt64)
	c.Flag(&b.control.took)
	durable.Number(c, &b.ring.low, -maxInt-1, maxInt)
	durable.Number(c, &b.ring.backingTo, -maxInt-1, maxInt)
	durable.Number(c, &b.ring.monitorTo, -maxInt-1, maxInt)
	b.take.code(c)
	if c.Reading() {
		b.checkState(c)
	}
}

// checkState finds values that cannot be together.
func (b *Brigade) checkState(c *durable.Coder) {
	s, t := &b.state, &b.take
	switch p := &s.playing; {
	case !b.started && (b.requested || s.playing.name != "" || t.on):
		c.Fault("a song in a room where nobody was")
	case b.lastRequest > b.cleared:
		c.Fault("a request at %d in a ring up to %d", b.lastRequest, b.cleared)
	case s.backingType != "" && s.backingType != typeMetronome && s.backingType != typeTrack:
		c.Fault("a backing of type %q", s.backingType)
	case s.backingType == typeTrack && p.name == "":
		c.Fault("a track is announced, none plays")
	case p.name != "" && p.played >= p.length || p.owed > p.played || p.ahead > p.length:
		c.Fault("%d samples of a track of %d are played, %d owed", p.played, p.length, p.owed)
	case t.on && (t.next < t.start || t.next > b.cleared || t.next.Sub(t.start) > takeMax || t.sungTo < t.start):
		c.Fault("a recording from %d is at %d, sung up to %d, the ring ends at %d", t.start, t.next, t.sungTo, b.cleared)
	}
	if s.hasLeader {
		s.leaderText = s.leader.String()
	}
}

func (p *playing) code(c *durable.Coder) {
	c.Text(&p.name, maxNameValue)
	durable.Number(c, &p.length, 0, maxDelay)
	durable.Number(c, &p.played, 0, maxDelay)
	durable.Number(c, &p.owed, 0, maxDelay)
	durable.Number(c, &p.ahead, 0, maxDelay)
}

func (t *take) code(c *durable.Coder) {
	c.Flag(&t.on)
	c.Flag(&t.begun)
	codeClock(c, &t.start)
	codeClock(c, &t.next)
	codeClock(c, &t.sungTo)
	durable.Number(c, &t.last, 0, maxPlace)
}

// code is the record of one user, written when so many chats were said. What the client
// told of itself is not in it: no singer notices.
func (m *member) code(c *durable.Coder, said uint64) {
	u := &m.user
	durable.Number(c, &u.id, 0, math.MaxUint64)
	durable.Number(c, &m.turn, 0, math.MaxInt64)
	c.Text(&u.name, maxNameBytes)
	text := string(u.session)
	c.Text(&text, proto.MaxSessionBytes)
	u.session = proto.Session(text)
	c.Text(&u.address, maxAddress)
	codeClock(c, &u.lastHeard)
	durable.Number(c, &u.delay, -maxDelay, maxDelay)
	c.Flag(&u.muted)
	c.Flag(&u.spectator)
	c.Flag(&u.soloed)
	c.Flag(&u.hearsSolos)
	rms := float64(u.rms)
	c.Float(&rms, -math.MaxFloat32, math.MaxFloat32)
	u.rms = float32(rms)
	c.Float(&u.micVolume, 0, proto.MaxVolume)
	c.Float(&u.backingVolume, 0, maxScalar)
	u.codeClocks(c)
	durable.Number(c, &said, 0, math.MaxInt64)
	// Told again, the oldest beyond the limit would be forgotten.
	over := len(u.told.said) + len(u.queued.said) - proto.MaxChatsQueued
	u.told.code(c, said, min(max(0, over), len(u.told.said)))
	u.queued.code(c, said, 0)
	c.Flag(&u.listed)
	c.Flag(&u.toldList)
	codeClock(c, &u.listedAt)
	if c.Reading() {
		u.micGain = micGain(u.micVolume)
	}
}

func (u *user) codeClocks(c *durable.Coder) {
	codeClock(c, &u.lastSung)
	codeClock(c, &u.joinRead)
	codeClock(c, &u.joinWrite)
	c.Flag(&u.hasSung)
	c.Flag(&u.joinsRead)
	c.Flag(&u.joinsWrite)
	codeClock(c, &u.last.read)
	codeClock(c, &u.last.write)
	c.Flag(&u.last.hasWrite)
	durable.Number(c, &u.last.samples, 0, proto.MaxSamples)
}

// code writes of the chats their numbers, as how many were said since, but only of
// those that are kept, and not of the old ones. A token is not kept: another is made.
func (n *news) code(c *durable.Coder, said uint64, old int) {
	durable.Number(c, &n.keys, 0, 1<<len(newsNames)-1)
	durable.Number(c, &n.delay, 0, maxPlace)
	if !c.Reading() {
		for old < len(n.said) && said-n.said[old] > chatsKept {
			old++
		}
	}
	count := c.Count(len(n.said)-old, proto.MaxChatsQueued)
	if c.Reading() {
		n.said = make([]uint64, count)
	}
	for i := range count {
		age := 0
		if !c.Reading() {
			age = int(said - n.said[old+i])
		}
		if age = c.Count(age, chatsKept); c.Reading() {
			n.said[i] = said - uint64(age)
		}
	}
}

// keptChat is one chat with its number.
type keptChat struct {
	number uint64
	proto.Chat
}

func (k *keptChat) code(c *durable.Coder) {
	durable.Number(c, &k.number, 0, math.MaxInt64)
	c.Text(&k.Chat[0], maxNameBytes)
	c.Text(&k.Chat[1], maxChatBytes)
}

// codeEvents is the record of the events.
func (b *Brigade) codeEvents(c *durable.Coder) {
	n := c.Count(len(b.events), proto.MaxEvents)
	if c.Reading() {
		b.events = make([]proto.Event, n)
	}
	for i := range b.events {
		e := &b.events[i]
		id := view(e.ID)
		c.Text(&id, proto.MaxEventIDBytes)
		durable.Number(c, &e.Clock, -maxKeptClock, maxKeptClock)
		if c.Reading() {
			e.ID = json.RawMessage(id)
			if !json.Valid(e.ID) || id[0] == '{' || id[0] == '[' {
				c.Fault("an event called %q", id)
			}
		}
	}
}

// code is the record of what was carried out for who controls the room.
func (k *control) code(c *durable.Coder) {
	durable.Number(c, &k.next, 0, doneNonces-1)
	for i := range k.done {
		c.Text(&k.done[i], proto.MaxNonceBytes)
	}
}
