package box

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bucketbrigade/load"
)

// choir sings at the machine, at real pace, in the background.
type choir struct {
	m       *machine
	file    string // of the result, as seen from outside
	second  atomic.Int64
	ended   chan struct{}
	err     error
	said    []string
	started time.Time
	events  []event
	result  *load.Result
}

// event is something that befell the machine.
type event struct {
	what string
	at   time.Time
}

// evening is a scenario with what its only leader does.
const evening = `{
 "about": "One evening.", "voices": {"sung": 50, "room": 50}, "turn_s": 3600,
 "turn": [{"at_s": 0, "do": "lead"}, %s]
}`

// oneSong is one of a length. It is heard to its end by all, and recorded, 26 s later.
func oneSong(length time.Duration) string {
	return fmt.Sprintf(`{"at_s": 2.5, "do": "start"}, {"at_s": %.1f, "do": "stop"}`, 2.5+length.Seconds())
}

// twoSongs are short; the first is written to disk when the second one starts. It is
// long enough for two looks at what a pilot behind the leader hears of it, at the least.
const twoSongs = `{"at_s": 2.5, "do": "start"}, {"at_s": 11, "do": "stop"}, {"at_s": 12, "do": "start"}, {"at_s": 30, "do": "stop"}`

var progress = regexp.MustCompile(`^ *(\d+) s +\d+ singers`)

// ramp is the time in which all join. What the leader does begins 1.5 s later.
const ramp = 3 * time.Second

// listed is how many failures of a kind a result has one by one: several times what
// all blows together may cost.
const listed = 2000

// sing begins a run of some length.
func (m *machine) sing(t testing.TB, users int, length time.Duration, turn string, args ...string) *choir {
	t.Helper()
	write(t, filepath.Join(m.Share(), "evening.json"), fmt.Sprintf(evening, turn))
	c := &choir{m: m, file: filepath.Join(m.Share(), "result.json"), ended: make(chan struct{}), started: time.Now()}
	_ = os.Remove(c.file)
	args = append([]string{
		"-url", "http://127.0.0.1:8080", "-users", fmt.Sprint(users), "-duration", length.String(), "-ramp", ramp.String(),
		"-scenario", "/mnt/share/evening.json", "-p99", "10s", "-look", "100ms", "-failures", fmt.Sprint(listed), "-json", "/mnt/share/result.json",
	}, args...)
	cmd := m.Command(context.Background(), m.singers, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if at := progress.FindStringSubmatch(lines.Text()); at != nil {
				n, _ := strconv.Atoi(at[1])
				c.second.Store(int64(n))
				continue
			}
			c.said = append(c.said, lines.Text())
		}
		c.err = cmd.Wait()
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-c.ended })
	return c
}

// until waits until a second of the run.
func (c *choir) until(t testing.TB, second int) {
	t.Helper()
	err := c.m.Await(t.Context(), func() bool {
		select {
		case <-c.ended:
			t.Fatalf("the choir ended too soon: %v\n%s", c.err, strings.Join(c.said, "\n"))
		default:
		}
		return c.second.Load() >= int64(second)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// note says that something happens now.
func (c *choir) note(what string) { c.events = append(c.events, event{what, time.Now()}) }

// wait waits for the end and reads the result.
func (c *choir) wait(t testing.TB) *load.Result {
	t.Helper()
	<-c.ended
	text, err := os.Open(c.file)
	if err != nil {
		t.Fatalf("no result: %v (%v)\n%s", err, c.err, strings.Join(c.said, "\n"))
	}
	defer text.Close()
	if c.result, err = load.ReadResult(text); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d singers: %d requests, p50 %.0f ms, p99 %.0f ms, max %.0f ms, errors %v, %d connections",
		c.result.Setup.Users, c.result.Totals.Answered, c.result.Totals.P50MS, c.result.Totals.P99MS, c.result.Totals.MaxMS,
		c.result.Totals.Errors, c.result.Totals.Connections)
	return c.result
}

// voices are failures found by listening, some time after what caused them.
var voices = map[string]bool{load.KindLost: true, load.KindMisplaced: true, load.KindEarly: true}

// after lists what failed between an event and the next one, but for voices.
func (c *choir) after(what string) (errors []string) {
	for i, e := range c.events {
		if e.what != what {
			continue
		}
		end := time.Now()
		if i+1 < len(c.events) {
			end = c.events[i+1].at
		}
		for _, f := range c.result.Failures {
			at := c.result.Machines[0].Start.Add(time.Duration(f.AtS * float64(time.Second)))
			if !voices[f.Kind] && !at.Before(e.at) && at.Before(end) {
				errors = append(errors, fmt.Sprintf("%.2f s later: %s: %s: %s", at.Sub(e.at).Seconds(), f.Singer, f.Kind, f.Text))
			}
		}
	}
	return errors
}

// unheard lists what was wrong with voices.
func (c *choir) unheard() (faults []string) {
	for _, f := range c.result.Failures {
		if voices[f.Kind] {
			faults = append(faults, fmt.Sprintf("at %.1f s: %s", f.AtS, f.Text))
		}
	}
	return faults
}

// uncounted tells of failures that the run counted and does not list: after and unheard
// do not know of them.
func (c *choir) uncounted() string {
	counted := 0
	for _, n := range c.result.Totals.Errors {
		counted += n
	}
	if counted == len(c.result.Failures) && c.result.FailuresLeftOut == 0 {
		return ""
	}
	return fmt.Sprintf("%d failures were counted, %v, of which %d are listed and %d said to be left out; at most %d of a kind are listed",
		counted, c.result.Totals.Errors, len(c.result.Failures), c.result.FailuresLeftOut, listed)
}

func TestUncountedFailuresAreTold(t *testing.T) {
	t.Parallel()
	lost := load.Failure{Kind: load.KindLost}
	for _, c := range []struct {
		counted, leftOut int
		listed           []load.Failure
		says             string
	}{
		{0, 0, nil, ""},
		{2, 0, []load.Failure{lost, lost}, ""},
		{3, 1, []load.Failure{lost, lost}, "3 failures were counted, map[" + load.KindLost + ":3], of which 2 are listed and 1 said to be left out"},
		{3, 0, []load.Failure{lost, lost}, "3 failures were counted"},
	} {
		r := &load.Result{Totals: load.Totals{Errors: map[string]int{load.KindLost: c.counted}}, Failures: c.listed, FailuresLeftOut: c.leftOut}
		if said := (&choir{result: r}).uncounted(); !strings.HasPrefix(said, c.says) || (said == "") != (c.says == "") {
			t.Errorf("%d counted, %d listed, %d left out: %q, want %q", c.counted, len(c.listed), c.leftOut, said, c.says)
		}
	}
}

// heard is how many pieces of voices were where they belong.
func (c *choir) heard() (n int) {
	for _, p := range c.result.Pilots {
		n += p.Heard
	}
	return n
}

func write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
