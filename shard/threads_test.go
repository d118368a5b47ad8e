package shard

import (
	"net/http"
	"runtime/pprof"
	"sync"
	"testing"
	"testing/synctest"
)

// Of a thousand singers who come at once as many are in libopus as there are
// tokens; the others wait for one, and cost no thread each.
//
// Not parallel: threads are counted.
func TestBurstWaitsForCoders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const singers = 1000
		b := &stub{clock: now}
		s := newHandlerOnly(b)
		body := sung(t, 10)
		for range cap(s.coders) {
			s.coders <- struct{}{}
		}
		before := pprof.Lookup("threadcreate").Count()
		var all sync.WaitGroup
		for i := range singers {
			all.Go(func() {
				if w := ask(s, http.MethodPost, target(10+i, now, batch, nil), body); w.Code != http.StatusOK {
					t.Errorf("singer %d: %d %s", i, w.Code, w.Body)
				}
			})
		}
		synctest.Wait()
		if n := b.asked(); n != 0 {
			t.Errorf("%d singers were decoded without a token", n)
		}
		for range cap(s.coders) {
			<-s.coders
		}
		all.Wait()
		if n := pprof.Lookup("threadcreate").Count() - before; n > singers/10 {
			t.Errorf("%d threads were made for %d singers", n, singers)
		}
	})
}
