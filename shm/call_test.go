package shm

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"bucketbrigade/proto"
)

// pair opens both sides of a new segment.
func pair(t testing.TB) (server, shard *Segment) {
	t.Helper()
	path := segmentPath(t)
	return mustOpen(t, path, ForServer, 0), mustOpen(t, path, ForShard, 0)
}

func TestRoundTripSizes(t *testing.T) {
	t.Parallel()
	for _, wait := range []Wait{Hybrid, Spin} {
		t.Run(wait.String(), func(t *testing.T) {
			t.Parallel()
			server, shard := pair(t)
			serveEcho(t, wait, server)
			c := NewClient(shard, ClientConfig{Wait: wait, Timeout: 20 * time.Second})
			id := 1
			for n := range 200 {
				if err := checkedCall(c, id, n); err != nil {
					t.Fatal(err)
				}
				id++
			}
			for _, n := range []int{2880, 28800, proto.MaxSamples - 1, proto.MaxSamples, 0, proto.MaxSamples, 1} {
				if err := checkedCall(c, id, n); err != nil {
					t.Fatal(err)
				}
				id++
			}
			if err := checkedCall(c, id, proto.MaxData/4+1); refusalCode(err) != 413 {
				t.Errorf("PCM beyond the data area: %v", err)
			}
			if err := checkedCall(c, id, 1); err != nil {
				t.Errorf("after a request that was too long: %v", err)
			}
		})
	}
}

// The largest JSON either way, beside the largest audio; one byte more is
// refused, by the shard before it writes, by the server in its answer.
func TestRoundTripLargestJSON(t *testing.T) {
	t.Parallel()
	const wrapping = len(`{"query_string":""}`)
	server, shard := pair(t)
	srv, c := NewServer(Hybrid), NewClient(shard, ClientConfig{Timeout: 20 * time.Second})
	if err := srv.Add(server); err != nil {
		t.Fatal(err)
	}
	room := RoomForJSON(0)
	metadata := room - len(`{"x-audio-metadata":""}`)
	for _, over := range []int{0, 1} {
		served := make(chan error, 1)
		go func() {
			var req proto.Request
			turn := srv.Next(time.Now().Add(20 * time.Second))
			err := turn.Request(&req)
			if err == nil && len(req.QueryString) != room-wrapping {
				err = errors.New("query came out cut")
			}
			ans := proto.Answer{Metadata: strings.Repeat("m", metadata+over), Summary: []byte{0, 0}}
			served <- errors.Join(err, turn.Answer(&ans, proto.MaxSamples, func([]float32) {}))
		}()
		req := numbered(1, proto.MaxSamples)
		req.QueryString = strings.Repeat("q", room-wrapping+1)
		var ans proto.Answer
		if err := c.Call(context.Background(), req, &ans); refusalCode(err) != 413 {
			t.Errorf("one byte of JSON too many in a request: %v", err)
		}
		req.QueryString = req.QueryString[1:]
		if err := c.Call(context.Background(), req, &ans); err != nil {
			t.Fatal(err)
		}
		err := <-served
		switch refusal := ans.Refusal(); {
		case over == 0 && (err != nil || refusal != nil || len(ans.Metadata) != metadata || len(ans.PCM) != proto.MaxSamples):
			t.Errorf("the largest answer: server %v, shard %v, %d bytes", err, refusal, len(ans.Metadata))
		case over == 1 && (refusalCode(err) != 413 || refusal == nil || refusal.Code != 500 || !strings.Contains(refusal.Reason, "65473 bytes")):
			t.Errorf("an answer that is too long: server %v, shard %v", err, refusal)
		}
	}
}

// Both sides change one plain variable. The race detector, which is blind to
// mapped memory, complains here unless the turn is a real hand-off in its eyes.
func TestHandOffIsSeenByRaceDetector(t *testing.T) {
	t.Parallel()
	const calls = 300
	shared := 0
	server, shard := pair(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv := NewServer(Hybrid)
		if err := srv.Add(server); err != nil {
			t.Error(err)
		}
		for range calls {
			turn := srv.Next(time.Now().Add(20 * time.Second))
			if turn == nil {
				t.Error("no request in 20 s")
				return
			}
			shared++
			if err := echo(turn, nil); err != nil {
				t.Error(err)
			}
		}
	}()
	c := NewClient(shard, ClientConfig{Timeout: 20 * time.Second})
	for i := range calls {
		shared++
		if err := checkedCall(c, i, 0); err != nil {
			t.Fatal(err)
		}
		if shared != 2*(i+1) {
			t.Fatalf("after %d calls the variable is %d", i+1, shared)
		}
	}
	<-done
}

