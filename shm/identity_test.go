package shm

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bucketbrigade/proto"
)

// hardTimes is a segment on which everything goes wrong at once: a server that
// stalls until callers have given up, dies over answers and comes back, and
// generations of shards that are abandoned, closed, opened again and killed.
type hardTimes struct {
	t    *testing.T
	path string
	quit chan struct{}

	ids      atomic.Int64 // the last number given to a call
	gaveUp   sync.Map     // numbers whose caller timed out
	timeouts atomic.Int64 // grows with gaveUp; a stalled server watches it
	closes   atomic.Int64 // generations that ended; so does this

	good, late, again, restarts, kills atomic.Int64
}

// TestAnswersFindTheirCallers sends requests that carry a number of their own
// in JSON and in every sample through hard times: whoever gets an answer must
// get that to its own number. It fails as well if the times were not hard.
func TestAnswersFindTheirCallers(t *testing.T) {
	t.Parallel()
	seed := uint64(20240607)
	t.Logf("seed %d", seed)
	h := &hardTimes{t: t, path: segmentPath(t), quit: make(chan struct{})}
	served := make(chan struct{})
	go func() {
		defer close(served)
		h.serve(rand.New(rand.NewPCG(seed, 0)))
	}()
	rnd := rand.New(rand.NewPCG(seed, 1))
	begin := time.Now()
	for generation := 0; !h.hardEnough(); generation++ {
		if time.Since(begin) > 60*time.Second || t.Failed() {
			break
		}
		if generation%3 == 2 {
			h.killedGeneration(rnd)
		} else {
			h.closedGeneration(rnd.Uint64())
		}
		h.closes.Add(1)
	}
	close(h.quit)
	<-served
	t.Logf("%d good, %d time-outs, %d late answers, %d servers, %d marked again, %d shards killed, in %v",
		h.good.Load(), h.timeouts.Load(), h.late.Load(), h.restarts.Load(), h.again.Load(), h.kills.Load(), time.Since(begin))
	if !h.hardEnough() {
		t.Error("the times were not hard enough to prove anything")
	}
}

func (h *hardTimes) hardEnough() bool {
	return h.good.Load() >= 500 && h.timeouts.Load() >= 30 && h.late.Load() >= 15 &&
		h.restarts.Load() >= 20 && h.again.Load() >= 5 && h.kills.Load() >= 8
}

// closedGeneration opens the segment, lets six goroutines call, and closes it
// under them.
func (h *hardTimes) closedGeneration(seed uint64) {
	seg, err := Open(h.path, ForShard, 0)
	if err != nil {
		h.t.Error(err)
		return
	}
	c := NewClient(seg, ClientConfig{Timeout: 15 * time.Millisecond})
	var callers sync.WaitGroup
	for k := range 6 {
		rnd := rand.New(rand.NewPCG(seed, uint64(k)))
		callers.Go(func() {
			for range 15 {
				h.call(c, rnd)
			}
			if k == 0 { // the others are still at it
				if err := c.Close(); err != nil {
					h.t.Error(err)
				}
			}
		})
	}
	callers.Wait()
}

// call makes one call and accounts for it.
func (h *hardTimes) call(c *Client, rnd *rand.Rand) {
	id := int(h.ids.Add(1))
	err := checkedCall(c, id, rnd.IntN(3000))
	switch {
	case err == nil:
		h.good.Add(1)
	case isAway(err):
		h.gaveUp.Store(id, true)
		h.timeouts.Add(1)
	case err.Error() == "shm: call on a closed client":
	default:
		h.t.Error(err)
	}
}

// killedGeneration is a process that calls and is killed at a random call.
func (h *hardTimes) killedGeneration(rnd *rand.Rand) {
	first := h.ids.Add(1000) - 1000 + 1
	shard := ready(h.t, "call", h.path, fmt.Sprint(first), fmt.Sprint(rnd.IntN(1000)), "3000", "15ms")
	for range 1 + rnd.IntN(30) {
		switch line := shard.line(); line {
		case "ok":
			h.good.Add(1)
		case "away":
			h.timeouts.Add(1)
		default:
			h.t.Error(line)
		}
	}
	shard.kill()
	h.kills.Add(1)
}

// serve answers, stalls, dies and starts again until quit.
func (h *hardTimes) serve(rnd *rand.Rand) {
	for {
		srv := NewServer(Hybrid)
		seg, err := Open(h.path, ForServer, 0)
		if err == nil {
			err = srv.Add(seg)
		}
		if err != nil {
			h.t.Error(err)
			return
		}
		h.restarts.Add(1)
		for dead := false; !dead; {
			select {
			case <-h.quit:
				_ = srv.Close()
				return
			default:
			}
			if turn := srv.Next(time.Now().Add(5 * time.Millisecond)); turn != nil {
				dead = h.answer(turn, rnd)
			}
		}
		if err := srv.Close(); err != nil {
			h.t.Error(err)
		}
	}
}

// answer deals with one turn; it tells whether the server dies over it.
func (h *hardTimes) answer(turn *Turn, rnd *rand.Rand) (dead bool) {
	fate := rnd.IntN(100)
	var id int
	if fate < 25 {
		h.stall(1 + rnd.Int64N(3))
	}
	if fate >= 20 && fate < 35 { // of these a third after a stall
		scribble(turn.seg, rnd)
		return true
	}
	err := echo(turn, func(req *proto.Request, _ []float32) {
		if _, err := fmt.Sscan(req.QueryString, &id); err != nil {
			h.t.Errorf("a request reads %q", req.QueryString)
		}
		if req.Again {
			h.again.Add(1)
		}
	})
	if err != nil {
		h.t.Error(err)
	}
	if _, ok := h.gaveUp.Load(id); ok {
		h.late.Add(1)
	}
	return false
}

// stall waits until n more callers have given up, or a generation has ended.
func (h *hardTimes) stall(n int64) {
	timeouts, closes := h.timeouts.Load()+n, h.closes.Load()
	for h.timeouts.Load() < timeouts && h.closes.Load() == closes {
		select {
		case <-h.quit:
			return
		default:
			runtime.Gosched()
		}
	}
}

// scribble leaves what a server leaves that dies in the middle of an answer.
func scribble(seg *Segment, rnd *rand.Rand) {
	var ans proto.Answer
	ans.Metadata = "half an answer"
	_, data, err := seg.place(statusAnswer, proto.AppendAnswerJSON(nil, &ans), 0, 8000)
	if err != nil {
		panic(errors.Join(errors.New("scribble"), err))
	}
	for i := range data[:rnd.IntN(len(data))] {
		data[i] = 0x55
	}
}
