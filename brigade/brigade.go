package brigade

import (
	"bytes"
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"

	"bucketbrigade/durable"
	"bucketbrigade/proto"
)

// Config says how a brigade is set up. Its zero value is usable.
type Config struct {
	// MaxUsers is how many active users the room takes; proto.DefaultMaxUsers
	// if 0. Four times as many are remembered.
	MaxUsers int
	// JSONArea is how many bytes of JSON an answer may have, proto.OldJSONArea
	// to proto.MaxJSONArea; the latter if 0.
	JSONArea int
	// InstanceName is told by action=status unless empty.
	InstanceName string
	// ControlSecret lets who brings it control the room without being a singer;
	// nobody can if it is empty. At least proto.MinSecretBytes,
	// at most proto.MaxSecretBytes.
	ControlSecret proto.Secret
	// VideoToken makes a token for the video call of one user, at most
	// proto.MaxTokenBytes of it; nil: there is no call. It is called within a
	// request, so it must answer from memory.
	VideoToken func(proto.UserID) string
	// Tracks are the backing tracks; nil: none.
	Tracks Tracks
	// Uploads are what singers upload; nil: nothing.
	Uploads Uploads
	// Rand shuffles followers and makes image tokens; nil: seeded by the
	// operating system.
	Rand *rand.Rand
	// Recorder takes the songs down; nil: nobody does.
	Recorder Recorder
	// Stems asks for what the recorder gets of each bucket. It takes the memory
	// of six more rings, 138 MB, where Rings brings none.
	Stems bool
	// Rings is where the audio lies; nil: allocated. What they hold at first is
	// cleared, unless they are Silent. They stay the caller's: as long as the
	// brigade is used it must not take them away.
	Rings *Rings
	// Store takes all that must outlive the process, before each answer, and what
	// stood in Rings where it is changed; nil: nothing outlives it. Its layout is
	// StoreLayout's.
	Store *durable.Store
}

// Brigade is the shared state of all singers. It belongs to one goroutine.
type Brigade struct {
	// What it was set up with.
	maxUsers     int
	jsonRoom     int // bytes that metadata may take inside of an answer
	instanceName string
	videoToken   func(proto.UserID) string
	tracks       Tracks
	uploads      Uploads
	rand         *rand.Rand
	gains        *gainTable
	boost        float32
	recorder     Recorder

	// What the singers share.
	ring    ring
	state   state
	events  []proto.Event
	said    uint64 // chats so far
	users   roster
	control control
	started bool
	// cleared is the end of what is valid in the ring; lastRequest is the
	// server clock of the last request that was carried out.
	cleared, lastRequest proto.Clock
	requested            bool // there was one
	lateWrites           int
	list                 sharedList
	store                *durable.Store
	restored             bool
	// eventsChanged: since they were kept last; keptLyrics are what was kept.
	eventsChanged bool
	keptLyrics    string
	take          take
	// mixing is what all mixes are made with, mixedSince when that changed.
	mixing     mixing
	mixedSince proto.Clock

	// What serves the answer at hand.
	reply    reply
	loopback []float32
	span     proto.Span
	wrote    proto.Clock
	text     []byte // of the metadata
	json     bytes.Buffer
	listing  []listed
	lister   lister
	parts    [][]float32 // of the recording
}

// New makes a brigade in which nobody has sung yet. A Config out of its bounds
// is a fault of the caller and panics.
func New(c Config) *Brigade {
	b := newBrigade(c, proto.RingSamples)
	b.commit()
	return b
}

func newBrigade(c Config, ringSize int) *Brigade {
	if c.MaxUsers == 0 {
		c.MaxUsers = proto.DefaultMaxUsers
	}
	if c.JSONArea == 0 {
		c.JSONArea = proto.MaxJSONArea
	}
	if c.MaxUsers < 0 || c.JSONArea < proto.OldJSONArea || c.JSONArea > proto.MaxJSONArea {
		panic(fmt.Sprintf("brigade: MaxUsers %d must be positive, JSONArea %d in %d..%d",
			c.MaxUsers, c.JSONArea, proto.OldJSONArea, proto.MaxJSONArea))
	}
	if n := len(c.ControlSecret); n != 0 && (n < proto.MinSecretBytes || n > proto.MaxSecretBytes) {
		panic(fmt.Sprintf("brigade: ControlSecret of %d bytes, must be %d..%d", n, proto.MinSecretBytes, proto.MaxSecretBytes))
	}
	if c.Rand == nil {
		var seed [32]byte
		crand.Read(seed[:])
		c.Rand = rand.New(rand.NewChaCha8(seed))
	}
	b := &Brigade{
		store:        c.Store,
		maxUsers:     c.MaxUsers,
		jsonRoom:     c.JSONArea - envelope,
		instanceName: c.InstanceName,
		videoToken:   c.VideoToken,
		control:      newControl(c.ControlSecret),
		tracks:       c.Tracks,
		uploads:      c.Uploads,
		rand:         c.Rand,
		gains:        newGainTable(),
		boost:        leaderBoost(),
		recorder:     c.Recorder,
		ring:         wrapRings(c.Rings, ringSize, c.Stems),
		state:        defaults(),
		users:        newRoster(),
	}
	b.ring.store = c.Store
	return b
}

// Tick does what needs time to pass, at server clock now: it clears the ring
// up to now, takes the song down, forgets users, and returns the state to its
// defaults when nobody is left. It wants to be called four times a second; once
// is enough where nothing is recorded.
func (b *Brigade) Tick(now proto.Clock) {
	now = b.present(now)
	b.advance(now)
	b.resetIfEmpty()
	b.commit()
}

// present keeps the clock from running backwards.
func (b *Brigade) present(now proto.Clock) proto.Clock {
	if b.started {
		return max(now, b.cleared)
	}
	return now
}

// advance brings roster and ring to clock now. After a gap longer than the
// ring all of it is cleared.
func (b *Brigade) advance(now proto.Clock) {
	b.users.settle(now)
	if !b.started {
		b.started, b.cleared = true, now
		b.ring.clearAll(now)
		return
	}
	b.payBacking(now)
	b.record(now) // before it is overwritten
	from := max(b.cleared, now.Add(-b.ring.size))
	n := now.Sub(from)
	b.ring.clear(from, n, b.cleared.Add(-b.ring.size))
	b.cleared = now
	b.fillBacking(from, n)
	b.record(now) // where nobody came for long, there is more
}
