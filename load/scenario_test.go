package load

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestShippedScenarios(t *testing.T) {
	t.Parallel()
	if got := strings.Join(Scenarios(), " "); got != "choir crowd rehearsal restart storm" {
		t.Errorf("scenarios %s", got)
	}
	for _, name := range Scenarios() {
		s, err := ShippedScenario(name)
		if err != nil || s.Name != name || s.About == "" || !s.sings() {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	if _, err := ShippedScenario("opera"); err == nil || !strings.Contains(err.Error(), `"opera" is not known; choir,`) {
		t.Error(err)
	}
}

func TestScenariosThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		`{`:                                 "unexpected EOF",
		`{} {}`:                             "something follows",
		`{"vo": 1}`:                         "unknown field",
		`{"voices": {"yodel": 1}}`:          `"yodel" is not known`,
		`{"voices": {"sung": -1}}`:          "share -1 of voice sung",
		`{"voices": {"sung": 0}}`:           "all 0",
		`{"spectators": 0.6, "muted": 0.6}`: "together at most 1",
		`{"turn": [{"do": "lead"}]}`:        "turn_s 0 is not in 5..86400",
		`{"turn_s": 10, "turn": [{"at_s": 10, "do": "lead"}]}`:                                  "step 1: at_s 10 is not within",
		`{"turn_s": 10, "turn": [{"do": "shout"}]}`:                                             `"shout" is not known`,
		`{"turn_s": 10, "turn": [{"do": "tempo", "value": "fast"}]}`:                            "is no whole number of 0..500",
		`{"turn_s": 10, "turn": [{"do": "chat"}]}`:                                              "is no text",
		`{"leave": {"share": 0.5, "every_s": 10, "away_s": 6}}`:                                 "at least twice away_s 6",
		`{"turn_s": 10, "turn": [` + strings.Repeat(`{"do":"lead"},`, 1000) + `{"do":"lead"}]}`: "1001 steps",
	} {
		if _, err := ParseScenario("x", strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.80s: %v, want an error that says %q", text, err, says)
		}
	}
}

func TestOrders(t *testing.T) {
	t.Parallel()
	s := quiet(`, "turn_s": 10, "turn": [{"at_s": 0, "do": "lead"}, {"at_s": 3, "do": "tempo", "value": 90},
		{"at_s": 3, "do": "start"}, {"at_s": 5, "do": "chat", "value": "a&b"}, {"at_s": 6, "do": "reconnect"}, {"at_s": 8, "do": "stop"}]`)
	show := func(c cast, i int, from, to time.Duration) string {
		var list []string
		for _, o := range s.orders(c, i, i, from, to) {
			list = append(list, fmt.Sprintf("%g:%s", o.at.Seconds(), o.wish))
		}
		return strings.Join(list, " ")
	}
	whole := "request_lead=1 5:bpm=90&repeats=0&bpr=0 5:mark_start_singing=1 7:chat=%5B%22a%5Cu0026b%22%5D 8: 10:mark_stop_singing=1"
	for _, c := range []struct {
		name     string
		cast     cast
		i        int
		from, to time.Duration
		want     string
	}{
		{"the leader of a turn", cast{2, 1}, 0, 2 * time.Second, 12 * time.Second, "2:" + whole},
		{"the leader of the next", cast{2, 1}, 1, 2 * time.Second, 14 * time.Second, "8: 12:request_lead=1"},
		{"another", cast{2, 1}, 2, 2 * time.Second, 22 * time.Second, "8: 18:"},
		{"on another machine", cast{2, 2}, 0, 2 * time.Second, 22 * time.Second, "8: 18:"},
		{"without pilots", cast{0, 1}, 0, 2 * time.Second, 12 * time.Second, "2:" + whole},
		{"a run that ends early", cast{2, 1}, 0, 2 * time.Second, 4 * time.Second, "2:request_lead=1"},
	} {
		if got := show(c.cast, c.i, c.from, c.to); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Who leaves does so once a cycle, is back before the next, and a share does.
func TestLeaving(t *testing.T) {
	t.Parallel()
	s := quiet(`, "leave": {"share": 0.25, "every_s": 20, "away_s": 8}`)
	gone := 0
	for number := range 1000 {
		list := s.orders(cast{10, 1}, number, number, 5*time.Second, 65*time.Second)
		if number < 10 && len(list) > 0 {
			t.Errorf("pilot %d leaves", number)
		}
		gone += len(list)
		for k, o := range list {
			cycle := int((o.at - 5*time.Second) / (20 * time.Second))
			if end := o.at + o.away; o.away != 8*time.Second || end > time.Duration(cycle+1)*20*time.Second+5*time.Second {
				t.Errorf("singer %d leaves at %v until %v", number, o.at, end)
			}
			if k > 0 && o.at < list[k-1].at+list[k-1].away {
				t.Errorf("singer %d leaves twice: %v", number, list)
			}
		}
	}
	if gone < 660 || gone > 825 {
		t.Errorf("%d of 3 × 990 leave, want a quarter", gone)
	}
}

func FuzzParseScenario(f *testing.F) {
	for _, name := range Scenarios() {
		text, err := scenarios.ReadFile("scenarios/" + name + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseScenario("x", strings.NewReader(text))
		if err != nil {
			return
		}
		last := time.Duration(0)
		for _, o := range s.orders(cast{2, 1}, 1, 1, time.Second, time.Minute) {
			if o.at < last || o.at >= time.Minute || o.away < 0 {
				t.Fatalf("%s: order at %v after %v", text, o.at, last)
			}
			last = o.at
		}
	})
}