// Calls of many goroutines go one at a time and none gets another's answer.
func TestManyCallers(t *testing.T) {
	t.Parallel()
	const callers, calls = 8, 150
	server, shard := pair(t)
	serveEcho(t, Hybrid, server)
	c := NewClient(shard, ClientConfig{Timeout: 20 * time.Second})
	errs := make(chan error)
	for k := range callers {
		go func() {
			for i := range calls {
				if err := checkedCall(c, calls*k+i, (37*i)%3000); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range callers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// A context ends the queueing, and only that.
func TestContextEndsQueueing(t *testing.T) {
	t.Parallel()
	server, shard := pair(t)
	c := NewClient(shard, ClientConfig{Timeout: 20 * time.Second})
	first := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		var ans proto.Answer
		if err := c.Call(ctx, numbered(1, 8), &ans); err != nil {
			first <- err
			return
		}
		first <- checkEcho(&ans, 1, 8)
	}()
	until(t, "the first call is written", func() bool { return status(server.word.Load()) == statusRequest })
	second := make(chan error, 1)
	go func() { second <- c.Call(ctx, numbered(2, 8), &proto.Answer{}) }()
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("queued call: %v", err)
	}
	srv := NewServer(Hybrid)
	srv.segs = append(srv.segs, server) // Add would take the request back
	if err := echo(srv.Next(time.Now()), nil); err != nil {
		t.Error(err)
	}
	if err := <-first; err != nil {
		t.Errorf("call under way: %v", err)
	}
}

// An answer that makes no sense is an error of status 502, and the next call is
// fine.
func TestNonsenseAnswers(t *testing.T) {
	t.Parallel()
	good := unpadded(statusAnswer, `{}`, []byte{0, 0})
	tooLong := unpadded(statusAnswer, `{}`, nil)
	tooLong[5], tooLong[6], tooLong[7] = 0x3f, 0x0d, 0x03 // 199 999
	for name, msg := range map[string][]byte{
		"J = 0":            unpadded(statusAnswer, ``, []byte{0, 0}),
		"no JSON":          unpadded(statusAnswer, `hello`, []byte{0, 0}),
		"no object":        unpadded(statusAnswer, `null`, []byte{0, 0}),
		"wrong type":       unpadded(statusAnswer, `{"error": 5}`, []byte{0, 0}),
		"D too large":      tooLong,
		"half a count":     unpadded(statusAnswer, `{}`, []byte{0}),
		"summary cut":      unpadded(statusAnswer, `{}`, []byte{0, 1, 7}),
		"half a sample":    unpadded(statusAnswer, `{}`, []byte{0, 0, 1, 2, 3}),
		"negative clock":   unpadded(statusAnswer, `{"server_clock":-1}`, []byte{0, 0}),
		"span upside down": unpadded(statusAnswer, `{"pcm":[2,1]}`, []byte{0, 0}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := segmentPath(t)
			peer := openRaw(t, path, proto.MaxJSONArea)
			c := NewClient(mustOpen(t, path, ForShard, 0), ClientConfig{Timeout: 20 * time.Second})
			for _, step := range []struct {
				msg  []byte
				code int
			}{{msg, 502}, {good, 0}} {
				done := make(chan error, 1)
				go func() { done <- c.Call(context.Background(), numbered(1, 1), &proto.Answer{}) }()
				until(t, "the request is written", func() bool { return peer.status() == statusRequest })
				peer.put(step.msg)
				if err := <-done; refusalCode(err) != step.code || (err != nil && step.code == 0) {
					t.Errorf("answer % x gives %v, want code %d", step.msg, err, step.code)
				}
			}
		})
	}
}

// A server that takes everything back for ever (it dies at each start, say)
// does not hold a call: once its time is over a request is not written again.
func TestEndlessRestarts(t *testing.T) {
	t.Parallel()
	const calls = 3000
	path := segmentPath(t)
	peer := openRaw(t, path, proto.MaxJSONArea)
	c := NewClient(mustOpen(t, path, ForShard, 0), ClientConfig{Timeout: time.Nanosecond})
	takenBack := 0
	stop := background(t, func() error {
		for range 1000 {
			if peer.status() == statusRequest {
				takenBack++
				peer.word.Store(statusIdle)
			}
		}
		return nil
	})
	for range calls {
		if err := c.Call(context.Background(), numbered(1, 1), &proto.Answer{}); !isAway(err) {
			t.Fatal(err)
		}
	}
	_ = stop()
	if takenBack == 0 || takenBack > 2*calls { // the clock starts with the first look
		t.Errorf("%d requests were written by %d calls", takenBack, calls)
	}
}

// usualCall is what a singer's request and its answer look like when the shard
// has encoded a part of the mix already.
func usualCall(samples int) (*proto.Request, proto.Answer) {
	end := proto.Clock(86400000028800)
	req := &proto.Request{
		QueryString:   "userid=4711&username=Ada%20B&read_clock=86400000028800&n_samples=28800&rms_volume=0.0123457",
		ClientAddress: "192.0.2.1", Session: "cookie:0123456789abcdef0123456789abcdef",
		ReadEnd: &end, Want: &proto.Span{From: end - 11520, To: end}, Held: &proto.Held{Mix: 1001},
		PCM: make([]float32, samples),
	}
	for i := range proto.Clock(6) {
		req.Held.Reads = append(req.Held.Reads, proto.HeldRead{To: end - 28800 + 2880*(i+1), At: end + i})
	}
	return req, proto.Answer{
		Metadata: `{"server_clock":86400000100000,"n_samples":28800,"events":[],"leader":"4711","chats":[["Ada","\"you\""]]}`,
		Clock:    end + 9, Span: &proto.Span{From: end - 14400, To: end}, Mix: 1001, Keep: end - 11520,
		Summary: echoSummary(3),
	}
}

// A call allocates nothing on either side, nor does one that queues, nor
// waiting. Not parallel: the count is the whole process's.
func TestCallsAllocateNothing(t *testing.T) {
	server, shard := pair(t)
	p := newBenchPeer()
	stop := serveInPlace(t, Hybrid, server, p)
	c := NewClient(shard, ClientConfig{Timeout: 20 * time.Second})
	ans := proto.Answer{Scratch: new(proto.Scratch)}
	for _, n := range []int{0, benchSamples, proto.MaxSamples - 200} {
		var req *proto.Request
		req, p.ans = usualCall(n)
		for name, req := range map[string]*proto.Request{"empty": {PCM: req.PCM}, "usual": req} {
			allocs := testing.AllocsPerRun(300, func() {
				if err := c.Call(context.Background(), req, &ans); err != nil || len(ans.PCM) != n || ans.Mix != 1001 {
					t.Fatal(err, len(ans.PCM), ans.Mix)
				}
			})
			if allocs != 0 {
				t.Errorf("a call, %s, with %d samples allocates %v times", name, n, allocs)
			}
		}
	}
	queued := &deadline{within: time.Minute}
	if n := testing.AllocsPerRun(300, func() {
		if err := c.queue(context.Background(), queued); err != nil {
			t.Fatal(err)
		}
		c.turn <- struct{}{}
	}); n != 0 {
		t.Errorf("queueing allocates %v times", n)
	}
	stop()
	idle := NewServer(Hybrid)
	for range 3 {
		seg, _ := pair(t)
		if err := idle.Add(seg); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(20, func() { idle.Next(time.Now().Add(100 * time.Microsecond)) }); n != 0 {
		t.Errorf("waiting in vain on three segments allocates %v times", n)
	}
	c.seg.word.Store(statusRequest)
	if n := testing.AllocsPerRun(20, func() { c.awaitNot(statusRequest, &deadline{within: 100 * time.Microsecond}) }); n != 0 {
		t.Errorf("waiting in vain for an answer allocates %v times", n)
	}
}

// A message that its reader does not see, or a wake that is lost, costs a whole
// sleep of 100 ms. Both sides think for random times around the length of a
// spin, so that every order of setting the flag, publishing and going to sleep
// occurs. Not parallel: it needs both cores.
func TestNoWakeIsLost(t *testing.T) {
	const calls, slow = 8000, 60 * time.Millisecond
	server, shard := pair(t)
	others, _ := pair(t)
	for _, segs := range [][]*Segment{{server}, {server, others}} {
		srv := NewServer(Hybrid)
		srv.segs = segs
		srv.sleeper.most = spinLeast // or nobody ever slept
		rnd := rand.New(rand.NewPCG(1, 1))
		var empty proto.Answer
		stop := background(t, func() error {
			turn := srv.Next(time.Now().Add(time.Second))
			if turn == nil {
				return nil
			}
			think(rnd)
			return turn.Answer(&empty, 0, nil)
		})
		c := NewClient(shard, ClientConfig{Timeout: 20 * time.Second})
		c.sleeper.most = spinLeast
		own := rand.New(rand.NewPCG(2, 2))
		lost := 0
		for range calls {
			begin := time.Now()
			if err := c.Call(context.Background(), &proto.Request{}, &proto.Answer{}); err != nil {
				t.Fatal(err)
			}
			if time.Since(begin) > slow {
				lost++
			}
			think(own)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		t.Logf("%d segments: %d of %d calls are slow", len(segs), lost, calls)
		if lost > 2 { // a machine may stop for a moment on its own
			t.Errorf("with %d segments %d of %d calls took more than %v", len(segs), lost, calls, slow)
		}
		if !srv.sleeper.shortUntil.IsZero() || !c.sleeper.shortUntil.IsZero() {
			t.Errorf("with %d segments a message was found by time-out: server %v, shard %v",
				len(segs), srv.sleeper.shortUntil, c.sleeper.shortUntil)
		}
	}
}

// think spends 0 to 20 µs.
func think(rnd *rand.Rand) {
	for end := time.Now().Add(time.Duration(rnd.IntN(20000))); time.Now().Before(end); {
		runtime.Gosched()
	}
}
