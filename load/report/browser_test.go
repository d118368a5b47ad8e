package report

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// lookAtPlots tells of each figure what a reader would see of it.
const lookAtPlots = `[...document.querySelectorAll("figure")].map((f) => {
  const area = f.querySelector(".area"), svg = f.querySelector("svg").getBoundingClientRect();
  const drawn = [...f.querySelectorAll(".line, .fill, .bar, .dot")].filter((e) => {
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    const colour = e.matches(".line") ? style.stroke : e.matches(".dot") ? style.borderColor : style.fill;
    return (box.width > 0 || box.height > 0) && colour !== "none" && colour !== "rgba(0, 0, 0, 0)" &&
      box.left >= svg.left - 8 && box.right <= svg.right + 8 && box.top >= svg.top - 8 && box.bottom <= svg.bottom + 8;
  }).length;
  const column = f.querySelector(".col");
  let tip = "";
  if (column) {
    column.dispatchEvent(new PointerEvent("pointermove", { bubbles: true }));
    const shown = f.querySelector(".tip:not([hidden])");
    tip = shown ? shown.textContent : "";
    area.dispatchEvent(new PointerEvent("pointerleave"));
  }
  return {
    id: f.id, drawn, tip, width: svg.width, height: svg.height,
    note: f.querySelector(".nothing")?.textContent ?? "",
    ticks: f.querySelectorAll(".xt").length * f.querySelectorAll(".yt").length,
    objective: f.querySelectorAll(".mark.limit").length,
    rows: f.querySelectorAll("tbody tr").length,
  };
})`

// seen is one figure of it.
type seen struct {
	ID                     string
	Drawn                  int
	Tip, Note              string
	Width, Height          float64
	Ticks, Objective, Rows int
}

// A browser opens the page without a word on its console and without asking
// anybody for anything, draws each plot, and finds room for all of it, from a
// telephone to a desk, light and dark.
func TestBrowserShowsReport(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		page    Page
		figures string
	}{
		{"held", Page{Result: heldResult()}, "latency distribution rate errors singers cpu"},
		{"failed", Page{Result: failedResult()}, "latency distribution rate errors singers cpu"},
		{"search", searchPage(), "carried attempts latency distribution rate errors singers cpu"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := startChromium(t)
			path := filepath.Join(t.TempDir(), "report.html")
			if err := os.WriteFile(path, render(t, c.page), 0o644); err != nil {
				t.Fatal(err)
			}
			for _, w := range []struct {
				width, height int
				scheme        string
			}{{1280, 900, "light"}, {1280, 900, "dark"}, {400, 800, "light"}} {
				b.open(path, w.width, w.height, w.scheme)
				checkPage(t, b, c.figures, fmt.Sprintf("%s at %d, %s", c.name, w.width, w.scheme))
				b.shoot(fmt.Sprintf("%s-%d-%s", c.name, w.width, w.scheme))
			}
			for _, fault := range b.faults {
				t.Errorf("%s: %s", c.name, fault)
			}
		})
	}
}

func checkPage(t *testing.T, b *chromium, figures, name string) {
	t.Helper()
	var plots []seen
	b.run(lookAtPlots, &plots)
	var ids []string
	for _, p := range plots {
		ids = append(ids, p.ID)
		if p.Drawn == 0 && p.Note == "" {
			t.Errorf("%s: nothing is drawn in plot %s: %+v", name, p.ID, p)
		}
		if p.Width < 200 || p.Height < 100 || p.Ticks == 0 || p.Rows == 0 {
			t.Errorf("%s: plot %s has no room, no axes or no table: %+v", name, p.ID, p)
		}
		if p.Tip == "" && p.ID != "attempts" {
			t.Errorf("%s: plot %s tells nothing of what is pointed at", name, p.ID)
		}
		if wants := slices.Contains([]string{"latency", "distribution", "attempts"}, p.ID); wants != (p.Objective == 1) {
			t.Errorf("%s: plot %s draws the objective %d times", name, p.ID, p.Objective)
		}
	}
	if got := strings.Join(ids, " "); got != figures {
		t.Errorf("%s: plots %s, want %s", name, got, figures)
	}
	var wide int
	if b.run("document.documentElement.scrollWidth - innerWidth", &wide); wide > 0 {
		t.Errorf("%s: the page is %d pixels wider than the window", name, wide)
	}
}
