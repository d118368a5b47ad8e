package shard

import (
	"net/http"
	"runtime"
	"runtime/pprof"
	"sync"
	"testing"

	"bucketbrigade/proto"
)

// A thousand singers who come at once do not cost a thousand threads: as many
// work as there are processors, the others wait without one.
//
// Not parallel: threads are counted.
func TestBurstDoesNotSpawnThreads(t *testing.T) {
	h := newHall(t, nil)
	body := sung(t, 10)
	before := pprof.Lookup("threadcreate").Count()
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range 1000 {
		all.Go(func() {
			<-begin
			read := h.now().Add(-3 * proto.SampleRate)
			if w := ask(h.shard, http.MethodPost, target(10+i, read, batch, nil), body); w.Code != http.StatusOK {
				t.Errorf("singer %d: %d %s", i, w.Code, w.Body)
			}
		})
	}
	close(begin)
	all.Wait()
	if n := pprof.Lookup("threadcreate").Count() - before; n > 4*runtime.GOMAXPROCS(0)+8 {
		t.Errorf("%d threads were made for 1000 singers on %d processors", n, runtime.GOMAXPROCS(0))
	}
}
