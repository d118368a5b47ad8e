package e2e

import (
	"testing"
	"time"

	"bucketbrigade/internal/cputime"
	"bucketbrigade/stack"
	"bucketbrigade/stack/stacktest"
)

// A brigade in which nobody sings uses less than a hundredth of a processor in each
// of its programs, by what the kernel counts. Whoever else is at work on the machine
// may make one stretch dear; a program that is never at rest is so in each.
func TestIdleBrigadeIsAtRest(t *testing.T) {
	t.Parallel()
	const (
		stretch = 5 * time.Second
		most    = stretch / 100
		tries   = 3
	)
	s := stacktest.Start(t, stack.Config{Shards: 2})
	programs := []string{stack.StateServer, "shard-01", "shard-02"}
	used := func() (all [3]time.Duration) {
		for i, name := range programs {
			pid, err := s.Pid(name)
			if err != nil {
				t.Fatal(err)
			}
			if all[i], err = cputime.Of(pid); err != nil {
				t.Fatal(err)
			}
		}
		return all
	}
	<-time.After(time.Second) // what a start has left to do
	least := [3]time.Duration{stretch, stretch, stretch}
	for n := range tries {
		before := used()
		<-time.After(stretch)
		restless := false
		for i, now := range used() {
			least[i] = min(least[i], now-before[i])
			restless = restless || least[i] >= most
			t.Logf("%s took %v of %v, %.2f %%", programs[i], now-before[i], stretch, 100*float64(now-before[i])/float64(stretch))
			if n == tries-1 && least[i] >= most {
				t.Errorf("%s takes %v of each %v though nobody sings, less than %v is right", programs[i], least[i], stretch, most)
			}
		}
		if !restless {
			return
		}
	}
}
