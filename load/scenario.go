package load

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"slices"
	"strings"
	"time"

	"bucketbrigade/proto"
)

//go:embed scenarios/*.json
var scenarios embed.FS

// Scenario is what the singers do beside singing. As JSON:
//
//	{
//	  "about":      "one line",
//	  "voices":     {"sung": 50, "room": 50},   shares, of any sum
//	  "spectators": 0.05,                       share of those who send nothing
//	  "muted":      0.1,                        share of those who send silence
//	  "turn_s":     60,                         the turn below is done over and over
//	  "turn":       [{"at_s": 0, "do": "lead"}, {"at_s": 2.5, "do": "start"}],
//	  "leave":      {"share": 0.2, "every_s": 30, "away_s": 7},
//	  "mute":       {"share": 0.1, "every_s": 20, "for_s": 8}
//	}
//
// Turns begin when all have joined. Each turn has a leader, of the pilots one
// after another, who does what is to be done:
//
//	lead        asks for the lead: everybody is dealt to the buckets
//	start, stop the song
//	halt        is done by another one: it breaks the song off
//	tempo       sets value beats a minute, 0 for none
//	chat        says value to all
//	reconnect   is done by everybody, each when his next request is due
//	together    everybody reconnects in the same moment
//
// Of who is no pilot a share leaves once every so often, and comes back, and a
// share mutes his microphone and switches it on again.
//
// # How a storm really is
//
// A browser does not see that a network or a server has failed. It sees it when
// its next request fails, and connects again at once; if that fails too, once a
// second. Each browser asks at a time of its own, so all are back within 600 ms,
// or within a second, and each goes on at a time of its own: that is reconnect. It
// is also what happens when somebody takes the lead.
//
// A server that is started anew, keeps who asks for the clock waiting and then
// answers all of them in one moment brings them into step. They go on in that
// step, every 600 ms, for as long as they sing: that is together. Ours takes care not
// to; scenario restart shows what it is spared.
type Scenario struct {
	Name       string             `json:"-"`
	About      string             `json:"about"`
	Voices     map[string]float64 `json:"voices"`
	Spectators float64            `json:"spectators"`
	Muted      float64            `json:"muted"`
	TurnS      float64            `json:"turn_s"`
	Turn       []Step             `json:"turn"`
	Leave      *Leave             `json:"leave"`
	Mute       *Mute              `json:"mute"`
}

// Step is one thing that is done in a turn.
type Step struct {
	AtS   float64         `json:"at_s"`
	Do    string          `json:"do"`
	Value json.RawMessage `json:"value,omitempty"`
}

// Leave says who leaves and comes back.
type Leave struct {
	Share  float64 `json:"share"`
	EveryS float64 `json:"every_s"`
	AwayS  float64 `json:"away_s"`
}

// Mute says who mutes his microphone, and for how long. Who is muted all the
// time, or a spectator, does not.
type Mute struct {
	Share  float64 `json:"share"`
	EveryS float64 `json:"every_s"`
	ForS   float64 `json:"for_s"`
}

// Scenarios lists the names of those that ship.
func Scenarios() []string {
	entries, err := scenarios.ReadDir("scenarios")
	if err != nil {
		panic("load: " + err.Error()) // it is embedded
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".json"))
	}
	return names
}

// ShippedScenario gives one that ships.
func ShippedScenario(name string) (*Scenario, error) {
	if !slices.Contains(Scenarios(), name) {
		return nil, fmt.Errorf("scenario %s is not known; %s are, or give a file", proto.Shown(name), strings.Join(Scenarios(), ", "))
	}
	text, err := scenarios.ReadFile("scenarios/" + name + ".json")
	if err != nil {
		return nil, err
	}
	return ParseScenario(name, bytes.NewReader(text))
}

// What a scenario may say.
const (
	maxScenarioBytes = 1 << 20
	maxSteps         = 1000
)

// ParseScenario reads one. An error names the value and what is allowed.
func ParseScenario(name string, r io.Reader) (*Scenario, error) {
	s := &Scenario{Name: name}
	d := json.NewDecoder(io.LimitReader(r, maxScenarioBytes))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("scenario %s: %w", name, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("scenario %s: something follows the object", name)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("scenario %s: %w", name, err)
	}
	return s, nil
}

