package shard

import (
	"strconv"

	"bucketbrigade/internal/measure"
)

// Stats are what a shard tells operators of its work. All but Singers, Streams
// and Ready count since the start.
type Stats struct {
	// Singers is how many singers have codecs here, Streams how many mixes are
	// shared.
	Singers, Streams int
	// Ready says that singers are answered, also while the shard is to stop.
	Ready bool
	// SharedEncodes is how many frames were encoded for all who hear them,
	// SharedFrames how many more were answered with such packets, PrivateEncodes
	// how many were encoded for one singer.
	SharedEncodes, SharedFrames, PrivateEncodes int64
	// Answers are how many requests were answered, by the HTTP status; "none" are
	// those whose connection was closed instead.
	Answers map[string]int64
	// Desyncs are the 409s among them, by what was wrong with the clocks.
	Desyncs map[string]int64
	// OddTiming is how often something took longer than it should, by what.
	OddTiming map[string]int64
	// Requests, Decodes and Encodes are how long singers' requests took, and the
	// work in libopus for them.
	Requests, Decodes, Encodes measure.Snapshot
	// Calls are how long calls of the state server took, by what became of them.
	Calls map[string]measure.Snapshot
}

// Stats gives them as they are now; any goroutine may ask.
func (s *Server) Stats() Stats {
	m := &s.measures
	st := Stats{
		Singers:        s.roster.len(),
		Streams:        s.streams.len(),
		Ready:          s.StateAnswers() == nil,
		SharedEncodes:  s.counts.shared.Load(),
		SharedFrames:   s.counts.kept.Load(),
		PrivateEncodes: s.counts.private.Load(),
		Answers:        map[string]int64{"other": m.byCode[len(codes)].Load()},
		Desyncs:        map[string]int64{"other": m.desyncs[len(desyncs)].Load()},
		OddTiming:      map[string]int64{},
		Requests:       m.requests.Snapshot(),
		Decodes:        m.decode.Snapshot(),
		Encodes:        m.encode.Snapshot(),
		Calls:          map[string]measure.Snapshot{},
	}
	for i, code := range codes {
		name := "none"
		if code != unanswered {
			name = strconv.Itoa(code)
		}
		st.Answers[name] = m.byCode[i].Load()
	}
	for i, d := range desyncs {
		st.Desyncs[d.reason] = m.desyncs[i].Load()
	}
	for i, name := range oddNames {
		st.OddTiming[name] = m.odd[i].Load()
	}
	for i, name := range outcomeNames {
		st.Calls[name] = s.backend.calls[i].Snapshot()
	}
	return st
}
