package shard

import (
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"bucketbrigade/internal/measure"
	"bucketbrigade/proto"
)

// measures are what a shard counts of its work, in atomic words: a request adds
// a microsecond by it.
type measures struct {
	// requests are singers' requests, from all of them being here to their answer
	// being written; decode and encode the work in libopus of one of them.
	requests, decode, encode measure.Histogram

	byCode  [len(codes) + 1]atomic.Int64
	desyncs [len(desyncs) + 1]atomic.Int64
	odd     [len(oddNames)]atomic.Int64
}

// unanswered is the code of a request whose connection was closed instead of an
// answer.
const unanswered = 0

// codes are the statuses that are counted by themselves.
var codes = [...]int{
	unanswered, http.StatusOK, http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
	http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusTooManyRequests, http.StatusInternalServerError,
	http.StatusBadGateway, http.StatusServiceUnavailable,
}

// answered counts an answer by its status.
func (m *measures) answered(code int) {
	for i, c := range codes {
		if c == code {
			m.byCode[i].Add(1)
			return
		}
	}
	m.byCode[len(codes)].Add(1) // of a foreign state server
}

// refused counts a refusal, and why clocks did not join if that was it.
func (m *measures) refused(r *proto.Refusal) {
	m.answered(r.Code)
	if r.Code == http.StatusConflict {
		m.desyncs[desyncOf(r.Reason)].Add(1)
	}
}

// desyncs are the reasons for a 409, and what its text has, be it ours or the
// state server's.
var desyncs = [...]struct{ reason, text string }{
	{"missing", "what comes before did not arrive"},
	{"repeated", "heard already is everything before"},
	{"gap", "the audio before ended at"},
	{"gap_at_state", "samples off the last"},
	{"too_old", "reaches back to"},
}

func desyncOf(text string) int {
	for i, d := range desyncs {
		if strings.Contains(text, d.text) {
			return i
		}
	}
	return len(desyncs)
}

// What can be odd about time.
const (
	lateAnswer = iota
	slowCall
	clockJump
)

// oddNames are what operators are told.
var oddNames = [...]string{lateAnswer: "late_answer", slowCall: "slow_call", clockJump: "clock_jump"}

const (
	// lateAfter is how long a singer's request may take: the next is due then.
	lateAfter = 600 * time.Millisecond
	// jump is how far the server clock may be off what was thought.
	jump = 100 * time.Millisecond
)

// request judges how long a singer's request took.
func (m *measures) request(took time.Duration, t *tally) {
	if took > lateAfter {
		m.oddTiming(lateAnswer, took, t)
	}
}

// oddTiming counts something odd, d being how odd.
func (m *measures) oddTiming(what int, d time.Duration, t *tally) {
	m.odd[what].Add(1)
	t.odd(what, d)
}

// takeCoder waits for a coder's token, and gives the time from which on it is had.
func (s *Server) takeCoder() (since time.Time) {
	s.coders <- struct{}{}
	return time.Now()
}

// leaveCoder gives the token back, and counts how long it was had.
func (s *Server) leaveCoder(h *measure.Histogram, since time.Time) {
	h.Since(since)
	<-s.coders
}