func (s *Scenario) check() error {
	if _, err := shares(s.Voices); err != nil {
		return err
	}
	if !(s.Spectators >= 0 && s.Muted >= 0 && s.Spectators+s.Muted <= 1) {
		return fmt.Errorf("spectators %g and muted %g: shares, together at most 1", s.Spectators, s.Muted)
	}
	if len(s.Turn) > 0 && !(s.TurnS >= 5 && s.TurnS <= 86400) {
		return fmt.Errorf("turn_s %g is not in 5..86400", s.TurnS)
	}
	if len(s.Turn) > maxSteps {
		return fmt.Errorf("a turn of %d steps, at most %d are taken", len(s.Turn), maxSteps)
	}
	for i, step := range s.Turn {
		if !(step.AtS >= 0 && step.AtS < s.TurnS) {
			return fmt.Errorf("step %d: at_s %g is not within the turn of %g s", i+1, step.AtS, s.TurnS)
		}
		if _, err := step.wish(); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	if l := s.Leave; l != nil && !(l.Share >= 0 && l.Share <= 1 && l.AwayS > 0 && l.EveryS >= 2*l.AwayS && l.EveryS <= 86400) {
		return fmt.Errorf("leave: share %g must be in 0..1, every_s %g at least twice away_s %g", l.Share, l.EveryS, l.AwayS)
	}
	if m := s.Mute; m != nil && !(m.Share >= 0 && m.Share <= 1 && m.ForS > 0 && m.EveryS >= 2*m.ForS && m.EveryS <= 86400) {
		return fmt.Errorf("mute: share %g must be in 0..1, every_s %g at least twice for_s %g", m.Share, m.EveryS, m.ForS)
	}
	return nil
}

// wish is what a step adds to a request; "" for who reconnects, which adds nothing.
func (s Step) wish() (string, error) {
	switch s.Do {
	case "lead":
		return "request_lead=1", nil
	case "start":
		return "mark_start_singing=1", nil
	case "stop", "halt":
		return "mark_stop_singing=1", nil
	case "reconnect", "together":
		return "", nil
	case "tempo":
		var bpm int
		if err := json.Unmarshal(s.Value, &bpm); err != nil || bpm < 0 || bpm > proto.MaxBPM {
			return "", fmt.Errorf("tempo %s is no whole number of 0..%d", proto.Shown(string(s.Value)), proto.MaxBPM)
		}
		return fmt.Sprintf("bpm=%d&repeats=0&bpr=0", bpm), nil
	case "chat":
		var text string
		if err := json.Unmarshal(s.Value, &text); err != nil || len(text) == 0 || len(text) > proto.MaxChatChars {
			return "", fmt.Errorf("chat %s is no text of 1..%d bytes", proto.Shown(string(s.Value)), proto.MaxChatChars)
		}
		list, err := json.Marshal([]string{text})
		return url.Values{"chat": {string(list)}}.Encode(), err
	}
	return "", fmt.Errorf("%s is not known; lead, start, stop, halt, tempo, chat, reconnect and together are", proto.Shown(s.Do))
}

// sings tells whether a song is started at all.
func (s *Scenario) sings() bool {
	return slices.ContainsFunc(s.Turn, func(step Step) bool { return step.Do == "start" })
}

// order is something that a singer does at a time from the start on.
type order struct {
	at   time.Duration
	do   deed
	wish string        // of wishes: with the next request
	away time.Duration // of leaves: until he reconnects
}

// deed is what kind of thing a singer does.
type deed int

const (
	wishes deed = iota
	leaves      // reconnects after having been away
	fails       // reconnects when the next request is due
	mutes
	unmutes
)

// chance is a number in 0..1 that belongs to a singer and a purpose; over all
// singers they lie evenly.
func chance(number int, purpose uint64) float64 {
	z := uint64(number)*0x9e3779b97f4a7c15 + purpose*0xd1342543de82ef95
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64(z^z>>31) / (1 << 64)
}

// cast says who the singers of one machine are: the first ones are pilots. Those
// of the first machine take the lead in turns.
type cast struct {
	pilots, machine int
}

// orders lists what the singer of a number, this machine's i-th, does within from
// (when all have joined) and to (the end), in order. It depends on nothing else,
// so that machines need not talk.
func (s *Scenario) orders(c cast, i, number int, from, to time.Duration) []order {
	var list []order
	for turn, at := 0, from; len(s.Turn) > 0 && at < to; turn, at = turn+1, at+seconds(s.TurnS) {
		leads := c.machine == 1 && i == turn%max(c.pilots, 1)
		halts := c.machine == 1 && i == (turn+1)%max(c.pilots, 1)
		for _, step := range s.Turn {
			wish, err := step.wish()
			if err != nil {
				panic("load: " + err.Error()) // check has seen it
			}
			o := order{at: at + seconds(step.AtS), wish: wish}
			all := true
			switch step.Do {
			case "reconnect":
				o.do = fails
			case "together":
				o.do = leaves
			default:
				all = false
			}
			if o.at < to && (all || step.Do == "halt" && halts || step.Do != "halt" && leads) {
				list = append(list, o)
			}
		}
	}
	if i >= c.pilots {
		list = append(list, s.habits(number, from, to)...)
	}
	slices.SortStableFunc(list, func(a, b order) int { return int(a.at - b.at) })
	return list
}

// habits is what the singer of a number does of his own accord.
func (s *Scenario) habits(number int, from, to time.Duration) (list []order) {
	if l := s.Leave; l != nil {
		for at := range spells(number, chanceLeave, l.Share, l.EveryS, l.AwayS, from, to) {
			list = append(list, order{at: at, do: leaves, away: seconds(l.AwayS)})
		}
	}
	if m := s.Mute; m != nil && s.part(false, number) == sings {
		for at := range spells(number, chanceMute, m.Share, m.EveryS, m.ForS, from, to) {
			list = append(list, order{at: at, do: mutes})
			if until := at + seconds(m.ForS); until < to {
				list = append(list, order{at: until, do: unmutes})
			}
		}
	}
	return list
}

// spells are the times within from and to at which a singer begins what takes
// length seconds. In each stretch of every seconds he does so with a chance of
// share, and has done before the next stretch begins.
func spells(number int, purpose uint64, share, every, length float64, from, to time.Duration) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		for cycle, at := uint64(0), from; at < to; cycle, at = cycle+1, at+seconds(every) {
			begins := at + seconds((every-length)*chance(number, purpose+2*cycle))
			if chance(number, purpose+2*cycle+1) < share && begins < to && !yield(begins) {
				return
			}
		}
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
