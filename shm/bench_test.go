package shm

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"bucketbrigade/proto"
)

// BenchmarkCall is one round trip, JSON included: empty, and with 28 800 samples
// (115 200 bytes) each way; with the server in another process and in this one.
func BenchmarkCall(b *testing.B) {
	for _, wait := range []Wait{Hybrid, Spin} {
		for _, n := range []int{0, 28800} {
			size := map[int]string{0: "/empty", 28800: "/28800samples"}[n]
			b.Run("two processes/"+wait.String()+size, func(b *testing.B) {
				path := segmentPath(b)
				server := ready(b, "bench", wait.String(), path)
				seg := mustOpen(b, path, ForShard, 0)
				benchmarkCalls(b, seg, wait, n)
				server.kill()
				_ = seg.Close()
			})
			b.Run("one process/"+wait.String()+size, func(b *testing.B) {
				server, shard := pair(b)
				stop := serveInPlace(b, wait, server)
				benchmarkCalls(b, shard, wait, n)
				stop()
				_ = shard.Close()
			})
		}
	}
}

func benchmarkCalls(b *testing.B, seg *Segment, wait Wait, n int) {
	c := NewClient(seg, ClientConfig{Wait: wait, Timeout: 20 * time.Second})
	req, ans := numbered(1, n), proto.Answer{}
	if err := c.Call(context.Background(), req, &ans); err != nil {
		b.Fatal(err)
	}
	if len(ans.PCM) != n {
		b.Fatalf("%d samples, want %d", len(ans.PCM), n)
	}
	b.SetBytes(int64(8 * n))
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Call(context.Background(), req, &ans); err != nil {
			b.Fatal(err)
		}
	}
}

// answerInPlace serves one request, if one comes soon, with as much audio and
// touches every sample.
func answerInPlace(srv *Server) error {
	turn := srv.Next(time.Now().Add(10 * time.Millisecond))
	if turn == nil {
		return nil
	}
	var req proto.Request
	ans := proto.Answer{Metadata: "{}", Summary: []byte{0, 0}}
	return errors.Join(turn.Request(&req), turn.Answer(&ans, len(req.PCM), func(dst []float32) {
		for i := range dst {
			dst[i] = 0.5
		}
	}))
}

// serveInPlace repeats answerInPlace until stopped.
func serveInPlace(t testing.TB, wait Wait, seg *Segment) (stop func()) {
	srv := NewServer(wait)
	if err := srv.Add(seg); err != nil {
		t.Fatal(err)
	}
	end := background(t, func() error { return answerInPlace(srv) })
	return func() {
		if err := end(); err != nil {
			t.Error(err)
		}
		_ = srv.Close()
	}
}

// childBench: WAIT PATH answers in place until it is killed.
func childBench(args []string) error {
	wait, err := ParseWait(args[0])
	if err != nil {
		return err
	}
	seg, err := Open(args[1], ForServer, 0)
	if err != nil {
		return err
	}
	srv := NewServer(wait)
	if err := srv.Add(seg); err != nil {
		return err
	}
	fmt.Println("ready")
	for {
		if err := answerInPlace(srv); err != nil {
			return err
		}
	}
}

// BenchmarkTurn is the turn alone, without JSON: what the waiting costs.
func BenchmarkTurn(b *testing.B) {
	for _, wait := range []Wait{Hybrid, Spin} {
		b.Run(wait.String(), func(b *testing.B) {
			server, shard := pair(b)
			srv := NewServer(wait)
			if err := srv.Add(server); err != nil {
				b.Fatal(err)
			}
			stop := background(b, func() error {
				if turn := srv.Next(time.Now().Add(time.Millisecond)); turn != nil {
					turn.seg.publish(firstWord(statusAnswer, 2, '{'))
				}
				return nil
			})
			c := NewClient(shard, ClientConfig{Wait: wait})
			for b.Loop() {
				shard.publish(firstWord(statusRequest, 2, '{'))
				if _, ok := c.awaitNot(statusRequest, time.Now().Add(20*time.Second)); !ok {
					b.Fatal("no answer")
				}
			}
			_ = stop()
		})
	}
}
