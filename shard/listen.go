package shard

import (
	"context"
	"net/http"
	"time"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
)

// leadFrames is how many packets a newcomer gets from an encoder of its own: a
// fresh decoder follows a fresh encoder at once, and a stream only after some
// 100 ms. The first fadeFrames of them fade in; what follows is as loud as the
// stream, for a decoder that had quieter sound last would be off by up to a half
// when the stream takes over.
const (
	leadFrames = 3
	fadeFrames = 2
)

// fadeIn fades in a newcomer's first packets, pcm being those of one answer.
func fadeIn(pcm []float32) {
	codec.FadeIn(pcm, min(len(pcm), fadeFrames*proto.FrameSamples))
}

// listener is how one session hears. It belongs to the request that has the
// singer's turn.
type listener struct {
	// plain: the state server is of the first generation. It knows no snapped
	// clocks, and this session stays without for as long as it lasts.
	plain bool
	// lead is how many packets the newcomer is still to get from its encoder.
	lead int
	// encoder is its own; running says that it made the last packet.
	encoder *codec.Encoder
	running bool
	// stream is what it shares, of the mix that it heard last, if that was one to
	// share; lag is its own, smoothed.
	stream *stream
	mix    proto.Mix
	lag    int
	knows  bool // lag and mix
}

// begin makes l ready for a client that starts afresh.
func (l *listener) begin() { *l = listener{lead: leadFrames} }

// hearing is one answer that is being made: the interval of n frames from first
// on.
type hearing struct {
	l     *listener
	first codec.Frame
	n     int
	// stream is what its packets come from, and its token is ours; nil: it is
	// encoded for this listener alone. kept is how many frames are there already
	// and hold.
	stream *stream
	kept   int
}

func (h *hearing) end() codec.Frame { return h.first + codec.Frame(h.n) }

// listen asks the shared state for what req's singer hears, and encodes what of
// it nobody has encoded yet, into m.out.
func (s *Server) listen(ctx context.Context, l *listener, song *song, req *proto.Request, m *scratch) error {
	if l.plain || s.cfg.Private {
		return s.listenPlain(ctx, l, song, req, m)
	}
	end := song.query.Read - song.query.Read%proto.FrameSamples
	h := &hearing{l: l, n: song.samples / proto.FrameSamples}
	h.first = codec.FrameAt(end) - codec.Frame(h.n)
	if h.stream = s.take(ctx, l, h.first, end); h.stream != nil {
		defer h.stream.release()
	}
	req.ReadEnd = &end
	h.ask(req, &m.held)
	if err := s.call(ctx, req, &m.ans); err != nil {
		return err
	}
	if m.ans.Span == nil {
		l.plain = true
		s.modern.Store(false)
		return s.encodePlain(l, song, m)
	}
	s.modern.Store(true)
	if err := h.check(&m.ans); err != nil {
		return err
	}
	if h.stream == nil || m.ans.Mix != h.stream.mix {
		return s.encodeAlone(h, m)
	}
	return s.encodeShared(h, m)
}

// listenPlain does the same in full and for l alone, on its own clocks.
func (s *Server) listenPlain(ctx context.Context, l *listener, song *song, req *proto.Request, m *scratch) error {
	if len(req.PCM) == 0 {
		end := song.query.Read
		req.Want = &proto.Span{From: max(0, end.Add(-song.samples)), To: end} // all, but the request may lack audio
	}
	if err := s.call(ctx, req, &m.ans); err != nil {
		return err
	}
	s.modern.Store(m.ans.Span != nil)
	return s.encodePlain(l, song, m)
}

// take gives the stream for an interval from first to end, with its token; nil if
// there is none to be had.
func (s *Server) take(ctx context.Context, l *listener, first codec.Frame, end proto.Clock) *stream {
	clock, ok := s.time.estimate()
	if !ok {
		return nil
	}
	lag := clock.Sub(end)
	if lag < 0 || lag > proto.RingSamples {
		return nil // the state server will have a word about it
	}
	if !l.knows {
		l.knows, l.lag, l.mix = true, lag, usualMix
	}
	l.lag += (lag - l.lag) / 4
	if l.mix == 0 {
		return nil
	}
	st := s.streams.find(l.mix, l.lag, l.stream, time.Now())
	l.stream = st
	if st == nil || !st.acquire(ctx) {
		return nil
	}
	if st.frames.Next().Clock() > clock.Add(proto.SampleRate) {
		// Its listeners heard a state server whose clock was ahead of this one's.
		st.frames = s.streams.opus.NewStream()
	}
	if !st.frames.Takes(first) { // too far behind the others
		st.release()
		return nil
	}
	return st
}

// ask tells the shared state what is wanted, and what is there already. held is
// memory to use.
func (h *hearing) ask(req *proto.Request, held *proto.Held) {
	from := h.first
	if h.stream != nil {
		if k := h.stream.frames.Kept(h.first, h.n); k > 0 {
			h.nameHeld(held, k)
			req.Held = held
			if h.l.lead == 0 { // else it needs the samples themselves
				from += codec.Frame(k)
			}
		}
	}
	if from < h.end() && h.n < proto.MaxSamples/proto.FrameSamples {
		from -= codec.PrimeFrames
	}
	req.Want = &proto.Span{From: max(0, from).Clock(), To: h.end().Clock()}
}

// nameHeld says when each of the first n frames was read.
func (h *hearing) nameHeld(held *proto.Held, n int) {
	held.Mix, held.Reads = h.stream.mix, held.Reads[:0]
	for f := h.first; f < h.first+codec.Frame(n); f++ {
		at, _ := h.stream.frames.Read(f)
		if k := len(held.Reads) - 1; k >= 0 && held.Reads[k].At == at {
			held.Reads[k].To = (f + 1).Clock()
		} else {
			held.Reads = append(held.Reads, proto.HeldRead{To: (f + 1).Clock(), At: at})
		}
	}
}

// check finds out how much is kept, and that the rest has come.
func (h *hearing) check(ans *proto.Answer) error {
	from, to, span := h.first.Clock(), h.end().Clock(), *ans.Span
	keep := max(from, min(ans.Keep, to))
	h.kept = keep.Sub(from) / proto.FrameSamples
	if span.Len() == 0 && keep == to && h.l.lead == 0 {
		return nil
	}
	needs := keep
	if h.l.lead > 0 {
		needs = from
	}
	if span.From > needs || span.From < from.Add(-codec.PrimeFrames*proto.FrameSamples) || span.To != to ||
		span.From%proto.FrameSamples != 0 || keep%proto.FrameSamples != 0 || len(ans.PCM) != span.Len() {
		return proto.Refuse(http.StatusBadGateway, "the state server sent %d samples as [%s, %s) of [%s, %s), kept up to %s",
			len(ans.PCM), span.From, span.To, from, to, keep)
	}
	return nil
}
