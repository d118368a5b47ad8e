package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// figure is one plot with its words and its numbers. Places are in percent of
// the plot's area, y downwards.
type figure struct {
	ID, Title, About string
	Wide             bool
	XLabel, YLabel   string
	XTicks, YTicks   []tick
	Lines            []line
	Bars             []bar
	Marks            []mark
	Dots             []dot
	Columns          []column
	Legend           []legend
	// Note stands in the plot when there is nothing to draw.
	Note  string
	Table table
}

// tick is a place on an axis. One that is Minor is left out where there is
// little room.
type tick struct {
	At    float64
	Text  string
	Minor bool
}

// line is a polyline or an area, as an SVG path; Class is its colour, c1 to c8.
type line struct {
	D, Class string
	Area     bool
}

type bar struct {
	X, Y, Width, Height float64
	Class               string
}

// mark is a straight line through the plot with a word beside it.
type mark struct {
	At    float64
	Text  string
	Class string
	Level bool // from left to right, else from top to bottom
	Left  bool // the word stands left of the line
	Row   int  // of the word, 0 at the top
}

// dot is one that is drawn round however the plot is stretched.
type dot struct {
	X, Y  float64
	Class string
	Tip   string
}

// column is a part of the plot that can be pointed at.
type column struct {
	X, Width float64
	Tip      string
}

type legend struct{ Class, Text string }

// scale puts values to places, 0..1.
type scale struct {
	low, high float64
	log       bool
}

func (s scale) at(v float64) float64 {
	if s.log {
		v = math.Log(max(v, s.low)/s.low) / math.Log(s.high/s.low)
	} else {
		v = (v - s.low) / (s.high - s.low)
	}
	return min(max(v, 0), 1)
}

// x and y are places in percent.
func (s scale) x(v float64) float64 { return round(100 * s.at(v)) }
func (s scale) y(v float64) float64 { return round(100 - 100*s.at(v)) }

// round leaves two digits, so that a page does not grow by digits that nobody sees.
func round(x float64) float64 { return math.Round(100*x) / 100 }

// linear is a scale of 0 to at least high, with its ticks: a step of 1, 2 or 5 and
// four to ten of them.
func linear(high float64) (scale, []tick) {
	high = max(high, 1e-9)
	decade := math.Pow(10, math.Floor(math.Log10(high)))
	step := decade
	for _, part := range []float64{1, 0.5, 0.2} {
		if step = decade * part; high/step >= 4 {
			break
		}
	}
	s := scale{high: step * math.Ceil(high/step-1e-9)}
	var ticks []tick
	for i := 0; float64(i)*step <= s.high*(1+1e-9); i++ {
		v := float64(i) * step
		ticks = append(ticks, tick{At: 100 * s.at(v), Text: strconv.FormatFloat(round(v), 'f', -1, 64), Minor: i%2 == 1})
	}
	return s, ticks
}

// logarithmic is a scale from low to high, with ticks at 1, 3, 10, 30, …; both
// are moved outwards to one of those.
func logarithmic(low, high float64) (scale, []tick) {
	var all []float64
	for decade := 0.1; decade < 1e6; decade *= 10 {
		all = append(all, round(decade), round(3*decade))
	}
	s := scale{low: all[0], high: all[len(all)-1], log: true}
	for _, v := range all {
		if v <= low*(1+1e-9) {
			s.low = v
		}
	}
	for i := len(all) - 1; i >= 0; i-- {
		if v := all[i]; v >= high*(1-1e-9) && v > s.low*(1+1e-9) {
			s.high = v
		}
	}
	var ticks []tick
	for i, v := range all {
		if v >= s.low*(1-1e-9) && v <= s.high*(1+1e-9) {
			ticks = append(ticks, tick{At: 100 * s.at(v), Text: strconv.FormatFloat(v, 'f', -1, 64), Minor: i%2 == 1})
		}
	}
	return s, ticks
}

// timeAxis is the scale of a run of so many seconds, in the unit that suits it.
func timeAxis(length float64) (s scale, ticks []tick, label string) {
	unit, label := 1.0, "seconds since the start"
	switch {
	case length > 3*3600:
		unit, label = 3600, "hours since the start"
	case length > 300:
		unit, label = 60, "minutes since the start"
	}
	axis, all := linear(length / unit)
	// The axis ends with the run, not with a tick.
	stretch := axis.high / (length / unit)
	for _, t := range all {
		if t.At *= stretch; t.At <= 100.001 {
			ticks = append(ticks, t)
		}
	}
	return scale{high: length}, ticks, label
}

// upward turns the ticks of a y axis, which count from above.
func upward(ticks []tick) []tick {
	for i := range ticks {
		ticks[i].At = round(100 - ticks[i].At)
	}
	return ticks
}

// point is a value at a time; one that is not there makes a gap.
type point struct {
	x, y  float64 // in percent
	there bool
}

// polyline is an SVG path through the points that are there.
func polyline(points []point) string {
	var b strings.Builder
	move := true
	for i, p := range points {
		if !p.there {
			move = true
			continue
		}
		switch {
		case !move:
			fmt.Fprintf(&b, "L%g %g", p.x, p.y)
		case i+1 == len(points) || !points[i+1].there: // one alone would not be seen
			fmt.Fprintf(&b, "M%g %gh.4", p.x, p.y)
		default:
			fmt.Fprintf(&b, "M%g %g", p.x, p.y)
		}
		move = false
	}
	return b.String()
}

// area is the path of what lies below the points, which are all there.
func area(points []point) string {
	if len(points) == 0 {
		return ""
	}
	return fmt.Sprintf("M%g 100L%sL%g 100Z", points[0].x, polyline(points)[1:], points[len(points)-1].x)
}
