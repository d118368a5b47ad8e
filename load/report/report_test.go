package report

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"bucketbrigade/load"
)

// resultOf makes a run of some seconds, with latencies around those of latency(s),
// in milliseconds.
func resultOf(users, length int, latency func(s int) float64) *load.Result {
	r := &load.Result{
		Version: load.ResultVersion,
		Setup: load.Setup{
			URLs: []string{"http://127.0.0.1:8080/api"}, Users: users, DurationS: float64(length), RampS: 4, Pace: load.PaceReal,
			Scenario: "choir", Sings: true, ObjectiveP99MS: 300, Cores: 8, Pilots: 3,
		},
		Machines: []load.Machine{{Number: 1, Of: 1, Host: "stage", Cores: 2, Singers: users, Start: time.Unix(1.8e9, 0), Agreed: load.StartNow}},
		Pilots: []load.Pair{
			{Singer: "singer 0000", Listener: "singer 0001", Expected: 2, Heard: 2, LagSamples: 430, Score: 120.4, Verdict: "heard"},
			{Singer: "singer 0001", Listener: "singer 0000", Unsung: 1, Verdict: "rightly not heard"},
		},
		Voices: []load.Voice{
			{Singer: "singer 0000", Expected: 2, Heard: 2}, {Singer: "singer 0001", Unheard: load.UnheardShort}, {Singer: "singer 0002", Unheard: load.UnheardLast},
		},
		Totals: load.Totals{Errors: map[string]int{}, Songs: 1, Unconnected: 7, ConnectP99MS: 40}, Failures: []load.Failure{}, Warnings: []string{},
		Verdict: load.Verdict{Held: true, Reasons: []string{}},
	}
	names := []string{"generator-1", "shard-01", "shard-02", "state-server", "nginx"}
	for s := range length {
		due := users * 5 / 3 * min(s, 4) / 4
		sec := load.Second{Second: s, Due: due, Sent: due, Answered: due, Connected: users * min(s+1, 4) / 4, Errors: map[string]int{}, CPU: map[string]float64{}}
		for i := range due {
			spread := 0.6 + 0.8*float64(i%97)/97 + 3*math.Pow(float64(i%101)/101, 20)
			d := time.Duration(latency(s) * spread * float64(time.Millisecond))
			sec.Latency.Record(d)
			r.Latency.Record(d)
		}
		sec.P50MS, sec.P99MS, sec.MaxMS = ms(sec.Latency.At(50)), ms(sec.Latency.At(99)), ms(sec.Latency.Max())
		sec.BytesOut, sec.BytesIn = int64(due)*3900, int64(due)*4600
		for i, name := range names {
			sec.CPU[name] = float64(due) / 1000 * (0.2 + 0.3*float64(i%3)) * (1 + 0.1*math.Sin(float64(s*(i+1))))
		}
		r.Totals.Due, r.Totals.Sent, r.Totals.Answered = r.Totals.Due+due, r.Totals.Sent+due, r.Totals.Answered+due
		r.Seconds = append(r.Seconds, sec)
	}
	t := &r.Totals
	t.P50MS, t.P90MS, t.P99MS, t.P999MS, t.MaxMS = ms(r.Latency.At(50)), ms(r.Latency.At(90)), ms(r.Latency.At(99)), ms(r.Latency.At(99.9)), ms(r.Latency.Max())
	t.RatePerS = float64(users) * 5 / 3
	for i, name := range names {
		r.Processes = append(r.Processes, load.Process{
			Name: name, PID: 800 + i, CPUS: 2 + float64(i), SteadyS: float64(length - 4), Requests: t.Answered, PerRequestUS: 150 * float64(i+1), Generator: i == 0,
		})
	}
	r.Capacity = &load.Capacity{Cores: 8, Singers: 2100, Parts: []load.Share{{Kind: "shard", PerRequestUS: 750, SingersPerCore: 800}}}
	return r
}

// heldResult is a good evening.
func heldResult() *load.Result {
	return resultOf(60, 60, func(s int) float64 { return 3 + math.Sin(float64(s)/5) })
}

