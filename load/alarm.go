package load

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// alarm rings many bells, each at its time, with one timer. A timer of Go's for
// each singer would do, but costs twice as much as all the rest of a request:
// whenever the earliest of them is due Go wakes a thread to serve it and another
// one to see that it is served.
//
//	bells  A 1.2 s   B 0.4 s   C 0.9 s      a heap by time: B C A
//	timer  0.4 s: B rings, 0.9 s: C rings, …
//
// One goroutine runs it; set may be called by any.
type alarm struct {
	timer timer
	done  chan struct{}

	mu     sync.Mutex
	bells  bells
	closed bool // the timer is, or will be
}

// timer is what an alarm waits with. set may be called while another goroutine
// waits.
type timer interface {
	set(d time.Duration) // replaces what was set
	wait() bool          // false: closed
	close()
}

// bell is what one goroutine waits for. C gets a value when it rings; until then
// set may move it.
type bell struct {
	C     chan struct{}
	at    time.Time
	index int // in the heap; -1 if not in it
}

func newBell() *bell { return &bell{C: make(chan struct{}, 1), index: -1} }

// newAlarm starts one.
func newAlarm(t timer) *alarm {
	a := &alarm{timer: t, done: make(chan struct{})}
	go func() {
		defer close(a.done)
		for a.ring(time.Now()); a.timer.wait(); a.ring(time.Now()) {
		}
	}()
	return a
}

// close ends it. No bell rings any more.
func (a *alarm) close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.timer.close()
	<-a.done
}

// set has b ring at a time and not before, whatever was set earlier.
func (a *alarm) set(b *bell, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-b.C:
	default:
	}
	if b.index >= 0 && b.at.Equal(at) {
		return
	}
	b.at = at
	if b.index < 0 {
		heap.Push(&a.bells, b)
	} else {
		heap.Fix(&a.bells, b.index)
	}
	if b.index == 0 && !a.closed {
		a.timer.set(time.Until(at))
	}
}

// ring rings what is due, and sets the timer for what is not.
func (a *alarm) ring(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.bells) > 0 && !a.bells[0].at.After(now) {
		b := heap.Pop(&a.bells).(*bell)
		b.C <- struct{}{} // there is room: set has emptied it
	}
	if len(a.bells) > 0 && !a.closed {
		a.timer.set(a.bells[0].at.Sub(now))
	}
}

// bells are a heap: the first is the earliest.
type bells []*bell

func (h bells) Len() int           { return len(h) }
func (h bells) Less(i, j int) bool { return h[i].at.Before(h[j].at) }

func (h bells) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is heap's.
func (h *bells) Push(x any) {
	b := x.(*bell)
	b.index = len(*h)
	*h = append(*h, b)
}

// Pop is heap's.
func (h *bells) Pop() any {
	last := len(*h) - 1
	b := (*h)[last]
	b.index, (*h)[last] = -1, nil
	*h = (*h)[:last]
	return b
}

// kernelTimer is a timer of the kernel's, a file that can be read when it is due:
// to Go's scheduler it is one connection more.
type kernelTimer struct {
	fd   int
	file *os.File
}

func newKernelTimer() (*kernelTimer, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("a timer: %w", err)
	}
	return &kernelTimer{fd, os.NewFile(uintptr(fd), "timer")}, nil
}

func (t *kernelTimer) set(d time.Duration) {
	// A time of 0 would switch it off.
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(max(d.Nanoseconds(), 1))}
	if err := unix.TimerfdSettime(t.fd, 0, &spec, nil); err != nil {
		panic("load: set a timer: " + err.Error()) // never: it is open and the time is valid
	}
}

func (t *kernelTimer) wait() bool {
	var expired [8]byte
	_, err := t.file.Read(expired[:])
	return err == nil && binary.NativeEndian.Uint64(expired[:]) > 0
}

func (t *kernelTimer) close() { _ = t.file.Close() }

// goTimer is one of Go's, for the fake time of tests.
type goTimer struct {
	timer  *time.Timer
	closed chan struct{}
}

func newGoTimer() *goTimer { return &goTimer{time.NewTimer(time.Hour), make(chan struct{})} }

func (t *goTimer) set(d time.Duration) { t.timer.Reset(d) }

func (t *goTimer) wait() bool {
	select {
	case <-t.timer.C:
		return true
	case <-t.closed:
		return false
	}
}

func (t *goTimer) close() { t.timer.Stop(); close(t.closed) }
