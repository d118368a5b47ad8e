package shard

import (
	"net/http"
	"sync/atomic"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
)

// counts are how many frames were encoded, or not.
type counts struct {
	// shared were encoded for a stream, kept came out of one, private were
	// encoded for one listener.
	shared, kept, private atomic.Int64
}

// encodePlain encodes the whole of an answer for l alone.
func (s *Server) encodePlain(l *listener, song *song, m *scratch) (err error) {
	if len(m.ans.PCM) != song.samples {
		return proto.Refuse(http.StatusBadGateway, "the state server sent %d samples of the %d asked for", len(m.ans.PCM), song.samples)
	}
	defer s.leaveCoder(&s.measures.encode, s.takeCoder())
	if l.encoder == nil {
		l.encoder = s.cfg.Opus.NewEncoder()
	}
	l.running = true
	m.out, err = l.encoder.AppendPacked(m.out[:0], m.ans.PCM)
	s.counts.private.Add(int64(song.samples / proto.FrameSamples))
	return err
}

// encodeAlone encodes an answer that nobody else hears, or that no stream could
// be had for.
func (s *Server) encodeAlone(h *hearing, m *scratch) (err error) {
	l := h.l
	l.mix, l.stream = m.ans.Mix, nil // which the next answer may come from
	pcm, before := h.cut(&m.ans, h.first)
	if h.kept > 0 || len(pcm) != h.n*proto.FrameSamples {
		return proto.Refuse(http.StatusBadGateway, "the state server kept %d frames of a mix that is not the singer's", h.kept)
	}
	defer s.leaveCoder(&s.measures.encode, s.takeCoder())
	switch {
	case l.lead > 0 && l.encoder == nil:
		l.encoder = s.cfg.Opus.NewEncoder()
		fadeIn(pcm)
	case l.lead > 0 || l.running:
	default:
		// A decoder that was fed by a stream follows an encoder that has heard
		// the same.
		l.encoder = s.cfg.Opus.NewEncoder()
		if len(before) > 0 {
			if _, err := l.encoder.Encode(before); err != nil {
				return err
			}
		}
	}
	l.lead = max(0, l.lead-h.n)
	l.running = true
	m.out, err = l.encoder.AppendPacked(m.out[:0], pcm)
	s.counts.private.Add(int64(h.n))
	return err
}

// encodeShared encodes for the stream what it lacks, and answers with its
// packets; a newcomer's first ones come from an encoder of its own.
func (s *Server) encodeShared(h *hearing, m *scratch) error {
	l, frames := h.l, h.stream.frames
	lead := min(l.lead, h.n)
	if h.kept < h.n || lead > 0 {
		defer s.leaveCoder(&s.measures.encode, s.takeCoder())
	}
	if h.kept < h.n {
		at := h.first + codec.Frame(h.kept)
		prime := 0
		pcm, before := h.cut(&m.ans, at)
		if len(before) > 0 {
			prime, pcm = 1, m.ans.PCM[len(m.ans.PCM)-len(pcm)-len(before):]
		}
		if err := frames.Put(at-codec.Frame(prime), pcm, prime, m.ans.Clock); err != nil {
			return err
		}
	}
	s.counts.shared.Add(int64(h.n - h.kept))
	s.counts.kept.Add(int64(h.kept))
	m.out = proto.AppendPacking(m.out[:0], h.n)
	if lead > 0 {
		if err := s.leadIn(h, lead, m); err != nil {
			return err
		}
	}
	for f := h.first + codec.Frame(lead); f < h.end(); f++ {
		m.out = proto.AppendPacket(m.out, frames.Packet(f))
	}
	l.running = lead == h.n
	return nil
}

// leadIn appends a newcomer's first packets.
func (s *Server) leadIn(h *hearing, lead int, m *scratch) error {
	l := h.l
	pcm, _ := h.cut(&m.ans, h.first)
	pcm = pcm[:lead*proto.FrameSamples]
	if l.encoder == nil {
		l.encoder = s.cfg.Opus.NewEncoder()
		fadeIn(pcm)
	}
	for ; len(pcm) > 0; pcm = pcm[proto.FrameSamples:] {
		packet, err := l.encoder.Encode(pcm[:proto.FrameSamples])
		if err != nil {
			return err
		}
		m.out = proto.AppendPacket(m.out, packet)
	}
	l.lead -= lead
	s.counts.private.Add(int64(lead))
	return nil
}

// cut gives the samples of an answer from frame f on, and the frame before if it
// came along.
func (h *hearing) cut(ans *proto.Answer, f codec.Frame) (pcm, before []float32) {
	at := f.Clock().Sub(ans.Span.From)
	if at < 0 || at > len(ans.PCM) {
		return nil, nil
	}
	if at >= proto.FrameSamples {
		before = ans.PCM[at-proto.FrameSamples : at]
	}
	return ans.PCM[at:], before
}
