package load

import (
	"testing"
	"testing/synctest"
	"time"
)

// Each bell rings at its time, however often it was moved before, and once.
func TestAlarm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAlarm(newGoTimer())
		defer a.close()
		start := time.Now()
		for i := range 100 {
			go func() {
				b := newBell()
				for round := range 5 {
					want := time.Since(start) + time.Duration(1+(i*37+round*11)%100)*time.Millisecond
					a.set(b, start.Add(want+time.Hour))
					a.set(b, start.Add(want/2))
					if i%2 == 0 { // it rings meanwhile, and nobody listens
						<-time.After(time.Until(start.Add(want/2)) + time.Microsecond)
					}
					a.set(b, start.Add(want))
					<-b.C
					if rung := time.Since(start); rung != want {
						t.Errorf("bell %d rings at %v, set to %v", i, rung, want)
					}
				}
				<-time.After(2 * time.Hour)
				if len(b.C) > 0 {
					t.Errorf("bell %d rings once more", i)
				}
			}()
		}
		<-time.After(3 * time.Hour)
		synctest.Wait()
	})
}

// What is due already rings at once.
func TestAlarmOfThePast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAlarm(newGoTimer())
		defer a.close()
		b, start := newBell(), time.Now()
		a.set(b, start.Add(-time.Second))
		<-b.C
		if late := time.Since(start); late > time.Microsecond {
			t.Errorf("rings after %v", late)
		}
	})
}

// The kernel's timer, in time that passes: an earlier time replaces a later one
// while somebody waits, and closing ends the waiting.
func TestKernelTimer(t *testing.T) {
	t.Parallel()
	timer, err := newKernelTimer()
	if err != nil {
		t.Fatal(err)
	}
	a := newAlarm(timer)
	late, soon, start := newBell(), newBell(), time.Now()
	a.set(late, start.Add(time.Hour))
	a.set(soon, start.Add(5*time.Millisecond))
	<-soon.C
	if took := time.Since(start); took < 5*time.Millisecond {
		t.Errorf("rings after %v, set to 5 ms", took)
	}
	a.close()
	if len(late.C) > 0 {
		t.Error("the bell of in an hour has rung")
	}
}

// However an alarm is closed, its timer is not touched afterwards: its number may
// be that of another file by then.
func TestAlarmClosesInTheMiddle(t *testing.T) {
	t.Parallel()
	for range 200 {
		timer, err := newKernelTimer()
		if err != nil {
			t.Fatal(err)
		}
		a := newAlarm(timer)
		for i := range 20 {
			a.set(newBell(), time.Now().Add(time.Duration(i)*10*time.Microsecond))
		}
		a.close()
		a.set(newBell(), time.Now())
	}
}
