package stack

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestLineLog(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxLine)
	tests := []struct {
		name   string
		chunks []string
		want   []string
	}{
		{"whole lines", []string{"a\nb\n"}, []string{"a", "b"}},
		{"a line in pieces", []string{"he", "ll", "o\nwor", "ld\n"}, []string{"hello", "world"}},
		{"no newline at the end", []string{"a\nb"}, []string{"a", "b"}},
		{"empty lines", []string{"\n\na\n"}, []string{"", "", "a"}},
		{"carriage returns", []string{"a\r\nb\r\n"}, []string{"a", "b"}},
		{"a line without end is cut", []string{long, "y\n"}, []string{long, "y"}},
		{"nothing", nil, nil},
	}
	for _, tt := range tests {
		var got []string
		l := newLineLog(nil, func(line []byte) { got = append(got, string(line)) })
		for _, chunk := range tt.chunks {
			if n, err := l.Write([]byte(chunk)); n != len(chunk) || err != nil {
				t.Errorf("%s: Write gave %d, %v", tt.name, n, err)
			}
		}
		l.end()
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", tt.want) {
			t.Errorf("%s: %.200q, want %.200q", tt.name, got, tt.want)
		}
	}
}

func TestLineLogKeepsTheLastLines(t *testing.T) {
	t.Parallel()
	l := newLineLog(nil, func([]byte) {})
	for n := range 50 {
		fmt.Fprintf(l, "%d\n", n)
	}
	tail := l.tail()
	if len(tail) != tailLines || tail[0] != "30" || tail[tailLines-1] != "49" {
		t.Errorf("of 0 to 49 it keeps %q", tail)
	}
}

func TestReadyLine(t *testing.T) {
	t.Parallel()
	tests := []struct{ line, addr string }{
		{"time=2026-01-01T00:00:00Z level=INFO msg=listening addr=127.0.0.1:7101", "127.0.0.1:7101"},
		{"2026/01/01 00:00:00 INFO listening addr=127.0.0.1:7101 segment=echo01", "127.0.0.1:7101"},
		{"listening addr=[::1]:80", "[::1]:80"},
		{`level=INFO msg=listening addr="127.0.0.1:1"`, "127.0.0.1:1"},
		{`level=INFO msg="metrics listening" addr=127.0.0.1:9`, ""},
		{"level=INFO msg=starting addr=127.0.0.1:9", ""},
	}
	for _, tt := range tests {
		got := ""
		if groups := listening.FindStringSubmatch(tt.line); groups != nil {
			got = groups[1]
		}
		if got != tt.addr {
			t.Errorf("%q gives %q, want %q", tt.line, got, tt.addr)
		}
	}
}

// Only the first match is reported: nobody reads a second one.
func TestReadyOnlyOnce(t *testing.T) {
	t.Parallel()
	l := newLineLog(regexp.MustCompile(`ready (\d)`), func([]byte) {})
	fmt.Fprint(l, "not yet\nready 1\nready 2\nready 3\n")
	if got := <-l.matched; got[1] != "1" {
		t.Errorf("matched %q", got)
	}
	select {
	case got := <-l.matched:
		t.Errorf("matched again: %q", got)
	default:
	}
}

func TestSink(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	s := newSink(&b, 6)
	s.line("ab", 36, []byte("hello"))
	s.colour = true
	s.line("abcdef", 36, []byte("world"))
	if want := "ab     | hello\n\x1b[36mabcdef |\x1b[0m world\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}
