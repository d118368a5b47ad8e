package brigade

import (
	"fmt"
	"slices"

	"bucketbrigade/proto"
)

// newsKeys says which keys a user is still to be told. All but the delay are
// told with the value they have when the answer is made: an older one that was
// never told is overtaken.
type newsKeys uint16

const (
	newsBPM newsKeys = 1 << iota
	newsRepeats
	newsBPR
	newsTracks
	newsFirstBucket
	newsGlobalVolume
	newsBackingVolume
	newsSongVideo
	newsLyrics
	newsImage
	newsDelay
	newsBackingType
	newsVideoToken

	// newsAlways is what every newcomer is told.
	newsAlways = newsBPM | newsRepeats | newsBPR | newsTracks | newsFirstBucket |
		newsGlobalVolume | newsBackingVolume
	// newsValues is everything that a reset of the state changes.
	newsValues = newsAlways&^newsTracks | newsSongVideo | newsLyrics | newsImage | newsBackingType
)

// news is what one user is to be told once.
type news struct {
	keys  newsKeys
	delay int    // seconds, with newsDelay
	token string // with newsVideoToken
	chats []proto.Chat
	said  []uint64 // the number of each of chats, among all that were said
}

// broadcast queues keys for everybody who is active.
func (b *Brigade) broadcast(keys newsKeys) {
	for m := range b.users.heard() {
		m.queued.keys |= keys
		b.users.change(m)
	}
}

// greet queues what a newcomer is told: the settings, and the rest as far as it
// differs from nothing.
func (b *Brigade) greet(u *user) {
	keys := newsAlways
	for _, k := range []struct {
		set bool
		key newsKeys
	}{
		{b.state.noSongVideo, newsSongVideo},
		{b.state.lyrics != "", newsLyrics},
		{b.state.image != "", newsImage},
		{b.state.backingType != "", newsBackingType},
	} {
		if k.set {
			keys |= k.key
		}
	}
	if b.videoToken != nil {
		keys |= newsVideoToken
		u.queued.token = b.tokenFor(u.id)
	}
	u.queued.keys |= keys
}

// tokenFor makes a user's token for the video call.
func (b *Brigade) tokenFor(id proto.UserID) string {
	token := b.videoToken(id)
	if len(token) > proto.MaxTokenBytes {
		panic(fmt.Sprintf("brigade: a video token of %d bytes, at most %d are taken", len(token), proto.MaxTokenBytes))
	}
	return token
}

// announcer is the name that stands at what nobody in the room has said.
const announcer = "[ANNOUNCEMENT]"

// chat queues messages for everybody active but their sender, who is nil for
// an announcement.
func (b *Brigade) chat(from *user, texts []string) {
	if len(texts) == 0 {
		return
	}
	name := announcer
	if from != nil {
		name = from.name
	}
	first := b.said
	for _, text := range texts {
		b.keepChat(keptChat{b.said, proto.Chat{name, text}})
		b.said++
	}
	for m := range b.users.heard() {
		if &m.user == from {
			continue
		}
		for i, text := range texts {
			m.queued.chats = append(m.queued.chats, proto.Chat{name, text})
			m.queued.said = append(m.queued.said, first+uint64(i))
		}
		m.queued.bound()
		b.users.change(m)
	}
}

// bound forgets the oldest messages beyond proto.MaxChatsQueued.
func (n *news) bound() {
	if over := len(n.chats) - proto.MaxChatsQueued; over > 0 {
		n.forget(over)
	}
}

// forget drops the first n messages.
func (n *news) forget(over int) {
	n.chats, n.said = slices.Delete(n.chats, 0, over), slices.Delete(n.said, 0, over)
}

// markTold moves keys and the first chats from what is queued to what was
// told.
func (u *user) markTold(keys newsKeys, chats int) {
	u.told.keys, u.told.delay, u.told.token = keys, u.queued.delay, ""
	if keys&newsVideoToken != 0 {
		u.told.token, u.queued.token = u.queued.token, ""
	}
	u.told.chats = append(u.told.chats[:0], u.queued.chats[:chats]...)
	u.told.said = append(u.told.said[:0], u.queued.said[:chats]...)
	u.queued.keys &^= keys
	u.queued.forget(chats)
}

// untell queues again what was told last, before everything that waits since.
func (u *user) untell() {
	if u.told.keys&newsDelay != 0 && u.queued.keys&newsDelay == 0 {
		u.queued.delay = u.told.delay
	}
	if u.told.keys&newsVideoToken != 0 {
		u.queued.token = u.told.token
	}
	u.queued.keys |= u.told.keys
	u.queued.chats = slices.Insert(u.queued.chats, 0, u.told.chats...)
	u.queued.said = slices.Insert(u.queued.said, 0, u.told.said...)
	u.queued.bound()
	u.told = news{}
}

// fillNews sets the keys of n from the state. The values stay where they are until
// n is written down.
func (b *Brigade) fillNews(n *proto.News, keys newsKeys, u *user) {
	s := &b.state
	setIf(&n.BPM, &s.bpm, keys&newsBPM)
	setIf(&n.Repeats, &s.repeats, keys&newsRepeats)
	setIf(&n.BPR, &s.bpr, keys&newsBPR)
	setIf(&n.FirstBucket, &s.firstBucket, keys&newsFirstBucket)
	setIf(&n.DisableSongVideo, &s.noSongVideo, keys&newsSongVideo)
	setIf(&n.Lyrics, &s.lyrics, keys&newsLyrics)
	setIf(&n.Image, &s.image, keys&newsImage)
	setIf(&n.DelaySeconds, &u.queued.delay, keys&newsDelay)
	setIf(&n.TwilioToken, &u.queued.token, keys&newsVideoToken)
	setIf(&n.BackingTrackType, &s.backingType, keys&newsBackingType)
	if keys&newsTracks != 0 {
		names := b.trackNames()
		n.Tracks = &names
	}
	if keys&newsGlobalVolume != 0 {
		v := friendlyOf(s.globalVolume)
		n.GlobalVolume = &v
	}
	if keys&newsBackingVolume != 0 {
		v := friendlyOf(s.backingVolume)
		n.BackingVolume = &v
	}
}

func setIf[T any](dst **T, value *T, when newsKeys) {
	if when != 0 {
		*dst = value
	}
}
