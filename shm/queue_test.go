package shm

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"bucketbrigade/proto"
)

// BenchmarkQueue has goroutines of one shard call at once, with audio each way,
// each with some work of its own (100 µs) between calls: "us/op" is the time from
// one call to the next of all, "p50-us" and "p99-us" are how long a call takes,
// queueing included. One alone tells how long the segment is taken for.
func BenchmarkQueue(b *testing.B) {
	for _, callers := range []int{1, 2, 4, 16, 64} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			r := newRig(b, Hybrid, benchSamples)
			took := make(chan []float64)
			each := b.N/callers + 1
			begin := time.Now()
			for range callers {
				go func() { took <- r.callAndWork(each) }()
			}
			var all []float64
			for range callers {
				all = append(all, <-took...)
			}
			r.server.kill()
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(time.Since(begin).Microseconds())/float64(len(all)), "us/op")
			slices.Sort(all)
			b.ReportMetric(all[len(all)/2]/1000, "p50-us")
			b.ReportMetric(all[len(all)*99/100]/1000, "p99-us")
		})
	}
}

// callAndWork makes n calls with work in between and gives how long each call
// took, in ns.
func (r *rig) callAndWork(n int) []float64 {
	req, ans := numbered(1, benchSamples), proto.Answer{Scratch: new(proto.Scratch)}
	took := make([]float64, 0, n)
	for range n {
		begin := time.Now()
		if err := r.client.Call(context.Background(), req, &ans); err != nil {
			r.b.Error(err)
			break
		}
		end := time.Now()
		took = append(took, float64(end.Sub(begin)))
		for time.Since(end) < 100*time.Microsecond {
		}
	}
	return took
}
