package brigade

import "bucketbrigade/proto"

// fillClicks writes the metronome into [from, from+n) of the backing, which
// is silent, and keeps the distance from its end to the next click. It does
// nothing without a tempo: the distance then waits for the next one.
func (b *Brigade) fillClicks(from proto.Clock, n int) {
	if b.state.bpm <= 0 {
		return
	}
	beat := 60 * proto.SampleRate / b.state.bpm
	at := b.state.nextClick
	for ; at < n; at += beat {
		b.ring.setBacking(from.Add(at), 1)
	}
	b.state.nextClick = at - n
}
