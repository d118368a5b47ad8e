package brigade

import "bucketbrigade/proto"

// AheadSamples is the length of Rings.Ahead.
const AheadSamples = 32 * proto.SampleRate

// A server that was started again decodes a track for seconds, and singers hear what
// is 3 s old. So what is to be played next is kept beside the rings: sample p of the
// track at index p modulo the length, always half a length of it. The other half is
// what was played, so that nothing is overwritten before its end was committed:
//
//	      played          ahead
//	........|===============|........     length 2 × ahead − played

// keepAhead brings what is kept of the track that plays up to date.
func (b *Brigade) keepAhead() {
	p, kept := &b.state.playing, b.ring.Ahead
	if len(kept) == 0 {
		return
	}
	end := min(p.length, p.played+len(kept)/2)
	for at := max(p.ahead, p.played); at < end; {
		i := at % len(kept)
		n := min(end-at, len(kept)-i)
		copy(kept[i:], p.pcm[at:at+n])
		at += n
	}
	p.ahead = end
}

// playAhead fills [from, from+n) of the backing with what is kept of the track; what
// is not is owed.
func (b *Brigade) playAhead(from proto.Clock, n int) {
	p, kept := &b.state.playing, b.ring.Ahead
	at, end := p.played, min(p.played+n, p.ahead)
	for at < end {
		i := at % len(kept)
		k := min(end-at, len(kept)-i)
		b.ring.copyBacking(from, kept[i:i+k], trackGain)
		at, from = at+k, from.Add(k)
	}
	p.owed += p.played + n - at
}

// AwaitedTracks are the names of the tracks that play or will play next, and that
// the brigade would have soon.
func (b *Brigade) AwaitedTracks() (names []string) {
	for _, name := range []string{b.state.playing.name, b.state.requestedTrack} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}
