package shm

import (
	"context"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"bucketbrigade/proto"
)

func TestParseWait(t *testing.T) {
	t.Parallel()
	for _, w := range []Wait{Hybrid, Spin} {
		if got, err := ParseWait(w.String()); got != w || err != nil {
			t.Errorf("%q is read as %v, %v", w, got, err)
		}
	}
	for _, s := range []string{"", "Hybrid", "sleep"} {
		if _, err := ParseWait(s); err == nil {
			t.Errorf("%q is accepted", s)
		}
	}
}

func TestSleeper(t *testing.T) {
	t.Parallel()
	now := time.Now()
	far := now.Add(time.Hour)
	s := newSleeper(Spin)
	if got := s.spinLimit(now, far); got != far {
		t.Errorf("spin mode spins until %v", got.Sub(now))
	}
	s.wait, s.alone = Hybrid, false
	if got := s.sleepLimit(now, far); got != 100*time.Millisecond {
		t.Errorf("sleep of %v", got)
	}
	if got := s.sleepLimit(now, now.Add(5)); got != 5 {
		t.Errorf("sleep of %v beyond the end", got)
	}
	s.foundByTimeout(now)
	if a, b := s.sleepLimit(now.Add(9999*time.Millisecond), far), s.sleepLimit(now.Add(10*time.Second), far); a != time.Millisecond || b != 100*time.Millisecond {
		t.Errorf("after a message without a wake: sleeps of %v for ten seconds, then of %v", a, b)
	}
}

// A side spins twice as long as it has waited lately, up to a limit; beyond
// that not at all, but now and then to try.
func TestSpinningFollowsTheWaits(t *testing.T) {
	t.Parallel()
	now := time.Now()
	far := now.Add(time.Hour)
	const us = time.Microsecond
	s := newSleeper(Hybrid)
	s.alone = false
	// wait is a wait that takes so long; it gives for how long it is spun.
	wait := func(took time.Duration) time.Duration {
		spins := s.spinLimit(now, far).Sub(now)
		s.note(took)
		return spins
	}
	waits := func(n int, took time.Duration) {
		for range n {
			wait(took)
		}
	}
	if got := wait(10 * us); got != spinLeast {
		t.Errorf("at first it spins for %v", got)
	}
	waits(50, 10*us)
	if got := wait(time.Hour); got < 20*us || got > 25*us {
		t.Errorf("after waits of 10 µs it spins for %v", got)
	}
	if got := wait(40 * us); got != spinMost {
		t.Errorf("after a single long wait it spins for %v", got)
	}
	waits(50, 60*us)
	tries := 0
	for range 10_000 {
		switch wait(60 * us) {
		case 0:
		case spinMost:
			tries++
		default:
			t.Fatal("a try is shorter than it may be")
		}
	}
	if tries < 35 || tries > 45 {
		t.Errorf("in 10 000 waits of 60 µs it tries %d times", tries)
	}
	for n := 0; wait(20*us) == 0; n++ {
		if n > probeLast {
			t.Fatal("waits have become short, and it never tries")
		}
	}
	waits(50, 20*us)
	if got := wait(20 * us); got < 45*us || got >= spinMost {
		t.Errorf("after waits of 20 µs it spins for %v", got)
	}
	s.peerSlept = true
	before := s.mean
	if got := wait(time.Hour); got != 0 || s.mean != before {
		t.Errorf("for a peer that was asleep it spins for %v, and means %v instead of %v", got, s.mean, before)
	}
	s.peerSlept = false
	if s.alone = true; wait(0) != 0 || s.glances() != 1 {
		t.Error("with one processor it spins")
	}
}

// unwokenServer puts a request in front of a sleeping server without waking it
// and gives the time until it is found.
func unwokenServer(t *testing.T, srv *Server, peer *raw) time.Duration {
	t.Helper()
	found := make(chan bool, 1)
	go func() {
		turn := srv.Next(time.Now().Add(20 * time.Second))
		if turn != nil {
			_ = echo(turn, nil)
		}
		found <- turn != nil
	}()
	until(t, "the server is going to sleep", func() bool { return peer.serverSleeps() == asleep })
	begin := time.Now()
	peer.put(unpadded(statusRequest, "{}", nil))
	if !<-found {
		t.Fatal("a request without a wake is never found")
	}
	return time.Since(begin)
}

// untilShort repeats step, which gives how long a message without a wake lay
// there, until the sleeper knows. A message may come just before the sleep; the
// first one that is slept through must be enough.
func untilShort(t *testing.T, s *sleeper, step func() time.Duration) {
	t.Helper()
	for range 5000 {
		took := step()
		switch {
		case took > 5*time.Second:
			t.Fatalf("a message without a wake is found after %v", took)
		case !s.shortUntil.IsZero():
			return
		case took > 80*time.Millisecond:
			t.Fatalf("after a message that was found after %v sleeps are still long", took)
		}
	}
	t.Fatal("no message was slept through")
}

// A shard that never wakes anybody is found within a long sleep, and from then
// on within a short one; with one segment, with several, and without
// futex_waitv.
func TestServerFindsShardThatNeverWakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		segments int
		noWaitv  bool
	}{"one": {1, false}, "three": {3, false}, "no futex_waitv": {3, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, peers := rawServer(t, c.segments)
			srv.noWaitv = c.noWaitv
			peer := peers[c.segments-1]
			untilShort(t, &srv.sleeper, func() time.Duration { return unwokenServer(t, srv, peer) })
			begin := time.Now()
			for range 40 {
				unwokenServer(t, srv, peer)
			}
			if took := time.Since(begin); took > 2*time.Second {
				t.Errorf("40 requests without a wake took %v: sleeps are not short", took)
			}
		})
	}
}

