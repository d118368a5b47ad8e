package report

import (
	"fmt"

	"bucketbrigade/load"
)

// carried are the figures of a search: what each set-up carries, if there are
// several, and how each attempt went.
func carried(p Page) []figure {
	var list []figure
	if len(p.SetUps) > 1 {
		list = append(list, compared(p.SetUps))
	}
	if len(p.SetUps) > 0 {
		list = append(list, attempts(p))
	}
	return list
}

// compared has a bar for each set-up.
func compared(setUps []SetUp) figure {
	f := figure{
		ID: "carried", Title: "Singers carried", Wide: len(setUps) > 4, YLabel: "singers",
		About: "The largest number for which the objective held.",
		Table: table{Caption: "Singers carried", Head: []string{"set-up", "singers", "what gave way"}},
	}
	high := 4.0
	for _, s := range setUps {
		high = max(high, float64(s.Found.Carries))
	}
	y, ticks := linear(high * 1.05)
	f.YTicks = upward(ticks)
	width := 100 / float64(len(setUps))
	for i, s := range setUps {
		left, top := float64(i)*width, y.y(float64(s.Found.Carries))
		f.Bars = append(f.Bars, bar{round(left + width/4), top, round(width / 2), round(100 - top), setUpClass(i)})
		f.XTicks = append(f.XTicks, tick{At: round(left + width/2), Text: s.Name})
		f.Columns = append(f.Columns, column{round(left), round(width), fmt.Sprintf("%s carries %d", s.Name, s.Found.Carries)})
		f.Table.Rows = append(f.Table.Rows, []string{s.Name, fmt.Sprint(s.Found.Carries), limitOf(s.Found)})
	}
	return f
}

func limitOf(f load.Found) string {
	if f.Limit == "" {
		return "more were not tried"
	}
	return f.Limit
}

// attempts has a dot for each run of a search: filled if the objective held.
func attempts(p Page) figure {
	f := figure{
		ID: "attempts", Title: "Each attempt", Wide: len(p.SetUps) == 1, XLabel: "singers", YLabel: "99th percentile, milliseconds",
		About: "A full dot is a run in which the objective held, a ring one in which it did not. A run can fail by an error, however quick it was.",
		Table: table{Caption: "Each attempt", Head: []string{"set-up", "singers", "99 % ms", "errors", "objective"}},
	}
	objective := p.Result.Setup.ObjectiveP99MS
	users, low, high := 4.0, objective, objective*1.2
	for _, s := range p.SetUps {
		for _, t := range s.Found.Trials {
			p99 := t.Result.Totals.P99MS
			users, low, high = max(users, float64(t.Users)), min(low, max(p99, 1)), max(high, p99)
		}
	}
	x, xTicks := linear(users * 1.05)
	y, yTicks := logarithmic(low/1.2, high)
	f.XTicks, f.YTicks = xTicks, upward(yTicks)
	f.Marks = []mark{{At: y.y(objective), Text: fmt.Sprintf("objective %s ms", number(objective)), Class: "limit", Level: true}}
	for i, s := range p.SetUps {
		class := setUpClass(i)
		f.Legend = append(f.Legend, legend{class, s.Name})
		for _, t := range s.Found.Trials {
			held, ring := "held", ""
			if !t.Result.Verdict.Held {
				held, ring = "did not hold", " ring"
			}
			n := sum(t.Result.Totals.Errors)
			p99 := t.Result.Totals.P99MS
			f.Dots = append(f.Dots, dot{
				x.x(float64(t.Users)), y.y(p99), class + ring,
				fmt.Sprintf("%s, %s: 99 %% within %s ms, %d errors: %s", s.Name, singers(t.Users), number(p99), n, held),
			})
			f.Table.Rows = append(f.Table.Rows, []string{s.Name, fmt.Sprint(t.Users), number(p99), fmt.Sprint(n), held})
		}
	}
	return f
}

// setUpClass is the colour of the i-th set-up.
func setUpClass(i int) string { return processClasses[i%len(processClasses)] }
