package main

import (
	"fmt"
	"strings"
)

// provenance says where numbers come from.
type provenance struct {
	machine, date, commit, command string
}

// benchTable is all goals as Markdown, and how many were reached.
func benchTable(from provenance, m measured, goals []goal) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Made by `%s` on %s at commit %s. %s.\n\n", from.command, from.date, from.commit, from.machine)
	b.WriteString("| line | measured | beside it | goal | |\n|---|---|---|---|---|\n")
	reached, there := 0, 0
	for _, g := range goals {
		r := m.result(g)
		if !r.there {
			fmt.Fprintf(&b, "| %s | not measured | | ≤ %g | |\n", g.title, g.most)
			continue
		}
		there++
		word := "**not reached**"
		if r.reached(g) {
			word = "reached"
			reached++
		}
		fmt.Fprintf(&b, "| %s | %s | %s | ≤ %g | %s |\n", g.title, threeDigits(r.value), withUnit(r.shown, g.shown), g.most, word)
	}
	fmt.Fprintf(&b, "\n%d of %d goals were measured, and %d of them reached.\n", there, len(goals), reached)
	return b.String()
}

// withUnit writes what stands beside a ratio.
func withUnit(value float64, unit string) string {
	switch unit {
	case "us/op":
		return threeDigits(value) + " µs"
	case "B/op":
		return threeDigits(value) + " bytes"
	}
	return threeDigits(value) + " " + unit
}

// threeDigits writes a number to three digits: 0.123, 1.23, 12.3, 123, 1234.
func threeDigits(x float64) string {
	switch {
	case x == 0 || x >= 100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	case x >= 1:
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.3f", x)
}
