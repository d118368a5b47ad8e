package stack

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// program says how a child is started and how it is seen to be ready.
type program struct {
	name string
	path string
	args func() []string // asked at each start
	// orphaned is the signal that the child gets if we are gone. SIGKILL is
	// surest; a child with children of its own needs one that it can pass on.
	orphaned syscall.Signal
	// ready is looked for in the lines of the child; nil does not wait for any.
	ready *regexp.Regexp
	// probe is asked, with the groups of ready, until it gives no error.
	probe func(ctx context.Context, groups []string) error
}

// DiedError reports a child that ended without being asked to.
type DiedError struct {
	Name string
	Pid  int
	Err  error    // nil for exit status 0
	Tail []string // its last lines, at most 20
}

func (e *DiedError) Error() string {
	how := "exit status 0"
	if e.Err != nil {
		how = e.Err.Error()
	}
	text := fmt.Sprintf("%s (pid %d) ended by itself: %s", e.Name, e.Pid, how)
	if len(e.Tail) == 0 {
		return text + "; it had printed nothing"
	}
	return text + "; its last lines:\n    " + strings.Join(e.Tail, "\n    ")
}

func (e *DiedError) Unwrap() error { return e.Err }

// process is one life of a child.
type process struct {
	cmd    *exec.Cmd
	lines  *lineLog
	exited chan struct{} // closed after err is set and the last line is out
	err    error
}

// died describes the end of p; p must have exited.
func (p *process) died(name string) *DiedError {
	return &DiedError{Name: name, Pid: p.cmd.Process.Pid, Err: p.err, Tail: p.lines.tail()}
}

// signal sends sig to p and all its descendants: each child leads a process
// group. A group that is gone is no error.
func (p *process) signal(sig syscall.Signal) { _ = syscall.Kill(-p.cmd.Process.Pid, sig) }

// reap waits for the end of p. While p is a zombie its pid cannot be given to
// another process, so that is the moment to end what p may have left behind.
func (p *process) reap() {
	for {
		err := unix.Waitid(unix.P_PID, p.cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	p.signal(syscall.SIGKILL)
	p.err = p.cmd.Wait()
	p.lines.end()
	close(p.exited)
}

// child is one program through all its lives. The goroutine run owns it.
type child struct {
	// parameters
	program
	grace time.Duration
	emit  func(line []byte)

	// state, run's alone
	life *process // nil while down

	// in
	ops  chan func() // each is carried out by run
	quit chan struct{}
	// out
	deaths chan<- *DiedError
	done   chan struct{}
}

// run carries out what is asked of the child until quit is closed, then stops
// it. It never unlocks its thread, so that the thread ends with it.
func (c *child) run() {
	runtime.LockOSThread()
	defer close(c.done)
	for {
		var exited chan struct{}
		if c.life != nil {
			exited = c.life.exited
		}
		select {
		case op := <-c.ops:
			op()
		case <-exited:
			died := c.life.died(c.name)
			c.life = nil
			select {
			case c.deaths <- died:
			default: // the stack is stopping already: the first death counts
			}
		case <-c.quit:
			c.stop()
			return
		}
	}
}

// do has run carry out op and waits for it.
func (c *child) do(op func()) error {
	finished := make(chan struct{})
	select {
	case c.ops <- func() { defer close(finished); op() }:
		<-finished
		return nil
	case <-c.done:
		return errStopped
	}
}

// timerSlack is how late a child's timers may be. Go's runtime has a thread that
// looks after the others every 20 µs while any of them works, which a program
// that works in bursts of milliseconds pays with a tenth of its time; with slack
// the kernel wakes it less often. Waking by data, or by a futex, is not slower.
const timerSlack = 50 * time.Millisecond

// start begins a new life. Called by run.
func (c *child) start() error {
	if c.life != nil {
		return fmt.Errorf("%s runs already", c.name)
	}
	p := &process{
		cmd:    exec.Command(c.path, c.args()...),
		lines:  newLineLog(c.ready, c.emit),
		exited: make(chan struct{}),
	}
	p.cmd.Stdout, p.cmd.Stderr = p.lines, p.lines
	// A group of its own: Ctrl-C at a terminal is for us, who stop in order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: c.orphaned}
	// A descendant that left the group may hold the pipe: do not wait for it.
	p.cmd.WaitDelay = time.Second
	// Inherited by the child: this thread is the one that forks.
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(timerSlack), 0, 0, 0); err != nil {
		return fmt.Errorf("%s: timer slack: %w", c.name, err)
	}
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	c.life = p
	go p.reap()
	return nil
}

// stop ends the child's life, kindly at first. Called by run.
func (c *child) stop() {
	if c.life == nil {
		return
	}
	// To the child alone: it knows best how its own children should end.
	_ = c.life.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.NewTimer(c.grace)
	defer timer.Stop()
	select {
	case <-c.life.exited:
	case <-timer.C:
		c.emit(fmt.Appendf(nil, "still running %v after SIGTERM: killed", c.grace))
		c.kill()
	}
	c.life = nil
}

// kill ends the child's life at once, its descendants' too. Called by run.
func (c *child) kill() {
	c.life.signal(syscall.SIGKILL)
	<-c.life.exited
	c.life = nil
}

// probeEvery is the pause between two looks at whether a child is ready.
const probeEvery = 10 * time.Millisecond

// waitReady waits until the life p of c is ready, or has ended, or ctx has.
func (c *child) waitReady(ctx context.Context, p *process) error {
	var groups []string
	if c.ready != nil {
		select {
		case groups = <-p.lines.matched:
		case <-p.exited:
			return p.died(c.name)
		case <-ctx.Done():
			return fmt.Errorf("%s has printed no line like %q: %w", c.name, c.ready, context.Cause(ctx))
		}
	}
	if c.probe == nil {
		return nil
	}
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		err := c.probe(ctx, groups)
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return p.died(c.name)
		case <-ctx.Done():
			return fmt.Errorf("%s does not get ready: %w (%w)", c.name, err, context.Cause(ctx))
		case <-tick.C:
		}
	}
}
