package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"bucketbrigade/load"
)

// figures are those that the page has, in order.
func figures(p Page) []figure {
	list := carried(p)
	r := newSeries(p.Result)
	if r.Setup.Pace == load.PaceReal {
		list = append(list, latencyOverTime(r))
	}
	list = append(list, distribution(r), rates(r), errorsOverTime(r), connected(r), processors(r))
	if len(p.SetUps) > 0 {
		list[len(list)-2].Title = "Singers connected"
	}
	return list
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// at is a time in the run, for tips and tables.
func at(s span) string {
	if s.length() <= 1 {
		return fmt.Sprintf("%g s", s.from)
	}
	return fmt.Sprintf("%g–%g s", s.from, s.to)
}

// columns are what can be pointed at: one for each span, with its tip.
func columns(list []span, axis scale, tip func(span) string) (all []column) {
	for _, s := range list {
		all = append(all, column{axis.x(s.from), round(axis.x(s.to) - axis.x(s.from)), at(s) + ": " + tip(s)})
	}
	return all
}

// overTime begins a figure whose x is the time of the run.
func overTime(r *series, id, title string) (f figure, list []span, axis scale) {
	f = figure{ID: id, Title: title}
	axis, f.XTicks, f.XLabel = timeAxis(r.Setup.DurationS)
	return f, r.plot, axis
}

// points are those of a value over the time.
func points(list []span, x, y scale, value func(span) (v float64, there bool)) (all []point) {
	for _, s := range list {
		v, there := value(s)
		all = append(all, point{x.x(s.mid()), y.y(v), there})
	}
	return all
}

// latencyRange is that of an axis: all that was measured, and the objective.
func latencyRange(r *series) (scale, []tick) {
	low := math.Inf(1)
	for _, s := range r.Seconds {
		if s.Answered > 0 && s.P50MS > 0 {
			low = min(low, s.P50MS)
		}
	}
	low = min(low, r.Setup.ObjectiveP99MS)
	return logarithmic(max(low/1.2, 0.1), max(r.Totals.MaxMS, r.Setup.ObjectiveP99MS*1.2, low*1.2))
}

func latencyOverTime(r *series) figure {
	f, list, x := overTime(r, "latency", "Latency over time")
	f.Wide, f.YLabel = true, "milliseconds"
	f.About = "From the moment when a request was due to its answer. Half of the requests of each moment took less than the median, one of a hundred took longer than the 99th percentile."
	y, ticks := latencyRange(r)
	f.YTicks = upward(ticks)
	for _, l := range []struct {
		class, text string
		value       func(span) float64
	}{
		{"c3", "slowest", func(s span) float64 { return s.MaxMS }},
		{"c2", "99th percentile", func(s span) float64 { return s.P99MS }},
		{"c1", "median", func(s span) float64 { return s.P50MS }},
	} {
		all := points(list, x, y, func(s span) (float64, bool) { return l.value(s), s.Latency.Count() > 0 })
		f.Lines = append(f.Lines, line{D: polyline(all), Class: l.class})
		f.Legend = append(f.Legend, legend{l.class, l.text})
	}
	f.Marks = []mark{{At: y.y(r.Setup.ObjectiveP99MS), Text: fmt.Sprintf("objective %s ms", number(r.Setup.ObjectiveP99MS)), Class: "limit", Level: true}}
	if r.Setup.RampS > 0 && r.Setup.RampS < r.Setup.DurationS {
		f.Marks = append(f.Marks, mark{At: x.x(r.Setup.RampS), Text: "all have joined", Class: "hint"})
	}
	f.Columns = columns(list, x, func(s span) string {
		if s.Latency.Count() == 0 {
			return "no request"
		}
		return fmt.Sprintf("median %s ms, 99 %% within %s ms, slowest %s ms", number(s.P50MS), number(s.P99MS), number(s.MaxMS))
	})
	f.Table = timeTable(r, []string{"requests", "median ms", "99 % ms", "slowest ms"}, func(s span) []string {
		return []string{fmt.Sprint(s.Latency.Count()), number(s.P50MS), number(s.P99MS), number(s.MaxMS)}
	})
	return f
}

// barsADecade is how finely a distribution is drawn.
const barsADecade = 12

func distribution(r *series) figure {
	f := figure{
		ID: "distribution", Title: "Latency as a distribution", Wide: true, XLabel: "milliseconds", YLabel: "% of all requests",
		About: "Each bar is the share of requests that took so long. The lines are where half, nine tenths, 99 and 99.9 of a hundred lie to the left.",
	}
	if r.Latency.Count() == 0 {
		f.Note = "No request was answered."
		return f
	}
	bins := map[int]float64{}
	low, high := math.MaxInt, math.MinInt
	bars := r.Latency.Bars()
	for _, b := range bars {
		bin := int(math.Floor(math.Log10(max(ms(b.From+b.To)/2, 0.1)) * barsADecade))
		bins[bin] += 100 * float64(b.Count) / float64(r.Latency.Count())
		low, high = min(low, bin), max(high, bin)
	}
	edge := func(bin int) float64 { return math.Pow(10, float64(bin)/barsADecade) }
	x, xTicks := logarithmic(edge(low), max(edge(high+1), r.Setup.ObjectiveP99MS*1.2))
	y, yTicks := linear(slices.Max(slices.Collect(maps.Values(bins))))
	f.XTicks, f.YTicks = xTicks, upward(yTicks)
	f.Table = table{Caption: f.Title, Head: []string{"ms", "% of all requests", "% within"}}
	within := 0.0
	for bin := low; bin <= high; bin++ {
		share := bins[bin]
		within += share
		from, to := edge(bin), edge(bin+1)
		left, width := x.x(from), x.x(to)-x.x(from)
		f.Bars = append(f.Bars, bar{left + 0.1*width, y.y(share), round(0.8 * width), round(100 - y.y(share)), "c1"})
		f.Columns = append(f.Columns, column{left, round(width), fmt.Sprintf("%s–%s ms: %s %%, %s %% within", number(from), number(to), number(share), percent(within))})
		f.Table.Rows = append(f.Table.Rows, []string{number(from) + "–" + number(to), number(share), percent(within)})
	}
	for i, q := range []struct {
		text string
		ms   float64
	}{{"50 %", r.Totals.P50MS}, {"90 %", r.Totals.P90MS}, {"99 %", r.Totals.P99MS}, {"99.9 %", r.Totals.P999MS}} {
		f.Marks = append(f.Marks, mark{At: x.x(q.ms), Text: fmt.Sprintf("%s: %s ms", q.text, number(q.ms)), Class: "hint", Row: i, Left: x.at(q.ms) > 0.75})
	}
	objective := mark{At: x.x(r.Setup.ObjectiveP99MS), Text: fmt.Sprintf("objective %s ms", number(r.Setup.ObjectiveP99MS)), Class: "limit", Row: 4}
	objective.Left = objective.At > 60
	f.Marks = append(f.Marks, objective)
	return f
}

// percent does not call 99.97 of a hundred all of them.
func percent(x float64) string {
	if x > 99.9 && x < 99.9999 {
		return fmt.Sprintf("%.3f", math.Floor(x*1000)/1000)
	}
	return fmt.Sprintf("%.4g", x)
}

func rates(r *series) figure {
	f, list, x := overTime(r, "rate", "Requests a second")
	f.YLabel = "requests a second"
	f.About = "What was due, which follows from the schedule alone, and what was answered well."
	high := 1.0
	for _, s := range list {
		high = max(high, float64(s.Due)/s.length())
	}
	y, ticks := linear(high)
	f.YTicks = upward(ticks)
	answered := points(list, x, y, func(s span) (float64, bool) { return float64(s.Answered) / s.length(), true })
	due := points(list, x, y, func(s span) (float64, bool) { return float64(s.Due) / s.length(), true })
	f.Lines = []line{{D: area(answered), Class: "c4", Area: true}, {D: polyline(answered), Class: "c4"}, {D: polyline(due), Class: "c0"}}
	f.Legend = []legend{{"c4", "answered"}, {"c0", "due"}}
	f.Columns = columns(list, x, func(s span) string {
		return fmt.Sprintf("%s/s due, %s/s answered", number(float64(s.Due)/s.length()), number(float64(s.Answered)/s.length()))
	})
	f.Table = timeTable(r, []string{"due", "sent", "answered", "kB/s out", "kB/s in"}, func(s span) []string {
		return []string{fmt.Sprint(s.Due), fmt.Sprint(s.Sent), fmt.Sprint(s.Answered), number(float64(s.BytesOut) / s.length() / 1000), number(float64(s.BytesIn) / s.length() / 1000)}
	})
	return f
}

func errorsOverTime(r *series) figure {
	f, list, x := overTime(r, "errors", "Errors")
	f.YLabel = "errors in each step"
	f.About = "Requests that failed, answers that were wrong, singers who were not heard."
	high := 4.0
	for _, s := range list {
		high = max(high, float64(sum(s.Errors)))
	}
	y, ticks := linear(high)
	f.YTicks = upward(ticks)
	kinds := slices.Sorted(maps.Keys(r.Totals.Errors))
	for _, s := range list {
		left, width := x.x(s.from), x.x(s.to)-x.x(s.from)
		below := 0
		for i, kind := range kinds {
			if n := s.Errors[kind]; n > 0 {
				top := y.y(float64(below + n))
				f.Bars = append(f.Bars, bar{round(left + 0.1*width), top, round(0.8 * width), round(y.y(float64(below)) - top), errorClass(i)})
				below += n
			}
		}
	}
	for i, kind := range kinds {
		f.Legend = append(f.Legend, legend{errorClass(i), fmt.Sprintf("%s (%d)", kind, r.Totals.Errors[kind])})
	}
	if len(kinds) == 0 {
		f.Note = "None."
	}
	f.Columns = columns(list, x, func(s span) string { return kindsOf(s.Errors) })
	f.Table = timeTable(r, []string{"errors"}, func(s span) []string { return []string{kindsOf(s.Errors)} })
	return f
}

// errorClass is the colour of the i-th kind of error; the first one is red.
func errorClass(i int) string {
	return []string{"c3", "c2", "c5", "c1", "c6", "c4"}[i%6]
}

func kindsOf(counts map[string]int) string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d × %s", counts[kind], kind))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

func connected(r *series) figure {
	f, list, x := overTime(r, "singers", "Singers carried")
	f.YLabel = "singers"
	f.About = "How many had a connection at the end of each step. Who makes a new one, since he was moved or it broke, has none for a moment."
	y, ticks := linear(max(float64(r.Setup.Users)*1.05, 4))
	f.YTicks = upward(ticks)
	all := points(list, x, y, func(s span) (float64, bool) { return float64(s.Connected), true })
	f.Lines = []line{{D: area(all), Class: "c5", Area: true}, {D: polyline(all), Class: "c5"}}
	f.Marks = []mark{{At: y.y(float64(r.Setup.Users)), Text: fmt.Sprintf("%d asked for", r.Setup.Users), Class: "hint", Level: true}}
	f.Columns = columns(list, x, func(s span) string { return singers(s.Connected) })
	f.Table = timeTable(r, []string{"singers"}, func(s span) []string { return []string{fmt.Sprint(s.Connected)} })
	return f
}

// processClasses are the colours of processes; who has none stands in the table
// only. Red is kept for what is wrong.
var processClasses = []string{"c1", "c2", "c4", "c5", "c6", "c7", "c8"}

func processors(r *series) figure {
	f, list, x := overTime(r, "cpu", "Processor of each process")
	f.YLabel = "% of a core"
	f.About = "100 % is one core that does nothing else. Processes are those that were named with -pid or -metrics."
	names := busiest(list)
	high := 1.0
	for _, s := range list {
		for _, name := range names {
			high = max(high, 100*s.CPU[name]/s.length())
		}
	}
	y, ticks := linear(high)
	f.YTicks = upward(ticks)
	for i, name := range names[:min(len(names), len(processClasses))] {
		class := processClasses[i]
		all := points(list, x, y, func(s span) (float64, bool) {
			used, there := s.CPU[name]
			return 100 * used / s.length(), there
		})
		f.Lines = append(f.Lines, line{D: polyline(all), Class: class})
		f.Legend = append(f.Legend, legend{class, name})
	}
	if more := len(names) - len(processClasses); more > 0 {
		f.Legend = append(f.Legend, legend{"", fmt.Sprintf("and %d more, in the table", more)})
	}
	if len(names) == 0 {
		f.Note = "Nothing was measured."
	}
	row := func(s span) (cells []string) {
		for _, name := range names {
			cells = append(cells, number(100*s.CPU[name]/s.length()))
		}
		return cells
	}
	f.Columns = columns(list, x, func(s span) string {
		var parts []string
		for i, cell := range row(s) {
			parts = append(parts, names[i]+" "+cell+" %")
		}
		return strings.Join(parts, ", ")
	})
	f.Table = timeTable(r, names, row)
	return f
}

// busiest are the names of the processes, those that used most first.
func busiest(list []span) []string {
	used := map[string]float64{}
	for _, s := range list {
		for name, t := range s.CPU {
			used[name] += t
		}
	}
	names := slices.Sorted(maps.Keys(used))
	slices.SortStableFunc(names, func(a, b string) int {
		switch {
		case used[a] > used[b]:
			return -1
		case used[a] < used[b]:
			return 1
		}
		return 0
	})
	return names
}
