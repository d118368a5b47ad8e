package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"bucketbrigade/load"
)

// snapshotAt is a run of a minute at a second, with errors of that number.
func snapshotAt(at, errors int, p99 float64) load.Snapshot {
	s := load.Snapshot{
		At: time.Duration(at) * time.Second, Duration: time.Minute, Connected: 180, Step: time.Second,
		Totals: load.Totals{Errors: map[string]int{load.KindTooSlow: errors}},
	}
	if at >= 2 {
		s.Last = &load.Second{Second: at - 2, Answered: 20 * at, P50MS: p99 / 5, P99MS: p99}
	}
	return s
}

func TestLiveView(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	show := func(name string, s load.Snapshot, p past, width int, colour bool) {
		fmt.Fprintf(&out, "%s\n", name)
		for _, text := range renderLive(s, p, 200, 300, width, colour) {
			fmt.Fprintf(&out, "|%s\n", strings.ReplaceAll(text, "\x1b", "ESC"))
		}
	}
	var p past
	show("before the start", snapshotAt(-12, 0, 0), p, 80, false)
	show("the first second", snapshotAt(1, 0, 0), p, 80, false)
	for at := 2; at < 15; at++ {
		p.add(snapshotAt(at, 0, float64(at*at)))
	}
	show("on its way", snapshotAt(15, 0, 225), p, 80, false)
	p.add(snapshotAt(30, 3, 450))
	show("too slow", snapshotAt(30, 3, 450), p, 80, true)
	show("narrow", snapshotAt(30, 3, 450), p, 36, true)
	show("very narrow", snapshotAt(30, 3, 450), p, 10, false)
	golden(t, "live.golden", out.String())
	for width := range 100 {
		for _, text := range renderLive(snapshotAt(30, 3, 450), p, 200, 300, width, false) {
			if n := len([]rune(text)); n > max(width-1, 0) {
				t.Errorf("a line of %d characters for a width of %d: %s", n, width, text)
			}
		}
	}
}

// Each frame is drawn over the one before, also when it has less lines; what was
// erased does not come back.
func TestLiveRedraws(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := &live{out: &out, users: 200, goal: 300, width: func() int { return 80 }}
	l.show(snapshotAt(30, 0, 9))
	if n := strings.Count(out.String(), "\n"); n != 6 || strings.Contains(out.String(), "A\r") {
		t.Errorf("the first frame: %q", &out)
	}
	out.Reset()
	l.show(snapshotAt(-1, 0, 9))
	if !strings.HasPrefix(out.String(), "\x1b[6A\r") || !strings.HasSuffix(out.String(), "\n\x1b[J") || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("the second frame: %q", &out)
	}
	out.Reset()
	l.erase()
	l.erase()
	if out.String() != "\x1b[1A\r\x1b[J" || len(l.past.rate) > 0 {
		t.Errorf("erased: %q", &out)
	}
	for range 100 {
		l.show(snapshotAt(30, 0, 9))
	}
	if len(l.past.rate) != pastSteps {
		t.Errorf("%d steps are kept", len(l.past.rate))
	}
}

// Where there is no terminal a line comes every five seconds, in plain text.
func TestLiveWithoutTerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := newLive(&out, load.Config{Users: 200}, func(key string) string { return map[string]string{"TERM": "xterm"}[key] })
	for at := -3; at <= 20; at++ {
		l.show(snapshotAt(at, 0, 9))
	}
	want := `   5 s    180 singers     100/s  p50     2 ms  p99     9 ms  0 errors
  10 s    180 singers     200/s  p50     2 ms  p99     9 ms  0 errors
  15 s    180 singers     300/s  p50     2 ms  p99     9 ms  0 errors
  20 s    180 singers     400/s  p50     2 ms  p99     9 ms  0 errors
`
	if out.String() != want {
		t.Errorf("%s", &out)
	}
}
