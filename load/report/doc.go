// Package report makes a page of what a load run has found: one HTML file, with
// everything in it, that is as good in ten years and without a network.
//
//	┌────────────────────────────────────────────┐
//	│ The objective held.                        │  verdict, reasons, warnings
//	│ 200 singers  p50 3 ms  p99 20 ms  0 errors │  the figures of the run
//	├────────────────────────────────────────────┤
//	│ latency over time, with the objective      │  figures: an SVG each, the
//	│ latency as a distribution                  │  numbers behind it as a table
//	│ requests a second │ errors                 │
//	│ singers           │ processors             │
//	├────────────────────────────────────────────┤
//	│ processors, pilots, failures, machines     │  tables
//	│ machine, command line                      │
//	└────────────────────────────────────────────┘
//
// # How a figure is drawn
//
// A plot is an SVG of 100 × 100 that is stretched to the room there is, with lines
// that keep their width. What is written stands beside it as text of the page, at
// places in percent, so it has the same size on a telephone:
//
//	y = 0    ┌──────────────┐        a value v of 0..top lies
//	         │      ╱╲      │        at y = 100 − 100·v/top;
//	y = 100  └──────────────┘        latencies lie by their logarithm
//	       x = 0          100
//
// Each column of a plot can be pointed at and tells its numbers; without the
// page's script its title does. Nothing that the page says comes from anywhere but
// the result.
package report
