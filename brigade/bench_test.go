package brigade

import (
	"fmt"
	"testing"

	"bucketbrigade/proto"
)

// BenchmarkHandle is one request of 600 ms, sung audio both ways, with a song
// on and the user list asked for, in a room of so many.
func BenchmarkHandle(bench *testing.B) {
	for _, people := range []int{60, 1000} {
		bench.Run(fmt.Sprint(people), func(bench *testing.B) {
			const n = 28800
			r := &room{t: bench, b: New(Config{}), now: epoch}
			all := make([]*singer, people)
			for i := range all {
				all[i] = r.join(proto.UserID(i), 3*proto.SampleRate+i%6*3*proto.SampleRate, 57000)
				r.must(all[i].request(n, 0.1, params{"mark_start_singing": "1"}))
				all[i].done(n)
			}
			dst, i := make([]float32, n), 0
			for bench.Loop() {
				s := all[i%people]
				if i%people == 0 {
					r.pass(n)
				}
				bench.StopTimer()
				req := s.request(n, 0.1, listPlease)
				bench.StartTimer()
				r.b.Handle(r.now, req, &r.ans)
				r.b.Mix(dst)
				if r.ans.Error != "" {
					bench.Fatal(r.ans.Error)
				}
				s.done(n)
				i++
			}
		})
	}
}
