package shard

import (
	"context"
	"sync"
	"time"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
)

const (
	// joinLag is how far a listener's lag may be from a stream's to join it, in
	// samples; leaveLag is how far it may drift before it leaves. Within, all of
	// one bucket find one stream.
	joinLag  = proto.SampleRate / 8
	leaveLag = proto.SampleRate / 5
	// lagWeight is how slowly a stream's lag follows its listeners'.
	lagWeight = 64
	// streamIdle is how long a stream without listeners lasts.
	streamIdle = 5 * time.Second
	// streamWait is how long a request waits for a stream that others are at work
	// on; then it goes without.
	streamWait = 500 * time.Millisecond
	// usualMix is what a newcomer most likely hears: the backing at 1.
	usualMix = 1001
)

// stream is one mix that many listeners share: see package codec.
type stream struct {
	mix proto.Mix
	// turn holds a token while nobody is at work on frames. Encoding happens
	// under it, so whoever comes next finds it done.
	turn   chan struct{}
	frames *codec.Stream // of who has the token

	// Under the mutex of streams.
	used time.Time
	lag  int // of its listeners, in samples, about
}

// acquire takes the token, if it is to be had soon.
func (s *stream) acquire(ctx context.Context) bool {
	select {
	case <-s.turn:
		return true
	default:
	}
	timer := time.NewTimer(streamWait)
	defer timer.Stop()
	select {
	case <-s.turn:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

func (s *stream) release() { s.turn <- struct{}{} }

// streams are all streams of a shard, in the order in which they were made.
type streams struct {
	max  int
	opus codec.Settings

	mu   sync.Mutex
	list []*stream
}

// find gives the stream of a mix for a listener of a lag: the oldest that is near
// enough, so that streams that have come close to each other become one. current
// is what the listener heard last, and may be a little farther off. If there is
// none, one is made; nil if there are too many.
func (s *streams) find(mix proto.Mix, lag int, current *stream, now time.Time) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.list {
		if d := distance(st.lag, lag); st.mix == mix && (d <= joinLag || st == current && d <= leaveLag) {
			st.used = now
			st.lag += (lag - st.lag) / lagWeight
			return st
		}
	}
	if len(s.list) >= s.max {
		return nil
	}
	st := &stream{mix: mix, lag: lag, used: now, turn: make(chan struct{}, 1), frames: s.opus.NewStream()}
	st.turn <- struct{}{}
	s.list = append(s.list, st)
	return st
}

// sweep ends streams without listeners.
func (s *streams) sweep(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.list[:0]
	for _, st := range s.list {
		if now.Sub(st.used) <= streamIdle {
			kept = append(kept, st)
		}
	}
	clear(s.list[len(kept):])
	s.list = kept
}

// len is the number of streams.
func (s *streams) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.list)
}

func distance(a, b int) int {
	if a < b {
		return b - a
	}
	return a - b
}
