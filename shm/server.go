package shm

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"bucketbrigade/proto"
)

// Server is the state server's side of many segments. It belongs to one
// goroutine, which should be locked to its thread: Next sleeps in the kernel.
type Server struct {
	segs    []*Segment
	next    int // where the next scan starts, so that nobody is always first
	sleeper sleeper
	waiters []waiter
	// noWaitv: the kernel has no futex_waitv for us. All segments but one are
	// then polled each millisecond.
	noWaitv bool
	turn    Turn
}

// NewServer makes a server without segments.
func NewServer(wait Wait) *Server {
	return &Server{sleeper: newSleeper(wait)}
}

// Add takes over a segment that was opened ForServer. A request that a former
// server left there is taken back: its shard, if it lives, writes it again.
func (s *Server) Add(seg *Segment) error {
	if seg.role != ForServer {
		panic("shm: a server on the shard's side of a segment")
	}
	if len(s.segs) == maxWaitv {
		return fmt.Errorf("shm: segment %s is one more than the %d that a server can wait for", seg.name, maxWaitv)
	}
	w := seg.word.Load()
	if status(w) == statusRequest {
		seg.publish(firstWord(statusIdle, jsonLen(w), firstByte(w)))
	}
	s.segs = append(s.segs, seg)
	return nil
}

// Remove gives the segment of that name up, closed; false if there is none.
func (s *Server) Remove(name string) bool {
	for i, seg := range s.segs {
		if seg.name == name {
			s.segs = slices.Delete(s.segs, i, i+1)
			s.next = 0
			_ = seg.Close()
			return true
		}
	}
	return false
}

// Segments is how many segments are served.
func (s *Server) Segments() int { return len(s.segs) }

// Close gives up all segments.
func (s *Server) Close() error {
	var errs []error
	for _, seg := range s.segs {
		errs = append(errs, seg.Close())
	}
	s.segs = nil
	return errors.Join(errs...)
}

// Next waits for a request on any segment, at most until end, and gives the
// turn to answer it; nil if none came. The turn is valid until the next call of
// any method of the server.
// Every segment is served once before any is served twice.
func (s *Server) Next(end time.Time) *Turn {
	// A look at many segments takes longer than one at one.
	n := max(1, len(s.segs))
	for range 1 + s.sleeper.glances()/n {
		if t := s.scan(); t != nil {
			s.sleeper.note(0)
			return t
		}
	}
	begin := time.Now()
	now := begin
	for spin := s.sleeper.spinLimit(now, end); now.Before(spin); now = time.Now() {
		for range 1 + spinsPerLook/n {
			if t := s.scan(); t != nil {
				s.sleeper.note(now.Sub(begin))
				return t
			}
		}
	}
	for ; now.Before(end); now = time.Now() {
		if t := s.sleepAndScan(now, end); t != nil {
			s.sleeper.note(time.Since(begin))
			return t
		}
	}
	s.sleeper.note(meanMost)
	return nil
}

// sleepAndScan sleeps once, with the flags set, and gives the turn that it found
// then.
func (s *Server) sleepAndScan(now, end time.Time) *Turn {
	timedOut := s.sleep(now, end)
	t := s.scan()
	if t != nil && timedOut && t.seg.uncalled() {
		s.sleeper.foundByTimeout(time.Now())
	}
	for _, seg := range s.segs {
		seg.ownSleeps().Store(awake)
	}
	return t
}

// scan gives the turn of the first segment with a request.
func (s *Server) scan() *Turn {
	for i := range s.segs {
		k := s.next + i
		if k >= len(s.segs) {
			k -= len(s.segs)
		}
		seg := s.segs[k]
		if w := seg.load(statusRequest); status(w) == statusRequest {
			s.next = k + 1
			if s.next == len(s.segs) {
				s.next = 0
			}
			s.turn.seg, s.turn.word, s.turn.answered = seg, w, false
			return &s.turn
		}
	}
	return nil
}

