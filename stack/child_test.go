package stack

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Every thread of a child has the slack, for it is inherited.
func TestChildrenHaveTimerSlack(t *testing.T) {
	t.Parallel()
	cat, err := exec.LookPath("cat")
	if err != nil {
		t.Skip(err)
	}
	said, deaths := make(chan string, 10), make(chan *DiedError, 1)
	c := &child{
		program: program{
			name: "cat", path: cat, orphaned: syscall.SIGKILL,
			args: func() []string { return []string{"/proc/self/timerslack_ns"} },
		},
		grace: time.Second, emit: func(line []byte) { said <- string(line) },
		ops: make(chan func()), quit: make(chan struct{}),
		deaths: deaths, done: make(chan struct{}),
	}
	go c.run()
	var started error
	if err := c.do(func() { started = c.start() }); err != nil || started != nil {
		t.Fatal(err, started)
	}
	died := <-deaths // as cat does; what it said is out by then
	select {
	case line := <-said:
		if strings.TrimSpace(line) != "50000000" {
			t.Errorf("the child's timer slack is %s ns, want 50 ms", line)
		}
	default:
		t.Error(died)
	}
	close(c.quit)
	<-c.done
}
