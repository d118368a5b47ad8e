package shard

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
)

// scratch is the memory of one request. What is large comes only once the whole
// request is here, so that one who sends it slowly does not tie it down.
type scratch struct {
	body    []byte
	packets [][]byte
	pcm     []float32
	out     []byte
	wire    []byte // the answer as it leaves, with its header
	ans     proto.Answer
	held    proto.Held
}

// newScratchPool makes a pool of scratch, so that requests do not allocate.
func newScratchPool() *sync.Pool {
	return &sync.Pool{New: func() any {
		return &scratch{
			body:    make([]byte, 0, 16<<10),
			packets: make([][]byte, 0, proto.MaxPackets),
			out:     make([]byte, 0, 16<<10),
			ans:     proto.Answer{Scratch: new(proto.Scratch)},
		}
	}}
}

// post answers a POST: a singer's audio, a question about the room, or an order
// to it.
func (s *Server) post(w http.ResponseWriter, r *http.Request) {
	who := identify(w, r)
	m := s.scratch.Get().(*scratch)
	err := s.sing(w, r, who, m)
	s.scratch.Put(m)
	if err != nil {
		s.refuse(w, r, err)
	}
}

// sing carries a POST out and answers it; an error is yet to be answered.
func (s *Server) sing(w http.ResponseWriter, r *http.Request, who visitor, m *scratch) error {
	v, err := proto.ParseValues(r.URL.RawQuery)
	if err != nil {
		return err
	}
	q, err := v.Query()
	if err != nil {
		return err
	}
	if q.Status {
		return s.status(w, r, who, m)
	}
	if err := m.readBody(w, r); err != nil {
		return err
	}
	if !q.HasUser {
		return s.control(w, r, v, q, m)
	}
	song, err := parseSong(r.URL.RawQuery, v, q, m.body, m.packets[:0])
	if err != nil {
		return err
	}
	began := time.Now()
	defer func() { s.measures.request(s.measures.requests.Since(began), &s.tally) }()
	singer, err := s.roster.enter(r.Context(), singerKey{q.User, who.session}, song)
	if err != nil {
		return err
	}
	// The turn lasts until the answer is written, so that answers leave in the
	// order of the requests.
	err = errUnfinished
	defer func() { s.roster.leave(singer, song, err, time.Now()) }()
	if err = s.perform(r.Context(), singer, song, who, m); err != nil {
		return err
	}
	s.writeAnswer(w, r, m)
	return nil
}

// errUnfinished is what stands for the outcome of a request that panics.
var errUnfinished = errors.New("the request came to no end")

// readBody reads the body, within its limit.
func (m *scratch) readBody(w http.ResponseWriter, r *http.Request) error {
	body := http.MaxBytesReader(w, r.Body, proto.MaxBodyBytes)
	m.body = m.body[:0]
	for {
		if len(m.body) == cap(m.body) {
			m.body = append(m.body, 0)[:len(m.body)]
		}
		n, err := body.Read(m.body[len(m.body):cap(m.body)])
		m.body = m.body[:len(m.body)+n]
		var tooLarge *http.MaxBytesError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &tooLarge):
			return proto.Refuse(http.StatusRequestEntityTooLarge, "the body is longer than %d bytes", proto.MaxBodyBytes)
		case err != nil:
			return bad("the body ends after %d bytes: %s", len(m.body), proto.Shown(err.Error()))
		}
	}
}

// status answers how full the room is.
func (s *Server) status(w http.ResponseWriter, r *http.Request, who visitor, m *scratch) error {
	req := proto.Request{QueryString: r.URL.RawQuery, ClientAddress: who.address, Session: who.session}
	if err := s.call(r.Context(), &req, &m.ans); err != nil {
		return err
	}
	s.writeMetadata(w, r, m)
	return nil
}

// writeMetadata answers with the metadata alone.
func (s *Server) writeMetadata(w http.ResponseWriter, r *http.Request, m *scratch) {
	m.ans.Summary, m.out = m.ans.Summary[:0], m.out[:0]
	s.writeAnswer(w, r, m)
}

// perform takes the singer's audio to the others and fetches theirs: it leaves
// the answer in m.ans and m.out. The caller has the singer's turn.
func (s *Server) perform(ctx context.Context, singer *singer, song *song, who visitor, m *scratch) error {
	if song.query.Reset {
		singer.decoder = nil
		singer.listener.begin()
	}
	if singer.decoder == nil {
		singer.decoder = codec.NewDecoder()
	}
	if err := s.decode(singer, song, m); err != nil {
		return err
	}
	req := proto.Request{
		QueryString:   song.raw + "&rms_volume=" + strconv.FormatFloat(codec.RMS(m.pcm), 'g', 6, 64),
		ClientAddress: who.address,
		Lyrics:        song.lyrics,
		Session:       who.session,
		PCM:           m.pcm,
	}
	if s.modern.Load() && !singer.listener.plain && song.query.Samples > 0 && codec.IsSilent(m.pcm) {
		req.PCM = nil // n_samples says enough to who is told what is wanted
	}
	return s.listen(ctx, &singer.listener, song, &req, m)
}

// decode fills m.pcm with the singer's samples.
func (s *Server) decode(singer *singer, song *song, m *scratch) error {
	// The decoder wants room for a whole frame behind whatever it gave before.
	m.pcm = slices.Grow(m.pcm[:0], song.samples+proto.FrameSamples)
	if len(song.packets) == 0 {
		m.pcm = m.pcm[:song.samples]
		clear(m.pcm)
		return nil
	}
	defer s.leaveCoder(&s.measures.decode, s.takeCoder())
	for _, p := range song.packets {
		var err error
		if m.pcm, err = singer.decoder.Decode(m.pcm, p); err != nil {
			return bad("%v", err)
		}
	}
	if len(m.pcm) != song.samples {
		return bad("the packets decoded to %d samples, their headers say %d", len(m.pcm), song.samples)
	}
	return proto.CheckPCM(m.pcm)
}

// call asks the shared state; what it refuses is an error.
func (s *Server) call(ctx context.Context, req *proto.Request, ans *proto.Answer) error {
	if err := s.backend.Call(ctx, req, ans); err != nil {
		return err
	}
	if r := ans.Refusal(); r != nil {
		return r
	}
	if ans.Metadata == "" {
		return proto.Refuse(http.StatusBadGateway, "the state server's answer has no metadata")
	}
	if s.time.wantsMetadata() {
		var told struct {
			Clock proto.Clock `json:"server_clock"`
		}
		if json.Unmarshal([]byte(ans.Metadata), &told) == nil && told.Clock > 0 {
			s.time.learn(told.Clock, s.time.boot())
		}
	}
	return nil
}

// writeAnswer sends metadata, summary and packets. The singer's turn lasts until
// the answer is gone: one who does not take it loses it. A client that went away
// is no news to anybody.
func (s *Server) writeAnswer(w http.ResponseWriter, r *http.Request, m *scratch) {
	h := w.Header()
	allowOrigin(h)
	h.Set(metadataHeader, proto.LengthHeader{MetadataLen: len(m.ans.Metadata)}.String())
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.Itoa(len(m.ans.Metadata)+len(m.ans.Summary)+len(m.out)))
	s.measures.answered(http.StatusOK)
	m.wire = atOnce(w, r, m.wire, func() {
		_, _ = io.WriteString(w, m.ans.Metadata)
		_, _ = w.Write(m.ans.Summary)
		_, _ = w.Write(m.out)
	})
}
