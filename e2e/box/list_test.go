package box

import (
	"fmt"
	"strings"
	"testing"
)

// check is one line of the list, with the first fault below it. What f needs to go on
// is its own matter: checks that follow are done even so.
func (m *machine) check(t *testing.T, what string, f func(t testing.TB)) {
	t.Helper()
	line := "ok   " + what
	if fault, ok := try(t, what, f); !ok {
		line = "FAIL " + what + "\n         " + fault
	}
	m.list = append(m.list, line)
}

// try runs f as a test of its own and tells how its first fault begins.
func try(t *testing.T, what string, f func(t testing.TB)) (fault string, ok bool) {
	t.Helper()
	n := &noting{}
	ok = t.Run(strings.ReplaceAll(what, " ", "_"), func(t *testing.T) {
		n.TB = t
		f(n)
	})
	return n.fault, ok
}

// noting is a test that keeps the first two lines of its first fault, of each as much
// as a terminal shows.
type noting struct {
	testing.TB
	fault string
}

func (n *noting) note(fault string) {
	if n.fault != "" {
		return
	}
	lines := strings.SplitN(strings.TrimSpace(fault), "\n", 3)
	for k, line := range lines[:min(len(lines), 2)] {
		n.fault += []string{"", "\n         "}[k] + fmt.Sprintf("%.160s", strings.TrimSpace(line))
	}
}

func (n *noting) Error(args ...any) {
	n.Helper()
	n.note(fmt.Sprintln(args...))
	n.TB.Error(args...)
}

func (n *noting) Errorf(format string, args ...any) {
	n.Helper()
	n.note(fmt.Sprintf(format, args...))
	n.TB.Errorf(format, args...)
}

func (n *noting) Fatal(args ...any) {
	n.Helper()
	n.note(fmt.Sprintln(args...))
	n.TB.Fatal(args...)
}

func (n *noting) Fatalf(format string, args ...any) {
	n.Helper()
	n.note(fmt.Sprintf(format, args...))
	n.TB.Fatalf(format, args...)
}

// deaf is a test that no fault makes fail.
type deaf struct{ testing.TB }

func (deaf) Error(...any)          {}
func (deaf) Errorf(string, ...any) {}
func (deaf) Fatal(...any)          {}
func (deaf) Fatalf(string, ...any) {}

func TestFirstFaultIsNoted(t *testing.T) {
	t.Parallel()
	const want = "one is wrong:\n         its reason"
	for name, tell := range map[string]func(t testing.TB){
		"Error":  func(t testing.TB) { t.Error("one is wrong:\n\tits reason\nmore") },
		"Errorf": func(t testing.TB) { t.Errorf("%s is wrong:\n%s", "one", "its reason") },
		"Fatal":  func(t testing.TB) { t.Fatal("one is wrong:\nits reason\n") },
		"Fatalf": func(t testing.TB) { t.Fatalf("one is %s:\nits reason\n", "wrong") },
	} {
		n := &noting{TB: deaf{t}}
		tell(n)
		n.Error("another follows")
		if n.fault != want {
			t.Errorf("%s: noted is %q, want %q", name, n.fault, want)
		}
	}
	n := &noting{TB: deaf{t}}
	if n.Errorf("%s", strings.Repeat("é", 500)); n.fault != strings.Repeat("é", 160) {
		t.Errorf("of a long line %q is noted", n.fault)
	}
}
