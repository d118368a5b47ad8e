package box

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// long asks for the long tests: `make e2e-long`.
var long = flag.Bool("long", false, "run the tests that take minutes, too")

// patience is for whatever should happen soon.
const patience = 15 * time.Second

// machine is a box with our package in it, and the list of what was checked.
type machine struct {
	*Box
	deb     string // as seen inside
	singers string // the program that sings, as seen inside
	list    []string
}

// boot makes a machine; the package is not installed yet. Its list is printed at
// the end.
func boot(t *testing.T) *machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED, NOTHING WAS PROVED: only root can boot a systemd of its own; run this as root")
	}
	deb := buildPackage(t, filepath.Join("..", ".."))
	b, err := Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{Box: b, singers: "brigade-stress"}
	// Each installation would look through all manual pages of the machine.
	m.sh(t, "echo man-db man-db/auto-update boolean false | debconf-set-selections || true; rm -f /var/lib/man-db/auto-update")
	t.Cleanup(func() {
		if t.Failed() {
			journal, _ := m.Run(context.Background(), "journalctl", "--no-pager", "-n", "3000", "-o", "short-precise")
			t.Logf("the journal:\n%s", journal)
			errors, _ := m.Run(context.Background(), "tail", "-n", "100", "/var/log/nginx/error.log")
			t.Logf("nginx:\n%s", errors)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		fmt.Printf("\n%s: %d checks\n  %s\n\n", t.Name(), len(m.list), strings.Join(m.list, "\n  "))
	})
	m.deb = m.bring(t, deb)
	return m
}

// bring copies a file into the machine and gives its name inside.
func (m *machine) bring(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(m.Share(), filepath.Base(name)), string(text))
	return "/mnt/share/" + filepath.Base(name)
}

// buildPackage builds what ships of a tree and gives its path.
func buildPackage(t testing.TB, root string) string {
	t.Helper()
	cmd := exec.Command("make", "-s", "-C", root, "deb")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make deb: %v\n%s", err, out)
	}
	found, err := filepath.Glob(filepath.Join(root, "build/deb/bucketbrigade_*_amd64.deb"))
	if err != nil || len(found) == 0 {
		t.Fatalf("make deb made nothing: %v", err)
	}
	newest := found[0]
	for _, name := range found {
		if age(t, name) < age(t, newest) {
			newest = name
		}
	}
	return newest
}

func age(t testing.TB, name string) time.Duration {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return time.Since(info.ModTime())
}

// must runs a command that has to succeed and gives what it said.
func (m *machine) must(t testing.TB, name string, args ...string) string {
	t.Helper()
	said, err := m.Run(t.Context(), name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return said
}

// sh runs a line of bash that has to succeed.
func (m *machine) sh(t testing.TB, line string) string {
	t.Helper()
	return m.must(t, "bash", "-c", line)
}

// property is one of a unit's.
func (m *machine) property(t testing.TB, unit, name string) string {
	t.Helper()
	return m.must(t, "systemctl", "show", "-P", name, unit)
}

// pid is that of a unit's main process, as seen inside.
func (m *machine) pid(t testing.TB, unit string) int {
	t.Helper()
	pid, err := strconv.Atoi(m.property(t, unit, "MainPID"))
	if err != nil || pid == 0 {
		t.Fatalf("%s does not run", unit)
	}
	return pid
}

// kill sends a signal to a unit's main process alone, and gives its number.
func (m *machine) kill(t testing.TB, unit string, sig syscall.Signal) (pid int) {
	t.Helper()
	pid = m.pid(t, unit)
	m.must(t, "kill", fmt.Sprintf("-%d", sig), fmt.Sprint(pid))
	return pid
}

// soon waits until f says so; the test ends if it does not.
func (m *machine) soon(t testing.TB, what string, f func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := m.Await(ctx, f); err != nil {
		t.Fatalf("%s: not within %v (%v)", what, patience, err)
	}
}

// active waits until a unit is.
func (m *machine) active(t testing.TB, unit string) {
	t.Helper()
	m.soon(t, unit+" is active", func() bool { return m.property(t, unit, "ActiveState") == "active" })
}

// again waits until a unit that had main process before has another one and is active.
func (m *machine) again(t testing.TB, unit string, before int) {
	t.Helper()
	m.soon(t, unit+" is started again", func() bool {
		now := m.property(t, unit, "MainPID")
		return now != "0" && now != fmt.Sprint(before) && m.property(t, unit, "ActiveState") == "active"
	})
}

// restarts is how often systemd has started a unit by itself.
func (m *machine) restarts(t testing.TB, unit string) int {
	t.Helper()
	n, err := strconv.Atoi(m.property(t, unit, "NRestarts"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// journal is what a unit has said since a moment.
func (m *machine) journal(t testing.TB, unit string, since time.Time) string {
	t.Helper()
	m.must(t, "journalctl", "--sync")
	return m.must(t, "journalctl", "-q", "--no-pager", "-o", "cat", "-u", unit, "--since", fmt.Sprintf("@%.3f", float64(since.UnixMicro())/1e6))
}

// get asks for a path of the site as nginx serves it, with the status before the
// body.
func (m *machine) get(t testing.TB, path string) string {
	t.Helper()
	said, err := m.Run(t.Context(), "curl", "-s", "-m", "10", "-w", "\n%{http_code}", "http://127.0.0.1:8080"+path)
	if err != nil {
		return err.Error()
	}
	body, status, _ := cutLast(said, "\n")
	return status + " " + body
}

func cutLast(text, sep string) (before, after string, found bool) {
	i := strings.LastIndex(text, sep)
	if i < 0 {
		return "", text, false
	}
	return text[:i], text[i+len(sep):], true
}
