package shm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bucketbrigade/proto"
)

// againClock is the clock in an echo of a request that was marked "again".
const againClock = proto.Clock(7)

// echo answers a turn with its own query string as metadata, its PCM negated,
// (all samples must be the same),
// and a summary of as many (blank) users as there are samples, modulo 4, so that
// the place of the PCM varies.
func echo(turn *Turn, during func(req *proto.Request, dst []float32)) error {
	var req proto.Request
	if err := turn.Request(&req); err != nil {
		var ans proto.Answer
		ans.SetRefusal(proto.AsRefusal(err))
		return errors.Join(err, turn.Answer(&ans, 0, nil))
	}
	pcm := append([]float32(nil), req.PCM...)
	for _, x := range pcm {
		if x != pcm[0] {
			return fmt.Errorf("request %q holds samples %v and %v", req.QueryString, pcm[0], x)
		}
	}
	ans := proto.Answer{Metadata: req.QueryString, Summary: echoSummary(len(pcm))}
	if req.Again {
		ans.Clock = againClock
	}
	return turn.Answer(&ans, len(pcm), func(dst []float32) {
		if during != nil {
			during(&req, dst)
		}
		for i, x := range pcm {
			dst[i] = -x
		}
	})
}

func echoSummary(samples int) []byte {
	users := min(samples%4, (proto.MaxData-proto.SummaryHeader-4*samples)/proto.SummaryRecord)
	s := proto.AppendSummaryHeader(nil, users)
	for range users {
		s = proto.AppendSummaryUser(s, &proto.SummaryUser{Name: "singer"})
	}
	return s
}

// numbered makes a request of n samples that carries id everywhere.
func numbered(id, n int) *proto.Request {
	req := &proto.Request{QueryString: strconv.Itoa(id), PCM: make([]float32, n)}
	for i := range req.PCM {
		req.PCM[i] = float32(id)
	}
	return req
}

// checkEcho tells what is wrong with the answer to numbered(id, n).
func checkEcho(ans *proto.Answer, id, n int) error {
	if r := ans.Refusal(); r != nil {
		return fmt.Errorf("request %d is refused: %w", id, r)
	}
	if ans.Metadata != strconv.Itoa(id) {
		return fmt.Errorf("the answer to request %d is that to %s", id, ans.Metadata)
	}
	if len(ans.PCM) != n || string(ans.Summary) != string(echoSummary(n)) {
		return fmt.Errorf("the answer to request %d has %d samples behind a summary of %d bytes, want %d behind %d",
			id, len(ans.PCM), len(ans.Summary), n, len(echoSummary(n)))
	}
	for i, x := range ans.PCM {
		if x != -float32(id) {
			return fmt.Errorf("sample %d of %d in the answer to request %d is %v", i, n, id, x)
		}
	}
	return nil
}

// checkedCall sends numbered(id, n) and checks the answer.
func checkedCall(c *Client, id, n int) error {
	var ans proto.Answer
	if err := c.Call(context.Background(), numbered(id, n), &ans); err != nil {
		return err
	}
	return checkEcho(&ans, id, n)
}

// readAnswer is what a call does with its answer.
func readAnswer(seg *Segment, word uint32, ans *proto.Answer) error {
	var got copied
	if err := got.copyOut(seg, word, ans); err != nil {
		return err
	}
	return got.fill(ans)
}

// isAway tells whether err says that nobody answered in time.
func isAway(err error) bool { return refusalCode(err) == 503 }

// serveEcho runs a server over the given segments in a goroutine until the test
// ends (or stop is called) and then closes it.
func serveEcho(t testing.TB, wait Wait, segs ...*Segment) (stop func()) {
	t.Helper()
	srv := NewServer(wait)
	for _, s := range segs {
		if err := srv.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-quit:
				return
			default:
			}
			if turn := srv.Next(time.Now().Add(20 * time.Millisecond)); turn != nil {
				_ = echo(turn, nil) // the shard hears of errors, in the answer
			}
		}
	}()
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			close(quit)
			<-done
			if err := srv.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(stop)
	return stop
}

// childServe: WAIT PATH... echoes until it is killed. A request "die" that is
// not marked "again" kills it half-way through its answer.
func childServe(args []string) error {
	wait, err := ParseWait(args[0])
	if err != nil {
		return err
	}
	srv := NewServer(wait)
	for _, path := range args[1:] {
		seg, err := Open(path, ForServer, 0)
		if err == nil {
			err = srv.Add(seg)
		}
		if err != nil {
			return err
		}
	}
	fmt.Println("ready")
	for {
		turn := srv.Next(time.Now().Add(time.Second))
		if turn == nil {
			continue
		}
		if err := echo(turn, dieOnRequest); err != nil {
			fmt.Println("error:", err)
		}
	}
}

func dieOnRequest(req *proto.Request, dst []float32) {
	if req.QueryString == "die" && !req.Again {
		for i := range dst[:len(dst)/2] {
			dst[i] = 99
		}
		_ = unix.Kill(os.Getpid(), unix.SIGKILL)
		select {}
	}
}

// childCall: PATH FIRST SEED SAMPLES TIMEOUT makes calls numbered from FIRST on,
// of up to SAMPLES samples (all of SAMPLES if it is negative), and prints "ok",
// "away" or what went wrong for each.
func childCall(args []string) error {
	seg, err := Open(args[0], ForShard, 0)
	if err != nil {
		return err
	}
	var num [3]int
	for i := range num {
		if num[i], err = strconv.Atoi(args[1+i]); err != nil {
			return err
		}
	}
	timeout, err := time.ParseDuration(args[4])
	if err != nil {
		return err
	}
	rnd := rand.New(rand.NewPCG(uint64(num[1]), 1))
	c := NewClient(seg, ClientConfig{Timeout: timeout})
	out := bufio.NewWriter(os.Stdout)
	fmt.Fprintln(out, "ready")
	for id := num[0]; ; id++ {
		n := -num[2]
		if n < 0 {
			n = rnd.IntN(num[2] + 1)
		}
		switch err := checkedCall(c, id, n); {
		case err == nil:
			fmt.Fprintln(out, "ok")
		case isAway(err):
			fmt.Fprintln(out, "away")
		default:
			fmt.Fprintln(out, "error:", err)
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
}
