package shard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"bucketbrigade/proto"
)

// proveEvery is how often a shard proves that it works.
const proveEvery = time.Second / 2

// proveLife calls Beat each time that all a request needs has proved to be there,
// until ctx ends. What hangs hangs this loop, and the beats fail to come.
func (s *Server) proveLife(ctx context.Context) {
	handler := s.Handler()
	tick := time.NewTicker(proveEvery)
	defer tick.Stop()
	for {
		if s.isAlive(ctx, handler) {
			s.cfg.Beat()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// isAlive sends a request through the handlers and takes what a singer's request
// takes: the table of singers, the streams, a coder's token. It asks nobody
// outside of this process: a shard does not die of its state server.
func (s *Server) isAlive(ctx context.Context, handler http.Handler) bool {
	if s.cfg.OwnState {
		var ans proto.Answer
		if s.backend.Call(ctx, &proto.Request{Kind: proto.KindClock}, &ans) != nil {
			return false
		}
	}
	method := http.MethodOptions
	if _, ok := s.clockAtOnce(); ok {
		method = http.MethodGet // answered from our own clock
	}
	r, err := http.NewRequestWithContext(ctx, method, "/", nil)
	if err != nil {
		panic("shard: " + err.Error()) // it is ours
	}
	w := probe{code: http.StatusOK, header: make(http.Header)}
	handler.ServeHTTP(&w, r)
	s.roster.len()
	s.streams.len()
	select {
	case s.coders <- struct{}{}:
		<-s.coders
	case <-ctx.Done():
		return false
	}
	return w.code == http.StatusOK
}

// answered counts an answer, unless it is to a request of our own.
func (s *Server) answered(w http.ResponseWriter) {
	if _, ours := w.(*probe); !ours {
		s.measures.answered(http.StatusOK)
	}
}

// probe takes the answer to a request of our own.
type probe struct {
	header http.Header
	code   int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) WriteHeader(code int)        { p.code = code }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }

// answered is how lately the state server must have answered to count as there.
const answered = 2 * time.Second

// Status says in a few words what the shard does.
func (s *Server) Status() string {
	told := "does not answer"
	if s.StateAnswers() == nil {
		told = "answers"
	}
	stats := s.Stats()
	status := fmt.Sprintf("singers %d, shared streams %d, state server %s", stats.Singers, stats.Streams, told)
	if _, uploads := s.intake.look(); uploads > 0 {
		status += fmt.Sprintf(", uploads under way %d", uploads)
	}
	return status
}

// StateAnswers is nil if the state server has answered within the last two
// seconds; else it tells what is wrong.
func (s *Server) StateAnswers() error {
	last := s.backend.last()
	if last.IsZero() {
		return errors.New("the state server has not answered yet")
	}
	if d := time.Since(last); d > answered {
		return fmt.Errorf("the state server has not answered for %v", d.Round(time.Second/10))
	}
	return nil
}

// Ready is nil if singers are answered and will be; else it tells why not. A shard
// that is to stop is not ready, whomever it still answers.
func (s *Server) Ready() error {
	if stopping, _ := s.intake.look(); stopping {
		return errors.New("the shard is stopping")
	}
	return s.StateAnswers()
}
