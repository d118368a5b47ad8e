package brigade

import "bucketbrigade/proto"

// Tracks gives backing tracks: mono PCM at 48 kHz, finite, full scale 1, that
// does not change while it plays. It is asked within a request, so it must
// answer from memory.
type Tracks interface {
	// Names lists the tracks, sorted.
	Names() []string
	// Track gives one track; false if there is none of that name.
	Track(name string) ([]float32, bool)
}

// Uploads gives what singers have uploaded. It is asked within a request, so it
// must answer from memory.
type Uploads interface {
	// NewestTrack gives the name of the last track uploaded in a session, else of
	// the last one of all; "" if there is none. Track knows it by that name.
	NewestTrack(session proto.Session) string
	// NewestImage gives likewise what clients fetch an image by.
	NewestImage(session proto.Session) string
	// Track gives one track, as Tracks does.
	Track(name string) ([]float32, bool)
}

// userUpload is the track that clients ask for after an upload.
const userUpload = "User Upload"

const (
	// trackGain is taken off a track when it goes into the ring.
	trackGain = 0.8
	// trackMix is how loud a backing without a tempo is mixed.
	trackMix = 0.2
)

// requestTrack remembers the track that the next song without a tempo plays.
// "User Upload" means the newest upload of u's session, else that of all, which
// it is for who controls the room, u being nil; else a track of that very name. A
// name that does not exist is ignored.
func (b *Brigade) requestTrack(u *user, name string) {
	if name == userUpload && b.uploads != nil {
		var session proto.Session
		if u != nil {
			session = u.session
		}
		if uploaded := b.uploads.NewestTrack(session); uploaded != "" {
			b.state.requestedTrack = uploaded
			return
		}
	}
	if b.tracks == nil {
		return
	}
	if _, ok := b.tracks.Track(name); ok {
		b.state.requestedTrack = name
	}
}

// findTrack gives a requested track, from the uploads or the others.
func (b *Brigade) findTrack(name string) (pcm []float32, ok bool) {
	if b.uploads != nil {
		if pcm, ok := b.uploads.Track(name); ok {
			return pcm, true
		}
	}
	if b.tracks != nil {
		return b.tracks.Track(name)
	}
	return nil, false
}

// loadTrack makes the ring play a track from the next cleared position on.
func (b *Brigade) loadTrack(name string) {
	if pcm, ok := b.findTrack(name); ok && len(pcm) > 0 {
		b.state.track, b.state.played = pcm, 0
		b.state.backingType = typeTrack
	}
}

// fillBacking fills the backing of [from, from+n), which is silent: first with
// what is left of the track, then with the metronome. The end of a track ends
// the song.
func (b *Brigade) fillBacking(from proto.Clock, n int) {
	if k := min(n, len(b.state.track)); k > 0 {
		b.ring.copyBacking(from, b.state.track[:k], trackGain)
		b.state.track = b.state.track[k:]
		b.state.played += k
		from, n = from.Add(k), n-k
		if len(b.state.track) == 0 {
			b.state.track = nil
			b.state.songEnd = from
			b.endSong()
		}
	}
	b.fillClicks(from, n)
}

// trackNames is the list that newcomers are told; never nil.
func (b *Brigade) trackNames() []string {
	if b.tracks == nil {
		return []string{}
	}
	return append([]string{}, b.tracks.Names()...)
}
