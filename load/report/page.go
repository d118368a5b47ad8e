package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"bucketbrigade/load"
)

// Page is what a report is made of.
type Page struct {
	// Result is the run that is shown; of a search the best one, or the last if
	// none held.
	Result *load.Result
	// SetUps are what was searched, in order; empty for a single run.
	SetUps []SetUp
	// Command is the command line, Machine what it ran on, in a line.
	Command, Machine string
	// Made is when.
	Made time.Time
}

// SetUp is one brigade of which it was searched how many singers it carries.
type SetUp struct {
	Name  string // "2 shards"
	Found load.Found
}

//go:embed page.html
var pageText string

// view is what the template sees.
type view struct {
	Page
	Title          string // of the window
	Held           bool
	Headline, Lead string
	Reasons        []string
	Tiles          []tile
	Figures        []figure
	Tables         []table
	When           string
}

// tile is one number that matters.
type tile struct {
	Label, Value, Unit, Note string
	Bad                      bool
}

// Write writes the page. The result is only read.
func Write(w io.Writer, p Page) error {
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		return fmt.Errorf("the report's template: %w", err)
	}
	v := view{Page: p, When: p.Made.Format("Monday, 2 January 2006, 15:04 MST")}
	v.judge()
	v.Tiles = tiles(p.Result)
	v.Figures = figures(p)
	v.Tables = tables(p)
	return t.Execute(w, v)
}

// judge puts the verdict into words.
func (v *view) judge() {
	r := v.Result
	v.Held = r.Verdict.Held
	v.Headline, v.Reasons = "The objective held", r.Verdict.Reasons
	if !v.Held {
		v.Headline = "The objective did not hold"
	}
	switch {
	case len(v.SetUps) == 1:
		v.Held = v.SetUps[0].Found.Carries > 0
		v.Headline = "Carries " + singers(v.SetUps[0].Found.Carries)
		v.Reasons = limits(v.SetUps)
	case len(v.SetUps) > 1:
		best := v.SetUps[0]
		for _, s := range v.SetUps {
			if s.Found.Carries > best.Found.Carries {
				best = s
			}
		}
		v.Held = best.Found.Carries > 0
		v.Headline = fmt.Sprintf("Carries %s, with %s", singers(best.Found.Carries), best.Name)
		v.Reasons = limits(v.SetUps)
	}
	v.Title = v.Headline + " – Bucket Brigade"
	s := r.Setup
	v.Lead = fmt.Sprintf("%s for %s, scenario %s, at %s.", singers(s.Users), seconds(s.DurationS), s.Scenario, strings.Join(s.URLs, ", "))
	if s.Pace == load.PaceNone {
		v.Lead = fmt.Sprintf("%d workers without pace for %s, at %s.", s.Users, seconds(s.DurationS), strings.Join(s.URLs, ", "))
	}
	if len(v.SetUps) > 0 {
		v.Lead = "Shown below: the run of " + v.Lead
	}
}

// limits says what gave way in each set-up.
func limits(list []SetUp) (text []string) {
	for _, s := range list {
		name := ""
		if len(list) > 1 {
			name = fmt.Sprintf("%s carries %d. ", s.Name, s.Found.Carries)
		}
		if s.Found.Limit == "" {
			text = append(text, name+"More were not tried.")
		} else {
			text = append(text, name+"What gave way: "+s.Found.Limit)
		}
	}
	return text
}

func singers(n int) string {
	if n == 1 {
		return "1 singer"
	}
	return fmt.Sprintf("%d singers", n)
}

// seconds is a time as people say it.
func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second)).Round(time.Second)
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%g s", d.Seconds())
	case d < 2*time.Hour && d%time.Minute == 0:
		return fmt.Sprintf("%g min", d.Minutes())
	case d%time.Hour == 0:
		return fmt.Sprintf("%g h", d.Hours())
	}
	return d.String()
}

// tiles are the numbers of a run.
func tiles(r *load.Result) []tile {
	t := r.Totals
	list := []tile{
		{Label: "singers", Value: fmt.Sprint(most(r)), Note: fmt.Sprintf("of %d at once", r.Setup.Users), Bad: r.Setup.Pace == load.PaceReal && most(r) < r.Setup.Users},
		{Label: "median latency", Value: number(t.P50MS), Unit: "ms", Note: fmt.Sprintf("90 %% within %s ms", number(t.P90MS))},
		{
			Label: "99 % within", Value: number(t.P99MS), Unit: "ms", Bad: t.P99MS > r.Setup.ObjectiveP99MS,
			Note: fmt.Sprintf("the objective is %s ms", number(r.Setup.ObjectiveP99MS)),
		},
		{Label: "errors", Value: fmt.Sprint(sum(t.Errors)), Note: fmt.Sprintf("%d requests answered", t.Answered), Bad: sum(t.Errors) > 0},
		{Label: "answers", Value: number(t.RatePerS), Unit: "/s", Note: "when all had joined"},
		{
			Label: "99 % connected within", Value: number(t.ConnectP99MS), Unit: "ms", Bad: t.ConnectP99MS > r.Setup.MostConnectMS(),
			Note: fmt.Sprintf("%d requests missed meanwhile", t.Unconnected),
		},
	}
	if len(r.Voices) > 0 {
		list = append(list, voicesTile(r))
	}
	return list
}

// voicesTile says how many pilots were heard.
func voicesTile(r *load.Result) tile {
	t := tile{Label: "pilots heard"}
	n, heard, expected := 0, 0, 0
	for _, v := range r.Voices {
		if v.Heard > 0 {
			n++
		}
		heard, expected = heard+v.Heard, expected+v.Expected
		t.Bad = t.Bad || v.Heard < v.Expected || v.Unheard == load.UnheardMissed
	}
	t.Value, t.Note = fmt.Sprint(n), fmt.Sprintf("of %d, in %d of %d pieces", len(r.Voices), heard, expected)
	return t
}

// most is how many were connected at once.
func most(r *load.Result) (n int) {
	for _, s := range r.Seconds {
		n = max(n, s.Connected)
	}
	return n
}

func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// number is x with three digits, if it has that many: 0.42, 4.2, 42, 420, 4200.
func number(x float64) string {
	switch {
	case x == 0:
		return "0"
	case x < 1:
		return fmt.Sprintf("%.2f", x)
	case x < 10:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", x), ".0")
	}
	return fmt.Sprintf("%.0f", x)
}
