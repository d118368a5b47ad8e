package brigade

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"

	"bucketbrigade/proto"
)

// doneNonces is how many control requests are remembered: each shard has at
// most one under way, and there are at most 100.
const doneNonces = 128

// control is what is known of requests without a userid, which control the room
// and are no singer's.
type control struct {
	// allowed: they are taken from who brings the secret with this hash.
	allowed bool
	hash    [sha256.Size]byte

	// took: one was carried out. From then on, also in the next process, nobody
	// but the controller sets the tempo, nobody takes the lead, and the state
	// is not reset when nobody is left.
	took bool
	// done are the nonces of the last control requests that were carried out,
	// next is the place of the next one.
	done    [doneNonces]string
	next    int
	changed bool // since it was kept last
}

func newControl(secret proto.Secret) control {
	return control{allowed: secret != "", hash: sha256.Sum256([]byte(secret))}
}

// admits compares a secret in a time that says nothing about it.
func (c *control) admits(secret proto.Secret) bool {
	hash := sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(hash[:], c.hash[:]) == 1
}

// wasDone tells whether a request of that nonce was carried out. One without a
// nonce is always another.
func (c *control) wasDone(nonce string) bool { return nonce != "" && slices.Contains(c.done[:], nonce) }

func (c *control) markDone(nonce string) {
	if nonce == "" {
		return
	}
	c.done[c.next] = strings.Clone(nonce)
	c.next = (c.next + 1) % doneNonces
	c.changed = true
}

// checkControl judges a request without userid and changes nothing.
func (b *Brigade) checkControl(req *proto.Request, o *order) error {
	secret := req.ControlSecret
	if secret == "" {
		secret = o.query.Secret
	}
	switch {
	case !b.control.allowed:
		return proto.Refuse(http.StatusBadRequest,
			"no userid: only action=status goes without one, and control of the server, which is switched off")
	case secret == "":
		return proto.Refuse(http.StatusForbidden, "no userid, and no secret to control the server with")
	case !b.control.admits(secret):
		return proto.Refuse(http.StatusForbidden, "that is not the secret to control the server with")
	case len(req.PCM) != 0 || o.query.Samples != 0 || o.lyrics != nil:
		return proto.Refuse(http.StatusBadRequest, "no userid: who controls the server brings and wants no audio and no lyrics")
	case len(req.Nonce) > proto.MaxNonceBytes:
		return proto.Refuse(http.StatusRequestEntityTooLarge, "nonce of %d bytes, at most %d are taken",
			len(req.Nonce), proto.MaxNonceBytes)
	}
	o.nonce = req.Nonce
	o.again = b.control.wasDone(req.Nonce)
	return nil
}

// carryOutControl does what a checked request without userid asks for. It takes
// the room over before anything else: its own tempo is ignored already.
func (b *Brigade) carryOutControl(now proto.Clock, o *order, ans *proto.Answer) {
	b.control.changed = b.control.changed || !b.control.took
	b.control.took = true
	before := b.advanceForRequest(now)
	if !o.again {
		b.special(now, now, nil, &o.query)
		b.control.markDone(o.nonce)
	}
	ans.Metadata = b.controlAnswer(now, before)
	b.commit()
}

// controlAnswer makes the JSON that goes to who controls the room. Of the
// events the newest are told, as many as fit.
func (b *Brigade) controlAnswer(now, before proto.Clock) string {
	a := proto.ControlAnswer{
		ServerClock:      now,
		ServerSampleRate: proto.SampleRate,
		SongEndClock:     b.state.songEnd,
		SongStartClock:   b.state.songStart,
		LastRequestClock: before,
		ConnectedUsers:   b.users.active,
		QueueSize:        queueSize,
		Events:           []proto.Event{},
		Leader:           b.state.leaderName(),
	}
	left := b.jsonRoom - quotedLen(b.marshal(&a))
	kept := b.howMany(len(b.events), left, func(i int) any { return b.events[len(b.events)-1-i] })
	a.Events = append(a.Events, b.events[len(b.events)-kept:]...)
	return b.marshal(&a)
}