// failedResult is one in which the server stalls, and a name wants to be markup.
func failedResult() *load.Result {
	r := resultOf(150, 90, func(s int) float64 {
		if s > 50 && s < 65 {
			return 400
		}
		return 9
	})
	for s := 52; s < 60; s++ {
		r.Seconds[s].Errors = map[string]int{load.KindTooSlow: s - 50, load.KindDesync: 1}
		r.Seconds[s].Connected -= 15
		r.Totals.Errors[load.KindTooSlow] += s - 50
		r.Totals.Errors[load.KindDesync]++
	}
	r.Failures = []load.Failure{{AtS: 52.25, Kind: load.KindTooSlow, Singer: `<script>alert("x")</script>`, User: 5, Text: "a fifth request is due"}}
	r.FailuresLeftOut = 40
	r.Warnings = []string{"The generator was itself a limit: 2.0 % of the requests left more than 50ms late. Use more machines."}
	r.Verdict = load.Verdict{Reasons: []string{"44 × too slow: singer 0001, singer 0005 and others.", "99 % of the answers took up to 560 ms, the objective is 300."}}
	return r
}

// searchPage is one of three set-ups.
func searchPage() Page {
	p := Page{Result: heldResult()}
	for i, name := range []string{"unsharded", "1 shard", "2 shards"} {
		var found load.Found
		for _, users := range []int{50, 100, 200, 400} {
			r := resultOf(users, 6, func(int) float64 { return float64(users*(i+1)) / 4 })
			if r.Verdict.Held = r.Totals.P99MS < 300; r.Verdict.Held {
				found.Carries = users
			} else {
				found.Limit = "99 % of the answers took too long."
			}
			found.Trials = append(found.Trials, load.Trial{Users: users, Result: r})
		}
		p.SetUps = append(p.SetUps, SetUp{name, found})
	}
	return p
}

func render(t *testing.T, p Page) []byte {
	t.Helper()
	p.Command, p.Machine = "stress -url http://127.0.0.1:8080 -users 200 -report out.html", "Machine: some processor, 2 cores"
	p.Made = time.Date(2026, 5, 1, 20, 15, 0, 0, time.UTC)
	var page bytes.Buffer
	if err := Write(&page, p); err != nil {
		t.Fatal(err)
	}
	return page.Bytes()
}

func TestReportSays(t *testing.T) {
	t.Parallel()
	none := resultOf(3, 5, func(int) float64 { return 1 })
	none.Seconds, none.Latency, none.Totals, none.Processes, none.Capacity = nil, load.Histogram{}, load.Totals{}, nil, nil
	none.Verdict = load.Verdict{Reasons: []string{"No request was answered."}}
	paceless := resultOf(4, 8, func(int) float64 { return 2 })
	paceless.Setup.Pace, paceless.Workers = load.PaceNone, []load.Worker{{Name: "singer 0000", Requests: 900, MeanMS: 2.5, EstClients: 240}}
	for name, c := range map[string]struct {
		page Page
		says []string
	}{
		"held": {Page{Result: heldResult()}, []string{
			"<h1>The objective held</h1>", "60 singers for 60 s, scenario choir", "Friday, 1 May 2026, 20:15 UTC", "Machine: some processor",
			"stress -url http://127.0.0.1:8080", "shards", "A machine of 8 cores would carry about 2100", "2 of 2", "rightly not heard",
			"A singer costs the generator", "<td>stage</td>", "7 requests missed meanwhile", "of 3, in 2 of 2 pieces",
			"1 of 3 pilots heard; nobody stood behind singer 0002; too little of a song came to those behind singer 0001.",
		}},
		"failed": {Page{Result: failedResult()}, []string{
			"<h1>The objective did not hold</h1>", "44 × too slow: singer 0001", "&lt;script&gt;alert(", "And 40 more.", "The generator was itself a limit", "1 × desync, 9 × too slow",
		}},
		"search":       {searchPage(), []string{"<h1>Carries 400 singers, with unsharded</h1>", "2 shards carries 100. What gave way: 99 %", "Shown below: the run of 60 singers"}},
		"one set-up":   {Page{Result: heldResult(), SetUps: searchPage().SetUps[:1]}, []string{"<h1>Carries 400 singers</h1>", "More were not tried."}},
		"nothing":      {Page{Result: none}, []string{"No request was answered.", "Nothing was measured."}},
		"without pace": {Page{Result: paceless}, []string{"4 workers without pace for 8 s", "as many as clients", "<td>240</td>"}},
	} {
		page := string(render(t, c.page))
		for _, want := range c.says {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page does not say %s", name, want)
			}
		}
		for _, bad := range []string{"NaN", "Inf", "<script>alert", "ZgotmplZ", "%!", "e+0", "e-0"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s: the page has %s in it", name, bad)
			}
		}
	}
}

