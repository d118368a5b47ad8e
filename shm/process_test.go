package shm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"bucketbrigade/proto"
)

// Not parallel: two processes that spin need the cores for themselves.
func TestTwoProcesses(t *testing.T) {
	for _, wait := range []Wait{Hybrid, Spin} {
		path := segmentPath(t)
		server := ready(t, "serve", wait.String(), path)
		c := NewClient(mustOpen(t, path, ForShard, 0), ClientConfig{Wait: wait, Timeout: 20 * time.Second})
		for id := range 300 {
			if err := checkedCall(c, id, id*163%proto.MaxSamples); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Open(path, ForServer, 0); err == nil {
			t.Error("a second server, in another process, is let in")
		}
		server.kill()
	}
}

// The state server is killed: calls fail within their time-out. It is started
// again: calls go through, with no help and no trace of the abandoned one.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	const timeout = 150 * time.Millisecond
	path := segmentPath(t)
	look := openRaw(t, path, proto.MaxJSONArea)
	c := NewClient(mustOpen(t, path, ForShard, 0), ClientConfig{Timeout: timeout})
	for round := range 3 {
		server := ready(t, "serve", "hybrid", path)
		until(t, "a call goes through", func() bool {
			err := checkedCall(c, 10*round, 2880)
			if err != nil && !isAway(err) {
				t.Fatal(err)
			}
			return err == nil
		})
		server.kill()
		for k := range 2 { // the second one finds the first one's request
			begin := time.Now()
			err := checkedCall(c, 10*round+1+k, 2880)
			if took := time.Since(begin); !isAway(err) || took < timeout || took > timeout+5*time.Second {
				t.Errorf("without a server: %v after %v", err, took)
			}
		}
		if look.status() != statusRequest {
			t.Errorf("status %d: the second call touched a segment that was the server's", look.status())
		}
	}
}

// A request that waits while the server is restarted is answered by the new
// one and is marked; so is one whose server died half-way through the answer.
func TestRequestOutlivesServer(t *testing.T) {
	t.Parallel()
	path := segmentPath(t)
	look := openRaw(t, path, proto.MaxJSONArea)
	c := NewClient(mustOpen(t, path, ForShard, 0), ClientConfig{Timeout: 20 * time.Second})
	call := func(req *proto.Request) chan error {
		done := make(chan error, 1)
		go func() {
			var ans proto.Answer
			err := c.Call(context.Background(), req, &ans)
			if err == nil && (ans.Clock != againClock || ans.Metadata != req.QueryString || len(ans.PCM) != len(req.PCM)) {
				err = fmt.Errorf("answer %q to %q, clock %d, %d samples", ans.Metadata, req.QueryString, ans.Clock, len(ans.PCM))
			}
			for i, x := range ans.PCM {
				if err == nil && x != -req.PCM[i] {
					err = fmt.Errorf("sample %d is %v, not %v", i, x, -req.PCM[i])
				}
			}
			if err == nil && req.Again {
				err = fmt.Errorf("the caller's request was changed")
			}
			done <- err
		}()
		until(t, "the request is written", func() bool { return look.status() == statusRequest })
		return done
	}

	waiting := call(numbered(1, 28800))
	server := ready(t, "serve", "hybrid", path)
	if err := <-waiting; err != nil {
		t.Error(err)
	}

	req := numbered(2, proto.MaxSamples)
	req.QueryString = "die"
	waiting = call(req)
	if sig := server.wait(); sig != 9 {
		t.Fatalf("server ended by signal %v, not in the middle of its answer", sig)
	}
	if look.status() != statusRequest || !torn(look) {
		t.Fatalf("status %d, torn %v: the server did not die over its answer", look.status(), torn(look))
	}
	server = ready(t, "serve", "hybrid", path)
	if err := <-waiting; err != nil {
		t.Error(err)
	}
	server.kill()
}

