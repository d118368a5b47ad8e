package stack

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	// tailLines is how much of a dead child's last words is repeated.
	tailLines = 20
	// maxLine is where a line that does not end is cut.
	maxLine = 8 << 10
)

// sink takes whole lines of many children and writes each behind the name of
// the child, the names padded to one width:
//
//	state-server | level=INFO msg=...
//	shard-01     | level=INFO msg=listening addr=127.0.0.1:7101
type sink struct {
	width  int
	colour bool

	mu sync.Mutex
	w  io.Writer
}

func newSink(w io.Writer, width int) *sink {
	return &sink{w: w, width: width, colour: isTerminal(w) && os.Getenv("NO_COLOR") == ""}
}

// line writes one line. A log that cannot be written stops nobody's singing.
func (s *sink) line(name string, colour int, text []byte) {
	head := fmt.Sprintf("%-*s | ", s.width, name)
	if s.colour {
		head = fmt.Sprintf("\x1b[%dm%-*s |\x1b[0m ", colour, s.width, name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.w, "%s%s\n", head, text)
}

// colours of the children in turn: cyan, green, yellow, magenta, blue, red.
var colours = [...]int{36, 32, 33, 35, 34, 31}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// lineLog is the stdout and stderr of one process: it cuts the stream into
// lines, hands them on, keeps the last ones and looks for the one that says
// that the process is ready. One goroutine writes, any may read the tail.
type lineLog struct {
	emit  func(line []byte)
	ready *regexp.Regexp
	// matched receives the first match of ready, with its groups; nothing else.
	matched chan []string

	partial []byte
	found   bool

	mu   sync.Mutex
	last []string
}

func newLineLog(ready *regexp.Regexp, emit func([]byte)) *lineLog {
	return &lineLog{emit: emit, ready: ready, matched: make(chan []string, 1)}
}

// Write never fails.
func (l *lineLog) Write(p []byte) (int, error) {
	n := len(p)
	for {
		line, rest, whole := bytes.Cut(p, []byte("\n"))
		l.partial = append(l.partial, line...)
		if whole || len(l.partial) >= maxLine {
			l.flush()
		}
		if !whole {
			return n, nil
		}
		p = rest
	}
}

// flush makes a line of what has come since the last one.
func (l *lineLog) flush() {
	line := bytes.TrimRight(l.partial, "\r")
	l.partial = l.partial[:0]
	l.emit(line)
	l.mu.Lock()
	if len(l.last) == tailLines {
		l.last = slices.Delete(l.last, 0, 1)
	}
	l.last = append(l.last, string(line))
	l.mu.Unlock()
	if l.found || l.ready == nil {
		return
	}
	if groups := l.ready.FindStringSubmatch(string(line)); groups != nil {
		l.found = true
		l.matched <- groups
	}
}

// end is called after the last Write.
func (l *lineLog) end() {
	if len(l.partial) > 0 {
		l.flush()
	}
}

// tail is the last lines, oldest first.
func (l *lineLog) tail() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.last)
}
