package brigade

import "bucketbrigade/proto"

const (
	typeMetronome = "Metronome"
	typeTrack     = "Backing Track"
)

// start begins a song at clock at, the position that the caller hears now. The
// ring is silenced, and a metronome clicks from at on as if it had always been
// there. With a tempo a requested track waits for a later song. A track that
// still plays goes on.
func (b *Brigade) start(now, at proto.Clock) {
	s := &b.state
	b.FinishRecording()
	b.ring.clearAll(now)
	b.events, b.eventsChanged = b.events[:0], true
	s.songStart, s.songEnd = at, 0
	b.startTake(at)
	s.backingType = ""
	if s.bpm > 0 {
		b.fillClicks(at, now.Sub(at))
		s.backingType = typeMetronome
	} else if s.requestedTrack != "" {
		b.loadTrack()
	}
	b.broadcast(newsBackingType)
}

// stop ends the song where its leader has sung last before this request, or at
// clock at, what it hears now, if it never sang. Who is not the leader halts
// the song: nothing is heard any more. Who controls the room, u being nil, ends
// it at clock at.
func (b *Brigade) stop(u *user, at proto.Clock) {
	s := &b.state
	s.playing.stop()
	switch {
	case u == nil:
		s.songEnd = at
	case !s.hasLeader || s.leader != u.id:
		b.FinishRecording()
		s.songStart, s.songEnd = 1, 1
	case u.hasSung:
		s.songEnd = u.lastSung
	default:
		s.songEnd = at
	}
	b.endSong()
}

// endSong frees the lead and the backing.
func (b *Brigade) endSong() {
	b.state.hasLeader, b.state.leader, b.state.leaderText = false, 0, ""
	b.state.backingType = ""
	b.broadcast(newsBackingType)
}

// stores tells whether audio for [from, to) belongs to the song. Audio that
// straddles an edge is kept whole.
func (s *state) stores(from, to proto.Clock) bool {
	return s.songStart != 0 && to > s.songStart && (s.songEnd == 0 || from < s.songEnd)
}

// sounds tells whether an interval that begins at from is heard.
func (s *state) sounds(from proto.Clock) bool {
	return s.songStart != 0 && (s.songEnd == 0 || from < s.songEnd)
}
