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
			b.request(uploaded)
			return
		}
	}
	if b.tracks == nil {
		return
	}
	if _, ok := b.tracks.Track(name); ok {
		b.request(name)
	}
}

func (b *Brigade) request(name string) {
	pcm, _ := b.findTrack(name)
	b.state.requestedTrack, b.state.requestedSamples = name, len(pcm)
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

// loadTrack makes the ring play the requested track from the next cleared position
// on.
func (b *Brigade) loadTrack() {
	s := &b.state
	name, length := s.requestedTrack, s.requestedSamples
	s.requestedTrack, s.requestedSamples = "", 0
	pcm, ok := b.findTrack(name)
	switch {
	case ok && len(pcm) > 0:
		s.playing = playing{name: name, length: len(pcm), pcm: pcm}
		b.keepAhead()
	case !ok && b.restored && length > 0: // not decoded anew yet
		s.playing = playing{name: name, length: length}
	default:
		return
	}
	s.backingType = typeTrack
}

// playing is the track that plays. A server that was started again knows which
// and how far; the samples come later, when the file was decoded anew. Until then
// the backing is owed: silent, and filled from there as soon as they are there.
type playing struct {
	name           string // "" if none plays
	length, played int    // samples: of the whole, and played so far
	pcm            []float32
	owed           int // how many of those played are owed, the last ones
	ahead          int // up to where Rings.Ahead holds it
}

// stop ends the track. How much was played stays known.
func (p *playing) stop() { *p = playing{played: p.played} }

// left is how many samples are yet to be played.
func (p *playing) left() int {
	if p.name == "" {
		return 0
	}
	return p.length - p.played
}

// fillBacking fills the backing of [from, from+n), which is silent: first with
// what is left of the track, then with the metronome. The end of a track ends
// the song.
func (b *Brigade) fillBacking(from proto.Clock, n int) {
	p := &b.state.playing
	if k := min(n, p.left()); k > 0 {
		if p.pcm != nil {
			b.ring.copyBacking(from, p.pcm[p.played:p.played+k], trackGain)
			p.played += k
			b.keepAhead()
		} else {
			b.playAhead(from, k)
			p.played += k
		}
		from, n = from.Add(k), n-k
		if p.left() == 0 {
			p.stop()
			b.state.songEnd = from
			b.endSong()
		}
	}
	b.fillClicks(from, n)
}

// payBacking fills, at clock now, what is owed of the backing, if the samples of
// the track have come. A file that was changed meanwhile is another track: silence
// is played in its place.
func (b *Brigade) payBacking(now proto.Clock) {
	p := &b.state.playing
	if p.name == "" || p.pcm != nil {
		return
	}
	pcm, ok := b.findTrack(p.name)
	if !ok || len(pcm) != p.length {
		return
	}
	p.pcm = pcm
	if n := min(p.owed, b.ring.size); n > 0 {
		b.ring.copyBacking(b.cleared.Add(-n), pcm[p.played-n:p.played], trackGain)
		b.mixedSince = now // nobody who has read it may keep it
	}
	p.owed = 0
	b.keepAhead()
}

// trackNames is the list that newcomers are told; never nil.
func (b *Brigade) trackNames() []string {
	if b.tracks == nil {
		return []string{}
	}
	return append([]string{}, b.tracks.Names()...)
}
