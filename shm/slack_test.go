package shm

import (
	"errors"
	"runtime"
	"testing"
	"time"
)

// Short sleeps are exact, and the thread is as before afterwards.
func TestShortSleepsAreExact(t *testing.T) {
	t.Parallel()
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	for _, c := range []struct{ own, inside time.Duration }{
		{20 * time.Millisecond, exactSlack},
		{exactSlack, exactSlack},
		{time.Microsecond, time.Microsecond},
	} {
		setTimerSlack(c.own)
		var inside time.Duration
		want := errors.New("of the sleep")
		err := exactly(func() (err error) {
			if inside, err = timerSlack(); err != nil {
				t.Fatal(err)
			}
			return want
		})
		after, _ := timerSlack()
		if err != want || inside != c.inside || after != c.own {
			t.Errorf("slack %v: %v inside, want %v; %v afterwards; %v", c.own, inside, c.inside, after, err)
		}
	}
}
