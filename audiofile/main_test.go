package audiofile

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// childVar makes the test binary play another process: its role. The folder it
// works in is in childDirVar.
const (
	childVar    = "AUDIOFILE_TEST_CHILD"
	childDirVar = "AUDIOFILE_TEST_DIR"
)

func TestMain(m *testing.M) {
	role := os.Getenv(childVar)
	if role == "" {
		os.Exit(m.Run())
	}
	roles := map[string]func(dir string) error{
		"grow":       childGrow,
		"full disk":  childFullDisk,
		"limit":      childLimit,
		"FLAC limit": childFLACLimit,
		"read only":  childReadOnly,
		"busy":       childBusy,
	}
	go func() { // die with the parent
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	if err := roles[role](os.Getenv(childDirVar)); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// startChild starts another process in a role. It is killed at the end of the test.
func startChild(t *testing.T, attr *syscall.SysProcAttr, role, dir string) (*exec.Cmd, *bufio.Reader, error) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+role, childDirVar+"="+dir)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = attr
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd, bufio.NewReader(out), nil
}

// ownMounts lets a child mount what it likes, and see it alone.
func ownMounts() *syscall.SysProcAttr {
	ids := func(id int) []syscall.SysProcIDMap { return []syscall.SysProcIDMap{{HostID: id, Size: 1}} }
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: ids(os.Getuid()), GidMappings: ids(os.Getgid()),
	}
}

// playChild starts another process in a role and requires that it says "well".
func playChild(t *testing.T, attr *syscall.SysProcAttr, role, dir string) {
	t.Helper()
	_, out, err := startChild(t, attr, role, dir)
	if err != nil && attr != nil {
		t.Skipf("NOT TESTED, name spaces are not permitted here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	said, _ := io.ReadAll(out)
	if strings.HasPrefix(string(said), "skip") {
		t.Skipf("NOT TESTED: %s", said)
	}
	if string(said) != "well\n" {
		t.Errorf("the child says %q", said)
	}
}