// A day is shown with no more points than an hour.
func TestReportOfALongRunIsSmall(t *testing.T) {
	t.Parallel()
	r := resultOf(3, 400, func(int) float64 { return 5 })
	r.Setup.StepS, r.Setup.DurationS = 216, 86400
	page := render(t, Page{Result: r})
	if len(page) > 1<<20 {
		t.Errorf("the page has %d bytes", len(page))
	}
	if !bytes.Contains(page, []byte("hours since the start")) {
		t.Error("the time is not told in hours")
	}
}

// Whatever is put together keeps its sums, and its percentiles are those of all.
func TestSpans(t *testing.T) {
	t.Parallel()
	r := resultOf(60, 100, func(s int) float64 { return float64(1 + s) })
	tail := r.Seconds[99]
	tail.Second, tail.Connected = 100, 0
	r.Seconds = append(r.Seconds, tail) // the last answers
	for _, n := range []int{1, 7, 60, 100, 1000} {
		list := spans(r, n)
		due, count := 0, int64(0)
		for i, s := range list {
			due, count = due+s.Due, count+s.Latency.Count()
			if i > 0 && s.from != list[i-1].to {
				t.Errorf("%d spans: a gap at %g", n, s.from)
			}
		}
		if len(list) > n || list[len(list)-1].to != 100 || due != r.Totals.Due+tail.Due || count != int64(due) {
			t.Errorf("%d spans: %d of them until %g, %d requests of %d, %d latencies", n, len(list), list[len(list)-1].to, due, r.Totals.Due+tail.Due, count)
		}
		if last := list[len(list)-1]; last.Connected != 60 {
			t.Errorf("%d spans: %d connected at the end", n, last.Connected)
		}
	}
	if whole := spans(r, 1)[0]; math.Abs(whole.P50MS-51) > 2 {
		t.Errorf("the median of all is %g ms, want about 51", whole.P50MS)
	}
}

func TestScales(t *testing.T) {
	t.Parallel()
	show := func(ticks []tick) string {
		var list []string
		for _, k := range ticks {
			list = append(list, fmt.Sprintf("%s@%.0f", k.Text, k.At))
		}
		return strings.Join(list, " ")
	}
	for high, want := range map[float64]string{
		4: "0@0 1@25 2@50 3@75 4@100", 1: "0@0 0.2@20 0.4@40 0.6@60 0.8@80 1@100", 333: "0@0 50@14 100@29 150@43 200@57 250@71 300@86 350@100",
		10500: "0@0 2000@17 4000@33 6000@50 8000@67 10000@83 12000@100",
	} {
		if _, ticks := linear(high); show(ticks) != want {
			t.Errorf("0 to %g: %s, want %s", high, show(ticks), want)
		}
	}
	for _, c := range []struct {
		low, high float64
		want      string
	}{{2, 360, "1@0 3@16 10@33 30@49 100@67 300@83 1000@100"}, {300, 300, "300@0 1000@100"}, {0.1, 0.2, "0.1@0 0.3@100"}} {
		if _, ticks := logarithmic(c.low, c.high); show(ticks) != c.want {
			t.Errorf("%g to %g: %s, want %s", c.low, c.high, show(ticks), c.want)
		}
	}
	for _, c := range []struct {
		length      float64
		label, want string
	}{{20, "seconds", "0@0 5@25 10@50 15@75 20@100"}, {90, "seconds", "0@0 10@11 20@22 30@33 40@44 50@56 60@67 70@78 80@89 90@100"}, {1800, "minutes", "0@0 5@17 10@33 15@50 20@67 25@83 30@100"}, {86400, "hours", "0@0 5@21 10@42 15@63 20@83"}} {
		if _, ticks, label := timeAxis(c.length); show(ticks) != c.want || !strings.HasPrefix(label, c.label) {
			t.Errorf("%g s: %s %s, want %s", c.length, show(ticks), label, c.want)
		}
	}
}

// A line is broken where nothing is known, and what stands alone is a dash.
func TestPolyline(t *testing.T) {
	t.Parallel()
	got := polyline([]point{{0, 1, true}, {1, 2, true}, {2, 3, false}, {3, 4, true}, {4, 5, false}})
	if want := "M0 1L1 2M3 4h.4"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := area([]point{{0, 1, true}, {1, 2, true}}); got != "M0 100L0 1L1 2L1 100Z" {
		t.Errorf("area %s", got)
	}
}
