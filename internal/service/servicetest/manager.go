// Package servicetest starts programs as systemd does, for tests.
//
//	test                                    program
//	 |-- NOTIFY_SOCKET, LISTEN_FDS, fd 3 ──> |
//	 | <── READY=1, STATUS=..., WATCHDOG=1 --|
//	 |-- SIGTERM ──────────────────────────> |
package servicetest

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for a message.
const patience = 20 * time.Second

// Main makes a test binary the program itself when [Start] runs it. It belongs
// into TestMain.
func Main(m *testing.M, program func()) {
	if os.Getenv(isProgram) != "" {
		program()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const isProgram = "SERVICETEST_PROGRAM"

// Unit says how a program is started.
type Unit struct {
	Args []string
	// Socket is handed over as descriptor 3 under the name SocketName, if not nil.
	Socket     *os.File
	SocketName string
	// Watchdog is WatchdogSec=; none if 0.
	Watchdog time.Duration
	// Env is more of the environment.
	Env []string
	// Stderr is its standard error; one that [Process.Log] gives if nil.
	Stderr *os.File
}

// Process is a program that was started.
type Process struct {
	t      *testing.T
	cmd    *exec.Cmd
	notify *net.UnixConn
	log    bytes.Buffer
	ended  bool
}

// Start starts this test binary as the program. It is killed when the test ends.
func Start(t *testing.T, u Unit) *Process {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	p := &Process{t: t, notify: notify}
	// The shell becomes the program, so that LISTEN_PID is right.
	p.cmd = exec.Command("/bin/sh", append([]string{"-c", `LISTEN_PID=$$ exec "$0" "$@"`, os.Args[0]}, u.Args...)...)
	p.cmd.Env = append(slices.Clone(os.Environ()), append([]string{isProgram + "=1", "NOTIFY_SOCKET=" + path}, u.Env...)...)
	p.cmd.Stderr = &p.log
	if u.Stderr != nil {
		p.cmd.Stderr = u.Stderr
	}
	if u.Socket != nil {
		p.cmd.ExtraFiles = []*os.File{u.Socket}
		p.cmd.Env = append(p.cmd.Env, "LISTEN_FDS=1", "LISTEN_FDNAMES="+u.SocketName)
	}
	if u.Watchdog != 0 {
		p.cmd.Env = append(p.cmd.Env, "WATCHDOG_USEC="+strconv.FormatInt(u.Watchdog.Microseconds(), 10))
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		notify.Close()
		if !p.ended {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
	})
	return p
}

// Await reads messages until one has the line, and gives that one.
func (p *Process) Await(line string) (message string) {
	p.t.Helper()
	buf := make([]byte, 4096)
	_ = p.notify.SetReadDeadline(time.Now().Add(patience))
	for {
		n, err := p.notify.Read(buf)
		if err != nil {
			p.t.Fatalf("no message %q within %v", line, patience)
		}
		message = string(buf[:n])
		if slices.Contains(strings.Split(message, "\n"), line) {
			return message
		}
	}
}

// Silent tells whether no message has had the line for so long.
func (p *Process) Silent(line string, d time.Duration) bool {
	buf := make([]byte, 4096)
	_ = p.notify.SetReadDeadline(time.Now().Add(d))
	for {
		n, err := p.notify.Read(buf)
		if err != nil {
			return true
		}
		if slices.Contains(strings.Split(string(buf[:n]), "\n"), line) {
			return false
		}
	}
}

// Stop sends SIGTERM, waits for the end, and gives the exit status.
func (p *Process) Stop() int {
	p.Terminate()
	return p.Wait()
}

// Terminate sends SIGTERM and does not wait.
func (p *Process) Terminate() { _ = p.cmd.Process.Signal(syscall.SIGTERM) }

// Wait waits for the end, and gives the exit status.
func (p *Process) Wait() int {
	_ = p.cmd.Wait()
	p.ended = true
	return p.cmd.ProcessState.ExitCode()
}

// Log is what the program wrote to standard error. It must have ended.
func (p *Process) Log() string { return p.log.String() }
