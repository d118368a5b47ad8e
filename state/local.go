package state

import (
	"context"
	"net/http"
	"strings"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/shm"
)

// Local is the state in the same process: a shard's backend without shared
// memory, for small set-ups. The limits are those of a segment. One goroutine,
// Run's, owns the brigade; calls wait for it.
type Local struct {
	engine *engine
	window
	jsonRoom int
	calls    chan call
	timeout  time.Duration
}

type call struct {
	req  *proto.Request
	ans  *proto.Answer
	done chan struct{}
}

// NewLocal makes a state; it answers while Run runs, and must be closed. An error
// names the setting that makes no sense.
func NewLocal(s Settings) (*Local, error) {
	e, err := newEngine(s, "")
	if err != nil {
		return nil, err
	}
	area := s.JSONArea
	if area == 0 {
		area = proto.MaxJSONArea
	}
	return &Local{
		engine:   e,
		window:   newWindow(),
		jsonRoom: shm.RoomForJSON(area),
		calls:    make(chan call),
		timeout:  shm.DefaultTimeout,
	}, nil
}

// Run serves calls until ctx ends.
func (l *Local) Run(ctx context.Context) error {
	defer l.engine.start(ctx)()
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case c := <-l.calls:
			l.serve(c)
		case answer := <-l.asks:
			answer <- l.engine.telemetry()
		case <-tick.C:
			l.engine.tick()
		case <-ctx.Done():
			return nil
		}
	}
}

// Stats gives what operators are told; any goroutine may ask.
func (l *Local) Stats() Stats { return l.engine.stats() }

// Close gives the ring up. Run must have ended, or never have begun.
func (l *Local) Close() error { return l.engine.close() }

func (l *Local) serve(c call) {
	summary, pcm := c.ans.Summary[:0], c.ans.PCM[:0]
	n := l.engine.handle(c.req, c.ans)
	// The brigade uses its memory again.
	summary = append(summary, c.ans.Summary...)
	c.ans.Metadata = strings.Clone(c.ans.Metadata)
	if c.ans.Span != nil {
		c.ans.Span = new(*c.ans.Span)
	}
	if cap(pcm) < n {
		pcm = make([]float32, n)
	}
	c.ans.Summary, c.ans.PCM = summary, pcm[:n]
	if n > 0 {
		l.engine.mix(c.ans.PCM)
	}
	close(c.done)
}

// Call carries req out, as shard.Backend says.
func (l *Local) Call(ctx context.Context, req *proto.Request, ans *proto.Answer) error {
	if err := l.checkSize(req); err != nil {
		return err
	}
	c := call{req, ans, make(chan struct{})}
	timer := time.NewTimer(l.timeout)
	defer timer.Stop()
	select {
	case l.calls <- c:
		<-c.done
		return nil
	case <-timer.C:
		return proto.Refuse(http.StatusServiceUnavailable, "the state does not answer; try again soon")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// keysRoom is more than the keys and numbers of a request's JSON take.
const keysRoom = 512

// checkSize refuses what would not fit a segment.
func (l *Local) checkSize(req *proto.Request) error {
	size := len(req.QueryString) + len(req.ClientAddress) + len(req.Session) + len(req.ControlSecret) + len(req.Nonce) +
		len(req.Upload)
	if req.Lyrics != nil {
		size += len(*req.Lyrics)
	}
	if size > (l.jsonRoom-keysRoom)/6 { // escapes can make it six times as long: look closely
		size = len(proto.AppendRequestJSON(nil, req))
	}
	if size > l.jsonRoom {
		return proto.Refuse(http.StatusRequestEntityTooLarge, "json too long: %d bytes, at most %d are taken", size, l.jsonRoom)
	}
	if d := 4 * len(req.PCM); d > proto.MaxData {
		return proto.Refuse(http.StatusRequestEntityTooLarge, "data too long: %d bytes, at most %d are taken", d, proto.MaxData)
	}
	return proto.CheckLyrics(req.Lyrics)
}
