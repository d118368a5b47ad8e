package shm

import (
	"context"
	"testing"
	"time"

	"bucketbrigade/proto"
)

// BenchmarkCall is one round trip inside of one process, for the profiler: empty,
// and with 28 800 samples (115 200 bytes) each way.
func BenchmarkCall(b *testing.B) {
	for _, wait := range []Wait{Hybrid, Spin} {
		for _, n := range []int{0, benchSamples} {
			size := map[int]string{0: "/empty", benchSamples: "/28800samples"}[n]
			b.Run(wait.String()+size, func(b *testing.B) {
				server, shard := pair(b)
				stop := serveInPlace(b, wait, server, newBenchPeer())
				benchmarkCalls(b, shard, wait, n)
				stop()
				_ = shard.Close()
			})
		}
	}
}

func benchmarkCalls(b *testing.B, seg *Segment, wait Wait, n int) {
	c := NewClient(seg, ClientConfig{Wait: wait, Timeout: 20 * time.Second})
	req, ans := numbered(1, n), proto.Answer{Scratch: new(proto.Scratch)}
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

// serveInPlace serves as p does until stopped.
func serveInPlace(t testing.TB, wait Wait, seg *Segment, p *benchPeer) (stop func()) {
	srv := NewServer(wait)
	if err := srv.Add(seg); err != nil {
		t.Fatal(err)
	}
	end := background(t, func() error { return p.serve(srv) })
	return func() {
		if err := end(); err != nil {
			t.Error(err)
		}
		_ = srv.Close()
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
				if _, ok := c.awaitNot(statusRequest, &deadline{within: 20 * time.Second}); !ok {
					b.Fatal("no answer")
				}
			}
			_ = stop()
		})
	}
}
