package cputime

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// burn works until the thread has used d more.
func burn(d time.Duration) {
	for end := Thread() + d; Thread() < end; {
	}
}

// Not parallel: what others burn would count.
func TestTimeIsCounted(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const work = 30 * time.Millisecond
	thread, process := Thread(), Process()
	of, err := Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	burn(work)
	if d := Thread() - thread; d < work || d > 2*work {
		t.Errorf("the thread used %v, want %v", d, work)
	}
	after, err := Of(os.Getpid())
	if d := after - of; err != nil || d < work {
		t.Errorf("as another would see it the process used %v, want at least %v (%v)", d, work, err)
	}
	if d := Process() - process; d < work || d < after-of {
		t.Errorf("the process used %v, want at least %v and %v", d, work, after-of)
	}
	// A thread that waits uses nothing.
	thread = Thread()
	pause := time.NewTimer(50 * time.Millisecond)
	<-pause.C
	if d := Thread() - thread; d > 20*time.Millisecond {
		t.Errorf("waiting used %v", d)
	}
}

// A shell whose child burns time: the child's counts.
func TestChildrenCount(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("sh", "-c", `exec 3<&0; sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo done; read x' <&3 & wait`)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_, _ = in.Write([]byte("x\n"))
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	}()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "done\n" {
		t.Fatalf("%q, %v", line, err)
	}
	alone, err := Of(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	all, err := WithChildren(cmd.Process.Pid)
	if err != nil || all < 2*alone || all < alone+5*time.Millisecond {
		t.Errorf("the shell used %v, with its child %v (%v)", alone, all, err)
	}
}

func TestNoProcess(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("/proc/sys/kernel/pid_max")
	if err != nil {
		t.Skip(err)
	}
	highest, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if d, err := WithChildren(highest + 1); err == nil {
		t.Errorf("a process that cannot be used %v", d)
	}
}
