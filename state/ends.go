package state

import (
	"sync/atomic"

	"bucketbrigade/proto"
)

const (
	// endsAtWork is how many servers in a row may end at work until the state that they
	// restored is believed to be what breaks them.
	endsAtWork = 5
	// rowSeconds is how long the row has lasted then, at least: longer than a shard
	// repeats one request, so that a request alone that breaks each server costs no song.
	rowSeconds = 3
	// soundAfter is how many seconds a server works until the state is believed to be
	// sound: longer than a hang takes that systemd's watchdog ends, and than singers take
	// to come back.
	soundAfter = 10
)

// ends is how the servers of a directory have ended: words in the header of the rings'
// file, which the goroutine that owns the brigade changes in place.
//
// A panic, a hang, a fault of the runtime strike while the brigade works; who stops a
// server or kills it strikes it while it waits, most of the time. So a server that ended
// while it waited ends the row, whatever ended it: five kills in a row, each within ten
// seconds of the start before, cost the song only if each hits it at work. With 2000
// singers it works half of the time, so 3 % of such rows do; with 100 a fortieth of the
// time, so one row of a hundred million.
//
// nil counts nothing.
type ends struct {
	atWork *atomic.Uint32 // 1 while the brigade works
	inRow  *atomic.Uint32 // how many in a row ended at work, each before it was sound
	since  *atomic.Int64  // when the first of them was counted, a proto.Clock
}

// count counts the end of the server before, and tells whether the state is to be given
// up. A kill between the stores counts that end twice at most.
func (e *ends) count(now proto.Clock) (broken bool) {
	inRow := uint32(0)
	if e.atWork.Load() != 0 {
		inRow = e.inRow.Load() + 1
	}
	if inRow <= 1 {
		e.since.Store(int64(now))
	}
	e.inRow.Store(inRow)
	e.atWork.Store(0)
	return inRow >= endsAtWork && now.Sub(proto.Clock(e.since.Load())) >= rowSeconds*proto.SampleRate
}

// forget begins a new row.
func (e *ends) forget() {
	if e != nil {
		e.inRow.Store(0)
	}
}

// work is told before the brigade works, rest behind it; not if that panics.
func (e *ends) work() {
	if e != nil {
		e.atWork.Store(1)
	}
}

func (e *ends) rest() {
	if e != nil {
		e.atWork.Store(0)
	}
}
