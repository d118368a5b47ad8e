package shm

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"bucketbrigade/proto"
)

// DefaultTimeout is how long a call waits for the state server: long enough for
// it to be restarted, short enough to answer the singer within 3 s.
const DefaultTimeout = 2 * time.Second

// ClientConfig says how a client calls. The zero value is good.
type ClientConfig struct {
	// Wait is how it waits for the answer.
	Wait Wait
	// Timeout bounds one call, queueing included; DefaultTimeout if 0.
	Timeout time.Duration
}

// Client is a shard's side of a segment. Its methods may be called by many
// goroutines; calls go through one at a time.
type Client struct {
	seg     *Segment
	timeout time.Duration
	turn    chan struct{} // holds a token while nobody calls

	// Below: owned by whoever holds the token.
	sleeper sleeper
	json    []byte // scratch for JSON out and in
	closed  bool
}

// NewClient takes over a segment that was opened ForShard.
func NewClient(seg *Segment, cfg ClientConfig) *Client {
	if seg.role != ForShard {
		panic("shm: a client on the server's side of a segment")
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	c := &Client{seg: seg, timeout: cfg.Timeout, turn: make(chan struct{}, 1)}
	c.sleeper.wait = cfg.Wait
	c.turn <- struct{}{}
	return c
}

// errAway is what a call gets when nobody answers.
func (c *Client) errAway() error {
	return proto.Refuse(503, "the state server does not answer on segment %s; try again soon", c.seg.name)
}

// Call sends req and reads the answer into ans; the memory of ans.PCM and
// ans.Summary is used again. What the server refuses is in ans. An error means
// that there is no answer: a *proto.Refusal of status 503 after the time-out,
// 413 if the request does not fit, 502 if the answer makes no sense. ctx ends
// only the queueing: a request once written is waited for.
func (c *Client) Call(ctx context.Context, req *proto.Request, ans *proto.Answer) error {
	end := time.Now().Add(c.timeout)
	if err := c.acquire(ctx, end); err != nil {
		return err
	}
	defer func() { c.turn <- struct{}{} }()
	// A request that nobody waits for any more may still stand here: it is the
	// server's turn until it says otherwise, and its answer is not ours.
	if _, ok := c.awaitNot(statusRequest, end); !ok {
		return c.errAway()
	}
	sent := *req
	for {
		if err := c.write(&sent); err != nil {
			return err
		}
		word, ok := c.awaitNot(statusRequest, end)
		if !ok {
			return c.errAway()
		}
		if status(word) == statusAnswer {
			return c.readAnswer(word, ans)
		}
		// A server started and cleared the segment: it has not seen this
		// request, or its predecessor died over it.
		if !time.Now().Before(end) {
			return c.errAway()
		}
		sent.Again = true
	}
}

// acquire takes the token.
func (c *Client) acquire(ctx context.Context, end time.Time) error {
	select {
	case <-c.turn: // mostly nobody else calls, and this needs no timer
	default:
		timer := time.NewTimer(time.Until(end))
		defer timer.Stop()
		select {
		case <-c.turn:
		case <-timer.C:
			return c.errAway()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if c.closed {
		c.turn <- struct{}{}
		return errors.New("shm: call on a closed client")
	}
	return nil
}

// write publishes req.
func (c *Client) write(req *proto.Request) error {
	c.json = proto.AppendRequestJSON(c.json[:0], req)
	pcm := floatBytes(req.PCM)
	word, data, err := c.seg.place(statusRequest, c.json, 0, len(pcm))
	if err != nil {
		return err
	}
	copy(data, pcm)
	c.seg.publish(word)
	return nil
}

// awaitNot waits until the status is not st; ok is false if it still is at end.
func (c *Client) awaitNot(st byte, end time.Time) (word uint32, ok bool) {
	now := time.Now()
	for spin := c.sleeper.spinLimit(now, end); ; now = time.Now() {
		for range spinsPerLook {
			if word = c.seg.load(statusAnswer); status(word) != st {
				return word, true
			}
		}
		if !now.Before(spin) {
			break
		}
	}
	for ; ; now = time.Now() {
		c.seg.ownSleeps().Store(asleep)
		word = c.seg.load(statusAnswer)
		if status(word) != st || !now.Before(end) {
			break
		}
		err := futexWait(c.seg.word, word, c.sleeper.sleepLimit(now, end))
		if errors.Is(err, unix.ETIMEDOUT) && status(c.seg.word.Load()) != st && c.seg.uncalled() {
			c.sleeper.foundByTimeout(time.Now())
		}
	}
	c.seg.ownSleeps().Store(awake)
	return word, status(word) != st
}

// readAnswer copies the answer out of the segment.
func (c *Client) readAnswer(word uint32, ans *proto.Answer) error {
	summary, pcm := ans.Summary[:0], ans.PCM[:0]
	m, err := c.seg.read(word)
	if err == nil {
		// The parser reads its input more than once, a peer could change it
		// meanwhile: it gets a copy.
		c.json = append(c.json[:0], m.json...)
		err = proto.ParseAnswerJSON(c.json, ans)
	}
	if err == nil && len(m.data) > 0 {
		summary, pcm, err = splitData(summary, pcm, m.data)
	}
	if err != nil {
		return proto.Refuse(502, "the state server's answer makes no sense: %v", err)
	}
	ans.Summary, ans.PCM = summary, pcm
	return nil
}

// splitData copies an answer's data into its two parts.
func splitData(summary []byte, pcm []float32, data []byte) ([]byte, []float32, error) {
	s, rest, err := proto.CutSummary(data)
	if err != nil {
		return nil, nil, err
	}
	if len(rest)%4 != 0 {
		return nil, nil, proto.Refuse(502, "%d bytes of PCM are no whole number of samples", len(rest))
	}
	n := len(rest) / 4
	if cap(pcm) < n {
		pcm = make([]float32, n)
	}
	pcm = pcm[:n]
	copy(floatBytes(pcm), rest)
	return append(summary, s...), pcm, nil
}

// Close waits for the call under way and unmaps the segment.
func (c *Client) Close() error {
	<-c.turn
	c.closed = true
	err := c.seg.Close()
	c.turn <- struct{}{}
	return err
}
