package brigade

import (
	"encoding/json"
	"math"

	"bucketbrigade/proto"
)

// anonymous is the name of who gives none.
const anonymous = "<anonymous>"

// maxAddress bounds the address that is kept of a user, in bytes.
const maxAddress = 64

// user is one singer. It is plain data: it can be written down and read back.
type user struct {
	id   proto.UserID
	name string
	// session is the browser that may sing as this user.
	session proto.Session
	// address is where the last request came from, at most maxAddress bytes.
	address string
	// telemetry is what the client told of itself, a JSON object or nil. It is
	// replaced, never changed.
	telemetry json.RawMessage

	lastHeard proto.Clock // server clock of the last request
	delay     int         // samples from the asked read clock to lastHeard

	muted, spectator bool
	soloed           bool // goes to the monitor ring
	hearsSolos       bool // hears the monitor ring
	rms              float32
	micVolume        float64 // friendly
	micGain          float32
	backingVolume    float64 // scalar

	// lastSung is the last write clock ever. The next audio must join
	// joinWrite, the next read joinRead, if there are any.
	lastSung, joinRead, joinWrite  proto.Clock
	hasSung, joinsRead, joinsWrite bool

	// last is the request that was carried out last.
	last requestClocks

	queued news // still to tell
	told   news // told with the last answer

	// listedAt is when the user list was told last, if it was; toldList says
	// that the last answer had it.
	listedAt         proto.Clock
	listed, toldList bool
}

// requestClocks is what tells one request of a singer from another.
type requestClocks struct {
	read, write proto.Clock
	hasWrite    bool
	samples     int
}

func newUser(id proto.UserID, session proto.Session) user {
	return user{
		id:            id,
		session:       session,
		micVolume:     1,
		micGain:       1,
		backingVolume: 1,
	}
}

// delaySeconds is the delay in whole seconds; a half goes to the even one.
func (u *user) delaySeconds() int {
	return int(math.RoundToEven(float64(u.delay) / proto.SampleRate))
}

// move tells u to go to a position, in seconds behind the server clock.
func (u *user) move(seconds int) {
	u.queued.keys |= newsDelay
	u.queued.delay = seconds
}

// forgetClocks lets the next request start anywhere.
func (u *user) forgetClocks() {
	u.joinsRead, u.joinsWrite = false, false
	u.listed = false
}