// sleep sleeps until a shard publishes; it tells whether the time ran out. The
// flags stay set.
func (s *Server) sleep(now, end time.Time) (timedOut bool) {
	for _, seg := range s.segs {
		seg.ownSleeps().Store(asleep)
	}
	s.waiters = s.waiters[:0]
	pending := false
	for _, seg := range s.segs {
		w := seg.word.Load()
		pending = pending || status(w) == statusRequest
		s.waiters = append(s.waiters, newWaiter(seg.word, w))
	}
	return !pending && errors.Is(s.wait(s.sleeper.sleepLimit(now, end)), unix.ETIMEDOUT)
}

// wait sleeps until a word of s.waiters changes, at most for limit.
func (s *Server) wait(limit time.Duration) error {
	switch {
	case len(s.segs) == 0:
		time.Sleep(limit)
		return unix.ETIMEDOUT
	case len(s.segs) == 1:
		return futexWait(s.segs[0].word, uint32(s.waiters[0].val), limit)
	case s.noWaitv:
		return futexWait(s.segs[0].word, uint32(s.waiters[0].val), min(limit, sleepShort))
	}
	err := futexWaitv(s.waiters, limit)
	switch err {
	case nil, unix.ETIMEDOUT, unix.EAGAIN, unix.EINTR:
	default: // ENOSYS of an old kernel; EPERM of a sandbox that does not know the call
		s.noWaitv = true
	}
	return err
}

// Turn is one request and the right to answer it.
type Turn struct {
	seg      *Segment
	word     uint32
	answered bool
	scratch  proto.Scratch // of the request
	json     []byte        // of the answer
	pcm      []float32     // scratch for PCM that does not lie aligned
}

// Segment is the name of the segment.
func (t *Turn) Segment() string { return t.seg.name }

// Request reads the request. req.PCM lies in the segment: it may be changed,
// and it is gone with the answer. The strings of req and what it points to are
// gone with the next request: who keeps one of them keeps a copy. Errors are the
// shard's fault, refusals of status 400 or 413.
func (t *Turn) Request(req *proto.Request) error {
	req.PCM = nil
	m, err := t.seg.read(t.word)
	if err != nil {
		return err
	}
	// The parser reads its input more than once, a peer could change it
	// meanwhile: it gets a copy.
	t.scratch.Load(m.json)
	if err := t.scratch.ParseRequest(req); err != nil {
		return err
	}
	if len(m.data)%4 != 0 {
		return proto.Refuse(400, "segment %s: %d bytes of PCM are no whole number of samples", t.seg.name, len(m.data))
	}
	pcm, aligned := floats(m.data)
	if !aligned {
		t.pcm = append(t.pcm[:0], make([]float32, len(m.data)/4)...)
		copy(floatBytes(t.pcm), m.data)
		pcm = t.pcm
	}
	req.PCM = pcm
	return nil
}

// Answer writes ans over the request, then lets mix fill n samples behind the
// summary, in place, and publishes. An answer that does not fit is replaced by
// a refusal, which is also returned. Every turn is answered once.
func (t *Turn) Answer(ans *proto.Answer, n int, mix func(dst []float32)) error {
	if t.answered {
		panic("shm: a turn answered twice")
	}
	t.json = proto.AppendAnswerJSON(t.json[:0], ans)
	word, data, err := t.seg.place(statusAnswer, t.json, len(ans.Summary), len(ans.Summary)+4*n)
	if err != nil {
		var small proto.Answer
		small.SetRefusal(proto.Refuse(500, "%v", err))
		t.json = proto.AppendAnswerJSON(t.json[:0], &small)
		word, _, _ = t.seg.place(statusAnswer, t.json, 0, 0)
	} else {
		copy(data, ans.Summary)
		if n > 0 {
			pcm, aligned := floats(data[len(ans.Summary):])
			if !aligned {
				panic("shm: a placed answer does not lie aligned")
			}
			mix(pcm)
		}
	}
	t.answered = true
	t.seg.publish(word)
	return err
}