// A server that never wakes anybody, likewise.
func TestShardFindsServerThatNeverWakes(t *testing.T) {
	t.Parallel()
	path := segmentPath(t)
	peer := openRaw(t, path, proto.MaxJSONArea)
	c := NewClient(mustOpen(t, path, ForShard, 0), ClientConfig{Timeout: 20 * time.Second})
	call := func() time.Duration {
		done := make(chan error, 1)
		go func() { done <- c.Call(context.Background(), numbered(1, 1), &proto.Answer{}) }()
		until(t, "the shard is going to sleep", func() bool {
			return peer.status() == statusRequest && peer.shardSleeps() == asleep
		})
		begin := time.Now()
		peer.put(unpadded(statusAnswer, "{}", []byte{0, 0}))
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		return time.Since(begin)
	}
	untilShort(t, &c.sleeper, call)
	begin := time.Now()
	for range 40 {
		call()
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("40 answers without a wake took %v: sleeps are not short", took)
	}
}

// A request that came between the last look and the setting of the flag was
// published to a server that seemed awake, so nobody wakes it: it must look
// again before it sleeps.
func TestServerLooksAgainBeforeSleep(t *testing.T) {
	t.Parallel()
	for _, segments := range []int{1, 3} {
		srv, peers := rawServer(t, segments)
		peers[segments-1].put(unpadded(statusRequest, "{}", nil))
		now := time.Now()
		if timedOut := srv.sleep(now, now.Add(20*time.Second)); timedOut {
			t.Errorf("%d segments: the server slept beside a request", segments)
		}
		for _, p := range peers {
			if p.serverSleeps() != asleep {
				t.Errorf("%d segments: flag %d during the sleep", segments, p.serverSleeps())
			}
		}
		if srv.Next(time.Now()) == nil {
			t.Errorf("%d segments: no turn", segments)
		}
	}
}

// Without futex_waitv all segments are served by shards that do wake.
func TestWithoutWaitv(t *testing.T) {
	t.Parallel()
	srv := NewServer(Hybrid)
	srv.noWaitv = true
	var clients []*Client
	for range 3 {
		server, shard := pair(t)
		if err := srv.Add(server); err != nil {
			t.Fatal(err)
		}
		clients = append(clients, NewClient(shard, ClientConfig{Timeout: 20 * time.Second}))
	}
	const rounds = 20
	done := make(chan error, 1)
	go func() {
		for range rounds * len(clients) {
			turn := srv.Next(time.Now().Add(20 * time.Second))
			if turn == nil {
				break
			}
			if err := echo(turn, nil); err != nil {
				done <- err
			}
		}
		close(done)
	}()
	for id := range rounds * len(clients) {
		if err := checkedCall(clients[id%len(clients)], id, 10); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if !srv.noWaitv {
		t.Error("the server tried futex_waitv again")
	}
}

// A wait that the kernel does not know, or does not allow, ends in the fallback
// and not in a loop: here it is futex_waitv with a flag that no kernel has.
func TestUnknownWaitvFallsBack(t *testing.T) {
	t.Parallel()
	srv, _ := rawServer(t, 2)
	for _, seg := range srv.segs {
		w := newWaiter(seg.word, 0)
		w.flags = 1 << 30
		srv.waiters = append(srv.waiters, w)
	}
	if err := srv.wait(time.Second); err == nil || !srv.noWaitv {
		t.Errorf("wait gives %v and the server goes on with futex_waitv", err)
	}
}

// In short sleeps, a message that comes just after a sleep ran out was not
// written by somebody who does not wake. If it were taken for that, the short
// sleeps would sustain themselves for as long as anybody sings. (A few may be:
// a writer that loses the processor between its store and its mark.)
func TestShortSleepsEnd(t *testing.T) {
	t.Parallel()
	const calls, few = 1000, 3
	server, shard := pair(t)
	srv := NewServer(Hybrid)
	if err := srv.Add(server); err != nil {
		t.Fatal(err)
	}
	short := time.Now().Add(time.Hour)
	wrong := make(chan int, 1)
	go func() {
		n := 0
		for range calls {
			srv.sleeper.shortUntil = short
			turn := srv.Next(time.Now().Add(20 * time.Second))
			if turn == nil {
				t.Error("no request in 20 s")
				break
			}
			if err := echo(turn, nil); err != nil {
				t.Error(err)
			}
			if srv.sleeper.shortUntil != short {
				n++
			}
		}
		wrong <- n
	}()
	c := NewClient(shard, ClientConfig{Timeout: 20 * time.Second})
	rnd := rand.New(rand.NewPCG(3, 3))
	for id := range calls {
		if err := checkedCall(c, id, 0); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(time.Duration(rnd.IntN(2_000_000))); time.Now().Before(end); {
			runtime.Gosched()
		}
	}
	n := <-wrong
	t.Logf("%d of %d", n, calls)
	if n > few {
		t.Errorf("%d of %d messages with a wake are taken for messages without", n, calls)
	}
}
