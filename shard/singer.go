package shard

import (
	"time"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
)

// singerKey names a singer: two browsers that claim one userid are two singers
// here until the shared state has said whose it is, so neither can touch the
// other's codecs.
type singerKey struct {
	user    proto.UserID
	session proto.Session
}

// singer is one singer on this shard.
type singer struct {
	key singerKey

	// Under the roster's mutex.
	busy      bool // a request has the turn
	gathering bool // nobody gets it before the earliest has had time to come
	waiting   []*waiter
	lastHeard time.Time
	// chained: a request was answered, so the clocks of the next are known.
	chained   bool
	next      proto.Clock // where the next request's interval starts
	wrote     bool
	nextWrite proto.Clock // where the next audio starts

	// Owned by the request that has the turn.
	decoder  *codec.Decoder
	listener listener
}

// waiter is a request that waits for its turn.
type waiter struct {
	song *song
	// turn gets nil when the request has the turn, else why it never will.
	turn chan error
}

// fits tells whether a request joins on to what this singer did before. A
// request that starts afresh always does.
func (s *singer) fits(r *song) (now bool, err error) {
	if !s.chained || r.query.Reset {
		return true, nil
	}
	start := r.start()
	if start < s.next {
		return false, conflict("read_clock %d with %d samples starts at %d, heard already is everything before %d; start afresh with reset_user_state",
			r.query.Read, r.samples, start, s.next)
	}
	if start > s.next {
		return false, nil
	}
	if q := &r.query; q.HasWrite && s.wrote {
		if first := q.Write.Add(-r.samples); first != s.nextWrite {
			return false, conflict("write_clock %d with %d samples starts at %d, the audio before ended at %d; start afresh with reset_user_state",
				q.Write, r.samples, first, s.nextWrite)
		}
	}
	return true, nil
}

// heard notes an answered request.
func (s *singer) heard(r *song, now time.Time) {
	if r.query.Reset {
		s.wrote = false
	}
	s.chained, s.next, s.lastHeard = true, r.query.Read, now
	if r.query.HasWrite {
		s.wrote, s.nextWrite = true, r.query.Write
	}
}

func conflict(format string, args ...any) error {
	return proto.Refuse(409, format, args...)
}
