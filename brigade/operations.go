package brigade

import (
	"bytes"
	"strings"

	"bucketbrigade/proto"
)

// operate carries out everything that a request asks for beside its audio, in
// the order that clients rely on. hears is the end of the interval that the
// singer will be told it hears.
func (b *Brigade) operate(now, hears proto.Clock, u *user, o *order) {
	q := &o.query
	b.describe(u, o)
	if q.RequestLead && !b.control.took {
		b.lead(u)
	}
	b.special(now, hears, u, q)
	if !b.control.took {
		b.setTempo(q)
	}
	b.solo(u, q)
}

// special carries out what a singer and who controls the room can ask for
// alike. u is nil for the latter, who hears what is now.
func (b *Brigade) special(now, hears proto.Clock, u *user, q *proto.Query) {
	b.setVolumes(q)
	b.chat(u, q.Chats)
	for _, v := range q.MicVolumes {
		if m := b.users.byID[v.User]; m != nil {
			m.micVolume, m.micGain = v.Volume, micGain(v.Volume)
			b.users.change(m)
		}
	}
	if q.Track != "" {
		b.requestTrack(u, strings.Clone(q.Track))
	}
	if q.Start {
		b.start(now, hears)
	}
	if q.Stop {
		b.stop(u, hears)
	}
	if q.ClearEvents {
		b.events, b.eventsChanged = b.events[:0], true
	}
	b.setEvents(q.Events)
	b.setSwitches(q)
}

// describe takes over what a singer says about itself, and what it shows to
// all.
func (b *Brigade) describe(u *user, o *order) {
	q := &o.query
	u.spectator, u.muted, u.rms = q.Spectator, q.Muted, float32(q.RMS)
	if q.UserBackingVolume != nil {
		u.backingVolume = scalarOf(*q.UserBackingVolume)
	}
	if q.Telemetry != nil {
		// A copy, because what was merged has room to grow.
		u.telemetry = bytes.Clone(proto.MergeTelemetry(u.telemetry, q.Telemetry))
	}
	if o.lyrics != nil {
		b.state.lyrics = strings.Clone(*o.lyrics)
		b.broadcast(newsLyrics)
	}
	if q.Image {
		b.state.image = b.imageValue(u)
		b.broadcast(newsImage)
	}
}

// imageValue is what all are told to fetch the image by: that of the newest upload
// of u's session, else of all. Without uploads here it is ten random letters, which
// have clients fetch anew whatever is served elsewhere.
func (b *Brigade) imageValue(u *user) string {
	if b.uploads != nil {
		if value := b.uploads.NewestImage(u.session); value != "" {
			return value
		}
	}
	var token [10]byte
	for i := range token {
		token[i] = 'A' + byte(b.rand.IntN(26))
	}
	return string(token[:])
}

func (b *Brigade) setVolumes(q *proto.Query) {
	if q.Volume != nil {
		b.state.globalVolume = scalarOf(*q.Volume)
		b.broadcast(newsGlobalVolume)
	}
	if q.BackingVolume != nil {
		b.state.backingVolume = scalarOf(*q.BackingVolume)
		b.broadcast(newsBackingVolume)
	}
}

func (b *Brigade) setSwitches(q *proto.Query) {
	if q.DisableAutoGain != nil {
		b.state.noAutoGain = *q.DisableAutoGain
	}
	if q.DisableSongVideo != nil {
		b.state.noSongVideo = *q.DisableSongVideo
		b.broadcast(newsSongVideo)
	}
}

func (b *Brigade) setTempo(q *proto.Query) {
	for _, t := range []struct {
		value *int
		dst   *int
		key   newsKeys
	}{
		{q.BPM, &b.state.bpm, newsBPM},
		{q.Repeats, &b.state.repeats, newsRepeats},
		{q.BPR, &b.state.bpr, newsBPR},
	} {
		if t.value != nil {
			*t.dst = *t.value
			b.broadcast(t.key)
		}
	}
}
