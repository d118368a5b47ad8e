package shm

import (
	"context"
	"errors"
	"sync"
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
	timers  sync.Pool     // of *time.Timer, stopped

	// Below: owned by whoever holds the token.
	sleeper sleeper
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
	c.sleeper = newSleeper(cfg.Wait)
	c.turn <- struct{}{}
	return c
}

// errAway is what a call gets when nobody answers.
func (c *Client) errAway() error {
	return proto.Refuse(503, "the state server does not answer on segment %s; try again soon", c.seg.name)
}

// usualJSON is more than the JSON of a request is long that brings no lyrics.
const usualJSON = 1024

// Call sends req and reads the answer into ans; the memory of ans.PCM and
// ans.Summary is used again, and ans.Scratch if there is one: then a call
// allocates nothing. What the server refuses is in ans. An error means that
// there is no answer: a *proto.Refusal of status 503 after the time-out, 413 if
// the request does not fit, 502 if the answer makes no sense. ctx ends only the
// queueing: a request once written is waited for.
//
// Others wait while audio is copied and while the server works, not while JSON
// is written and read.
func (c *Client) Call(ctx context.Context, req *proto.Request, ans *proto.Answer) error {
	end := deadline{within: c.timeout}
	var room [usualJSON]byte
	json := proto.AppendRequestJSON(room[:0], req)
	var got copied
	if err := c.exchange(ctx, &end, json, req, ans, &got); err != nil {
		return err
	}
	return got.fill(ans)
}

// exchange sends a request and copies the answer out of the segment, into the
// memory of ans.
func (c *Client) exchange(ctx context.Context, end *deadline, json []byte, req *proto.Request, ans *proto.Answer, got *copied) error {
	if err := c.acquire(ctx, end); err != nil {
		return err
	}
	defer c.release()
	// A request that nobody waits for any more may still stand here: it is the
	// server's turn until it says otherwise, and its answer is not ours.
	if status(c.seg.load(statusAnswer)) == statusRequest {
		if _, ok := c.awaitNot(statusRequest, end); !ok {
			return c.errAway()
		}
	}
	for {
		woken, err := c.write(json, req.PCM)
		if err != nil {
			return err
		}
		c.sleeper.peerSlept = woken
		word, ok := c.awaitNot(statusRequest, end)
		if !ok {
			return c.errAway()
		}
		if status(word) == statusAnswer {
			return got.copyOut(c.seg, word, ans)
		}
		// A server started and cleared the segment: it has not seen this
		// request, or its predecessor died over it.
		if end.over(time.Now()) {
			return c.errAway()
		}
		again := *req
		again.Again = true
		json = proto.AppendRequestJSON(json[:0], &again)
	}
}

// acquire takes the token.
func (c *Client) acquire(ctx context.Context, end *deadline) error {
	select {
	case <-c.turn: // mostly nobody else calls, and this needs no timer
	default:
		if err := c.queue(ctx, end); err != nil {
			return err
		}
	}
	if c.closed {
		c.release()
		return errors.New("shm: call on a closed client")
	}
	return nil
}

// queue waits for the token.
func (c *Client) queue(ctx context.Context, end *deadline) error {
	timer, _ := c.timers.Get().(*time.Timer)
	if timer == nil {
		timer = time.NewTimer(end.left(time.Now()))
	} else {
		timer.Reset(end.left(time.Now()))
	}
	defer func() {
		timer.Stop()
		c.timers.Put(timer)
	}()
	select {
	case <-c.turn:
		return nil
	case <-timer.C:
		return c.errAway()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// release gives the token to who has queued longest, if anybody does.
func (c *Client) release() { c.turn <- struct{}{} }

// write publishes a request and tells whether the server had to be woken.
func (c *Client) write(json []byte, samples []float32) (woken bool, err error) {
	pcm := floatBytes(samples)
	word, data, err := c.seg.place(statusRequest, json, 0, len(pcm))
	if err != nil {
		return false, err
	}
	copy(data, pcm)
	return c.seg.publish(word), nil
}

// awaitNot waits until the status is not st; ok is false if it still is at end.
func (c *Client) awaitNot(st byte, end *deadline) (word uint32, ok bool) {
	for range c.sleeper.glances() {
		if word = c.seg.load(statusAnswer); status(word) != st {
			c.sleeper.note(0)
			return word, true
		}
	}
	begin := time.Now()
	now := begin
	for spin := c.sleeper.spinLimit(now, end.at(now)); now.Before(spin); now = time.Now() {
		for range spinsPerLook {
			if word = c.seg.load(statusAnswer); status(word) != st {
				c.sleeper.note(now.Sub(begin))
				return word, true
			}
		}
	}
	for ; ; now = time.Now() {
		c.seg.ownSleeps().Store(asleep)
		word = c.seg.load(statusAnswer)
		if status(word) != st || end.over(now) {
			break
		}
		err := futexWait(c.seg.word, word, c.sleeper.sleepLimit(now, end.at(now)))
		if errors.Is(err, unix.ETIMEDOUT) && status(c.seg.word.Load()) != st && c.seg.uncalled() {
			c.sleeper.foundByTimeout(time.Now())
		}
	}
	c.seg.ownSleeps().Store(awake)
	c.sleeper.note(now.Sub(begin))
	return word, status(word) != st
}

// Close waits for the call under way and unmaps the segment.
func (c *Client) Close() error {
	<-c.turn
	c.closed = true
	err := c.seg.Close()
	c.release()
	return err
}
