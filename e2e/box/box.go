package box

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

//go:embed boot.sh
var script []byte

const (
	// bootTimeout is for all of a boot; 1.5 s is usual.
	bootTimeout = time.Minute
	// lookEvery is the pause between two looks at something that has no way to
	// tell.
	lookEvery = 20 * time.Millisecond
)

// Box is a machine of its own while the process that made it lives.
type Box struct {
	dir, cgroup string
	first       *exec.Cmd
	ended       chan struct{} // closed when the first process is gone
	stop        chan struct{} // closed to end it
}

// Start boots a box; dir is an empty folder that stays its own. An error says
// what is missing, or what the boot had to say.
func Start(ctx context.Context, dir string) (*Box, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("a box has mounts and devices of its own: only root can make one")
	}
	for _, name := range []string{"root", "share"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "boot.sh"), script, 0o700); err != nil {
		return nil, err
	}
	b := &Box{
		dir: dir, cgroup: fmt.Sprintf("box-%d-%d", os.Getpid(), time.Now().UnixNano()),
		ended: make(chan struct{}), stop: make(chan struct{}),
	}
	started := make(chan error)
	go b.own(started)
	if err := <-started; err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	if err := b.booted(ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// own starts the first process and ends it. Its thread ends with it.
func (b *Box) own(started chan<- error) {
	runtime.LockOSThread()
	console, err := os.Create(filepath.Join(b.dir, "console"))
	if err != nil {
		started <- err
		return
	}
	defer console.Close()
	b.first = exec.Command("/bin/sh", filepath.Join(b.dir, "boot.sh"), "boot", b.dir, b.cgroup)
	b.first.Stdout, b.first.Stderr = console, console
	b.first.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
		Pdeathsig:  syscall.SIGKILL,
		Setsid:     true,
	}
	err = b.first.Start()
	started <- err
	if err != nil {
		return
	}
	go func() {
		_ = b.first.Wait()
		close(b.ended)
	}()
	select {
	case <-b.stop:
		_ = b.first.Process.Kill()
		<-b.ended
	case <-b.ended:
	}
}

// booted waits until all that is started at boot has been started.
func (b *Box) booted(ctx context.Context) error {
	socket := filepath.Join(b.Root(), "run/systemd/private")
	err := b.Await(ctx, func() bool { _, err := os.Stat(socket); return err == nil })
	if err != nil {
		said, _ := os.ReadFile(filepath.Join(b.dir, "console"))
		return fmt.Errorf("the box did not boot: %w\n%s", err, said)
	}
	state, err := b.Run(ctx, "systemctl", "is-system-running", "--wait")
	if err != nil {
		failed, _ := b.Run(ctx, "systemctl", "list-units", "--failed", "--plain", "--no-legend")
		return fmt.Errorf("the box is %s: %w\n%s", state, err, failed)
	}
	return nil
}

// Await looks every now and then until done says so. An error means that ctx or
// the box ended before.
func (b *Box) Await(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-b.ended:
			return errors.New("its first process ended")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// Root is the box's root as it is seen from outside, while it lives.
func (b *Box) Root() string { return fmt.Sprintf("/proc/%d/root", b.first.Process.Pid) }

// Share is the folder that is /mnt/share inside.
func (b *Box) Share() string { return filepath.Join(b.dir, "share") }

// Command makes a command that runs inside, as root.
func (b *Box) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	inside := append([]string{
		"-t", fmt.Sprint(b.first.Process.Pid), "-a", "--", "env", "-i", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive",
		"SYSTEMD_PAGER=", name,
	}, args...)
	return exec.CommandContext(ctx, "nsenter", inside...)
}

// Run runs a command inside and gives all that it printed, without white space
// around it; the error has it, too.
func (b *Box) Run(ctx context.Context, name string, args ...string) (string, error) {
	out, err := b.Command(ctx, name, args...).CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return text, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, text)
	}
	return text, nil
}

// Close ends everything in the box at once and removes what it had outside dir.
func (b *Box) Close() error {
	close(b.stop)
	<-b.ended
	sweep := exec.Command("/bin/sh", filepath.Join(b.dir, "boot.sh"), "sweep", b.cgroup)
	sweep.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if out, err := sweep.CombinedOutput(); err != nil {
		return fmt.Errorf("cgroup %s: %w\n%s", b.cgroup, err, out)
	}
	return nil
}