// torn tells whether the audio of two messages of MaxSamples samples of one
// value each stands in the segment.
func torn(r *raw) bool {
	const from, samples = 1024, proto.MaxSamples - 1024
	pcm, _ := floats(r.mem[from : from+4*samples])
	for _, x := range pcm {
		if x != pcm[0] && x != 0 {
			return true
		}
	}
	return false
}

// Shards are killed at random moments, some in the middle of writing a request.
// The server goes on serving another segment as if nothing was, and the next
// shard on the same segment has its calls answered.
func TestShardKilled(t *testing.T) {
	t.Parallel()
	const kills, wantTorn, maxKills = 40, 3, 600
	killed, steady := segmentPath(t), segmentPath(t)
	look := openRaw(t, killed, proto.MaxJSONArea)
	ready(t, "serve", "hybrid", killed, steady)

	c := NewClient(mustOpen(t, steady, ForShard, 0), ClientConfig{Timeout: 20 * time.Second})
	calls := 0
	stop := background(t, func() error {
		calls++
		return checkedCall(c, calls, 240*(calls%13))
	})

	rnd := rand.New(rand.NewPCG(11, 0))
	count, tornSeen := 0, 0
	for ; count < kills || tornSeen < wantTorn; count++ {
		if count == maxKills {
			t.Fatalf("of %d kills only %d fell into the writing of a request", count, tornSeen)
		}
		shard := ready(t, "write", killed)
		if line := shard.line(); line != "ok" {
			t.Fatalf("shard %d: %s", count, line)
		}
		for end := time.Now().Add(time.Duration(rnd.IntN(1_000_000))); time.Now().Before(end); {
			runtime.Gosched()
		}
		shard.kill()
		until(t, "no request stands there", func() bool { return look.status() != statusRequest })
		if torn(look) {
			tornSeen++
		}
	}
	if err := stop(); err != nil {
		t.Errorf("the other segment: %v", err)
	}
	if calls < count {
		t.Errorf("only %d calls on the other segment beside %d kills", calls, count)
	}
	t.Logf("%d kills, %d torn requests, %d calls on the other segment", count, tornSeen, calls)
}

// background repeats step in a goroutine until it fails, stop is called or the
// test ends.
func background(t testing.TB, step func() error) (stop func() error) {
	quit, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-quit:
				done <- nil
				return
			default:
			}
			if err := step(); err != nil {
				done <- err
				return
			}
		}
	}()
	stop = sync.OnceValue(func() error {
		close(quit)
		return <-done
	})
	t.Cleanup(func() { _ = stop() })
	return stop
}

// childWrite: PATH writes the largest requests, by the same steps as a call but
// the copying slow, so that a random moment is likely to fall into it. It
// reports the first answer.
func childWrite(args []string) error {
	seg, err := Open(args[0], ForShard, 0)
	if err != nil {
		return err
	}
	c := NewClient(seg, ClientConfig{})
	req, ans := numbered(1, proto.MaxSamples), proto.Answer{}
	json, pcm := proto.AppendRequestJSON(nil, req), floatBytes(req.PCM)
	fmt.Println("ready")
	for n := 0; ; n++ {
		end := &deadline{within: 20 * time.Second}
		if _, ok := c.awaitNot(statusRequest, end); !ok {
			return c.errAway()
		}
		word, data, err := seg.place(statusRequest, json, 0, len(pcm))
		if err != nil {
			return err
		}
		for at := 0; at < len(pcm); at += 512 {
			copy(data[at:], pcm[at:min(at+512, len(pcm))])
			runtime.Gosched()
		}
		seg.publish(word)
		word, ok := c.awaitNot(statusRequest, end)
		if !ok {
			return c.errAway()
		}
		if err := readAnswer(c.seg, word, &ans); err != nil {
			return err
		}
		if err := checkEcho(&ans, 1, len(req.PCM)); err != nil {
			return err
		}
		if n == 0 {
			fmt.Println("ok")
		}
	}
}
