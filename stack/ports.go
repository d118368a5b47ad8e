package stack

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// PortError says that a port which the configuration asks for is taken.
type PortError struct {
	Addr     string // host:port
	For      string // the child that was to have it
	Variable string // the make variable that moves it
	Owner    string // "nginx (pid 12)", or empty if that cannot be seen
	Err      error
}

func (e *PortError) Error() string {
	owner := "another process"
	if e.Owner != "" {
		owner = e.Owner
	}
	return fmt.Sprintf("%s, wanted for %s, is in use by %s: stop that one, or choose another port with make run %s=...",
		e.Addr, e.For, owner, e.Variable)
}

func (e *PortError) Unwrap() error { return e.Err }

// checkFree finds out whether host:port can be listened on.
func checkFree(host string, port int, child, variable string) error {
	addr := net.JoinHostPort(host, strconv.Itoa(port))
	l, err := net.Listen("tcp", addr)
	if err == nil {
		return l.Close()
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return &PortError{Addr: addr, For: child, Variable: variable, Owner: portOwner(port), Err: err}
	}
	if errors.Is(err, syscall.EACCES) {
		return fmt.Errorf("%w: ports below 1024 are for root, choose another with make run %s=8080", err, variable)
	}
	return fmt.Errorf("%s cannot listen: %w (make run %s=... chooses another port)", child, err, variable)
}

// Free ports are sought below the range (32768 and up) from which the kernel
// hands out ports of its own accord: one that is free stays so for the moment
// until its owner takes it.
const (
	lowestFree  = 10000
	highestFree = 32000
)

// freeInARow finds base such that base+1 to base+n are free on host.
func freeInARow(host string, n int) (base int, err error) {
	for range 500 {
		base = lowestFree + rand.IntN(highestFree-lowestFree-n)
		if err = allFree(host, base, n); err == nil {
			return base, nil
		}
	}
	return 0, fmt.Errorf("no %d free ports in a row on %s in 500 tries: %w", n, host, err)
}

func allFree(host string, base, n int) error {
	for i := 1; i <= n; i++ {
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(base+i)))
		if err != nil {
			return err
		}
		l.Close()
	}
	return nil
}

// portOwner names the process that listens on a TCP port, as far as /proc
// shows it to us: without root only our own user's processes.
func portOwner(port int) string {
	inodes := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		listeningInodes(table, port, inodes)
	}
	fds, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil || len(inodes) == 0 {
		return ""
	}
	for _, fd := range fds {
		target, err := os.Readlink(fd)
		if err != nil || !inodes[target] {
			continue
		}
		pid := strings.Split(fd, "/")[2]
		name, err := os.ReadFile("/proc/" + pid + "/comm")
		if err != nil {
			continue
		}
		return fmt.Sprintf("%s (pid %s)", strings.TrimSpace(string(name)), pid)
	}
	return ""
}

// listeningInodes adds the sockets that listen on port, as fd links show them.
// A line of the table, in part: "0: 0100007F:1BBD 00000000:0000 0A …": number,
// local address in hexadecimal, remote address, state (0A listens); the tenth
// field is the inode.
func listeningInodes(table string, port int, inodes map[string]bool) {
	f, err := os.Open(table)
	if err != nil {
		return
	}
	defer f.Close()
	suffix := fmt.Sprintf(":%04X", port)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) > 9 && fields[3] == "0A" && strings.HasSuffix(fields[1], suffix) {
			inodes["socket:["+fields[9]+"]"] = true
		}
	}
}
