package shard

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"bucketbrigade/proto"
)

const (
	// clockPatience is how long a clock request waits for a state server that was
	// never heard of.
	clockPatience = 2 * time.Second
	// spreadOver is how long those who had to wait for the clock are answered one by
	// one: a browser that has it records, and asks 600 ms later and every 600 ms from
	// then on. Who gets it in the same moment as others stays in step with them.
	spreadOver = 600 * time.Millisecond
	// queueFor is how long after its start a shard takes clock requests for some that
	// have waited in the queue of its socket.
	queueFor = 250 * time.Millisecond
)

// takesOver notes that the shard begins to serve a socket that may have a queue.
func (s *Server) takesOver() {
	if !s.roster.youngUntil.IsZero() {
		s.queueUntil = time.Now().Add(queueFor)
	}
}

// clock tells the server clock. Anything but 200 stops a client for good, so
// without a clock the connection is closed and the client tries again.
//
// A client takes the clock it is told for that of the middle between its question and
// our answer. Half of the time that we keep it waiting is therefore taken off: asked at
// clock 1 000 000 and answered a second later, it is told 1 024 000, makes 1 048 000 of
// it, and is right.
func (s *Server) clock(w http.ResponseWriter, r *http.Request) {
	asked := s.time.boot()
	identify(w, r)
	now, ok := s.clockForCrowd(r.Context())
	if !ok {
		s.measures.answered(unanswered)
		panic(http.ErrAbortHandler)
	}
	s.answered(w)
	h := w.Header()
	allowOrigin(h)
	setMetadata(h, proto.ClockHeader{
		ServerClock:      now.Add(-proto.DurationSamples(s.time.boot()-asked) / 2),
		ServerSampleRate: proto.SampleRate,
		ServerVersion:    s.cfg.Version,
		ServerBranch:     s.cfg.Branch,
	})
	h.Set("Content-Type", "application/octet-stream")
	_, _ = w.Write([]byte("ok"))
}

// clockForCrowd gives the server clock, to each at a moment of his own if there may
// be many who have waited for it; false if there is none or nobody waits any more.
func (s *Server) clockForCrowd(ctx context.Context) (proto.Clock, bool) {
	if now, ok := s.clockAtOnce(); ok {
		return now, true
	}
	patient, cancel := context.WithTimeout(ctx, clockPatience)
	defer cancel()
	if _, ok := s.time.now(patient); !ok {
		return 0, false
	}
	select {
	case <-time.After(rand.N(spreadOver)):
		return s.time.estimate()
	case <-ctx.Done():
		return 0, false
	}
}

// clockAtOnce gives the server clock if it is known and nobody can have waited for it.
func (s *Server) clockAtOnce() (proto.Clock, bool) {
	now, ok := s.time.estimate()
	return now, ok && !time.Now().Before(s.queueUntil)
}
