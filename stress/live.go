package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"bucketbrigade/load"
)

// live shows how a run stands: on a terminal in a few lines that are drawn anew
// each second, elsewhere in a line every five seconds. The goroutine that tells of
// the progress owns it while a run lasts.
type live struct {
	out    io.Writer
	users  int
	goal   float64 // the objective, in milliseconds
	colour bool
	width  func() int // of the terminal; nil: it is none
	drawn  int        // lines that stand there
	past   past
}

// past is what sparklines are made of, a value a step, the newest last.
type past struct{ rate, p50, p99 []float64 }

// pastSteps is how many are kept.
const pastSteps = 40

// progressEvery is the time between two lines where there is no terminal.
const progressEvery = 5

// newLive looks at out and the environment: TERM=dumb has no cursor to move,
// NO_COLOR wants none.
func newLive(out io.Writer, cfg load.Config, env func(string) string) *live {
	l := &live{out: out, goal: float64(cfg.ObjectiveP99) / 1e6, users: cfg.Users, colour: env("NO_COLOR") == ""}
	if _, ok := terminalWidth(out); ok && env("TERM") != "dumb" && env("TERM") != "" {
		l.width = func() int { w, _ := terminalWidth(out); return w }
	}
	return l
}

// terminalWidth is how many characters a line has; ok tells whether w is a
// terminal at all.
func terminalWidth(w io.Writer) (width int, ok bool) {
	f, ok := w.(*os.File)
	if !ok {
		return 0, false
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, false
	}
	if size.Col == 0 {
		return 80, true
	}
	return int(size.Col), true
}

// show is load.Config.Progress.
func (l *live) show(s load.Snapshot) {
	if l.width == nil {
		if int(math.Round(s.At.Seconds()))%progressEvery == 0 {
			printProgress(l.out, s)
		}
		return
	}
	l.past.add(s)
	l.draw(renderLive(s, l.past, l.users, l.goal, l.width(), l.colour))
}

// draw replaces what stands there.
func (l *live) draw(lines []string) {
	var b strings.Builder
	if l.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", l.drawn)
	}
	for _, text := range lines {
		b.WriteString("\r" + text + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	l.drawn = len(lines)
	_, _ = io.WriteString(l.out, b.String()) // a terminal that is gone stops no run
}

// erase takes the lines away, and begins a new run of so many singers.
func (l *live) erase() {
	if l.drawn > 0 {
		fmt.Fprintf(l.out, "\x1b[%dA\r\x1b[J", l.drawn)
	}
	l.drawn, l.past = 0, past{}
}

// add takes the newest step in, once.
func (p *past) add(s load.Snapshot) {
	if s.Last == nil {
		return
	}
	for _, v := range []struct {
		list  *[]float64
		value float64
	}{{&p.rate, rateOf(s)}, {&p.p50, s.Last.P50MS}, {&p.p99, s.Last.P99MS}} {
		*v.list = append(*v.list, v.value)
		if len(*v.list) > pastSteps {
			*v.list = slices.Delete(*v.list, 0, 1)
		}
	}
}

// rateOf is the answers a second in the newest step.
func rateOf(s load.Snapshot) float64 {
	return float64(s.Last.Answered) / max(s.Step, time.Second).Seconds()
}

// part is a piece of a line in a colour of the terminal, 0 for none.
type part struct {
	text   string
	colour int
}

// The terminal's colours.
const (
	green = 32
	red   = 31
	grey  = 90
)

// renderLive gives the lines for a terminal of a width.
func renderLive(s load.Snapshot, p past, users int, goal float64, width int, colour bool) []string {
	if s.At < 0 {
		return []string{cut([]part{{"  starts in " + (-s.At).Round(time.Second).String(), 0}}, width, colour)}
	}
	lines := [][]part{progressBar(s, width)}
	row := func(label, value string, tone int, curve []rune) {
		lines = append(lines, []part{{fmt.Sprintf("  %-9s", label), grey}, {fmt.Sprintf("%-18s", value), tone}, {string(curve), grey}})
	}
	row("singers", fmt.Sprintf("%d of %d", s.Connected, users), 0, nil)
	if s.Last != nil {
		row("answers", fmt.Sprintf("%.0f a second", rateOf(s)), 0, curve(p.rate, func(v float64) float64 { return v / max(slices.Max(p.rate), 1) }))
		high := func(ms float64) float64 { return math.Log(max(ms, 1)) / math.Log(max(goal, 2)) * 0.75 }
		tone := green
		if s.Last.P99MS > goal {
			tone = red
		}
		row("median", fmt.Sprintf("%.0f ms", s.Last.P50MS), 0, curve(p.p50, high))
		row("99 %", fmt.Sprintf("%.0f ms of %.0f", s.Last.P99MS, goal), tone, curve(p.p99, high))
	}
	tone := 0
	if sumOf(s.Totals.Errors) > 0 {
		tone = red
	}
	row("errors", fmt.Sprint(sumOf(s.Totals.Errors)), tone, nil)
	list := make([]string, len(lines))
	for i, parts := range lines {
		list[i] = cut(parts, width, colour)
	}
	return list
}

// progressBar says how much of the run is over.
func progressBar(s load.Snapshot, width int) []part {
	done := min(s.At.Seconds()/s.Duration.Seconds(), 1)
	head := fmt.Sprintf("  %.0f s of %.0f  ", s.At.Seconds(), s.Duration.Seconds())
	room := min(max(width-len(head)-8, 4), 40)
	full := int(done*float64(room) + 0.5)
	return []part{{head, 0}, {strings.Repeat("━", full), green}, {strings.Repeat("─", room-full), grey}, {fmt.Sprintf(" %.0f %%", 100*done), 0}}
}

// curve draws values as blocks of eight heights; height gives 0..1, more is the
// highest.
func curve(values []float64, height func(float64) float64) []rune {
	blocks := []rune("▁▂▃▄▅▆▇█")
	var line []rune
	for _, v := range values {
		i := int(height(v) * float64(len(blocks)))
		line = append(line, blocks[min(max(i, 0), len(blocks)-1)])
	}
	return line
}

// cut leaves of a line what fits, or the terminal would wrap it and the next frame
// would be drawn in the wrong place.
func cut(parts []part, width int, colour bool) string {
	var b strings.Builder
	left := max(width-1, 0)
	for _, p := range parts {
		text := []rune(p.text)
		text = text[:min(len(text), left)]
		left -= len(text)
		if colour && p.colour != 0 && len(text) > 0 {
			fmt.Fprintf(&b, "\x1b[%dm%s\x1b[0m", p.colour, string(text))
		} else {
			b.WriteString(string(text))
		}
	}
	return strings.TrimRight(b.String(), " ")
}
