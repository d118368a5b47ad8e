package load

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"

	"bucketbrigade/proto"
)

// Config says what is to be run. URLs and Users are needed; Check fills in what
// was left zero. What it fills in is for so many Users.
type Config struct {
	// URLs are the API's; singers are dealt to them one after another. Of a site's
	// address without a path "/api" is taken.
	URLs []string
	// Users is the number of singers of all machines together, 1..MaxUsers.
	Users int
	// Duration is the whole run, a minute if 0; Ramp the part of it in which they
	// join: 20 ms a singer if 0, at most a quarter of the run.
	Duration, Ramp time.Duration
	// Scenario is the choir if nil.
	Scenario *Scenario
	// Voices is the mix, that of the scenario if empty; Folder holds WAV files to
	// be sung instead.
	Voices map[string]float64
	Folder string
	// Pilots is how many of this machine's singers carry a pattern: a tenth of
	// them, 3 to 8, if 0; none if negative.
	Pilots int
	// LookGap is the time from one look for a pilot's voice to the next; 1 s if 0.
	// With 8 pilots that is each pair once a minute. A look takes 15 ms of a
	// processor.
	LookGap time.Duration
	// Machine is 1..Machines; alone if 0.
	Machine, Machines int
	// StartAt is when second 0 begins, by the server's clock; at once if zero.
	StartAt time.Time
	// ObjectiveP99 is 300 ms if 0.
	ObjectiveP99 time.Duration
	// ListedFailures is how many failures of each kind a result has one by one, 50
	// if 0; more are counted only. Each takes
	// less than a kilobyte.
	ListedFailures int
	// Processes are looked at.
	Processes []NamedProcess
	// Cores is what Capacity is estimated for; those of this machine if 0.
	Cores int
	// Progress is called about once a second, on a goroutine of its own; nil for
	// not at all.
	Progress func(Snapshot)
	// Transport carries the requests of all singers; each has connections of his
	// own if nil.
	Transport http.RoundTripper

	// batches is the length of the loops.
	batches int
}

// NamedProcess is one to look at: on this machine by its PID, together with its
// children, elsewhere by what it tells at Metrics, a URL.
type NamedProcess struct {
	Name    string
	PID     int
	Metrics string
}

// DefaultObjective is the latency below which a choir does not notice.
const DefaultObjective = 300 * time.Millisecond

// maxPilots bounds what listening costs.
const maxPilots = 64

const (
	defaultLookGap = time.Second
	maxLookGap     = time.Minute

	defaultListed = 50
	maxListed     = 10_000
)

// Check fills in defaults and finds what cannot be run.
func (c *Config) Check() error {
	if len(c.URLs) == 0 {
		return errors.New("no address to sing at: give -url")
	}
	for i, text := range c.URLs {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" {
			return fmt.Errorf("address %s: want something like http://127.0.0.1:8080 or https://sing.example.org/api/01", proto.Shown(text))
		}
		if strings.Trim(u.Path, "/") == "" {
			u.Path = "/api"
		}
		c.URLs[i] = u.String()
	}
	if c.Users < 1 || c.Users > MaxUsers {
		return fmt.Errorf("%d users are not in 1..%d", c.Users, MaxUsers)
	}
	if c.Machines == 0 {
		c.Machine, c.Machines = 1, 1
	}
	if c.Machine < 1 || c.Machine > c.Machines {
		return fmt.Errorf("machine %d of %d: the first is 1/%d", c.Machine, c.Machines, c.Machines)
	}
	if c.Machines > 1 && c.StartAt.IsZero() {
		return fmt.Errorf("machine %d/%d without a time: give all of them the same -start-at", c.Machine, c.Machines)
	}
	if c.Duration == 0 {
		c.Duration = time.Minute
	}
	if c.Duration < time.Second || c.Duration > 24*time.Hour {
		return fmt.Errorf("a duration of %v is not in 1s..24h", c.Duration)
	}
	if c.Ramp == 0 {
		c.Ramp = min(time.Duration(c.Users)*20*time.Millisecond, c.Duration/4)
	}
	if c.Ramp < 0 || c.Ramp > c.Duration {
		return fmt.Errorf("a ramp of %v does not fit into %v", c.Ramp, c.Duration)
	}
	if c.Scenario == nil {
		var err error
		if c.Scenario, err = ShippedScenario("choir"); err != nil {
			return err
		}
	}
	if len(c.Voices) == 0 {
		c.Voices = c.Scenario.Voices
	}
	return c.checkRest()
}

func (c *Config) checkRest() error {
	count := c.plan(time.Now()).Count()
	switch {
	case c.Pilots > maxPilots:
		return fmt.Errorf("%d pilots, at most %d are taken: each of them decodes what it hears", c.Pilots, maxPilots)
	case c.Pilots == 0:
		c.Pilots = min(max(count/10, 3), 8)
	}
	c.Pilots = min(c.Pilots, count)
	if c.LookGap == 0 {
		c.LookGap = defaultLookGap
	}
	if c.LookGap < 0 || c.LookGap > maxLookGap {
		return fmt.Errorf("one look in %v for a pilot's voice: more than 0 and at most %v are taken", c.LookGap, maxLookGap)
	}
	if c.ObjectiveP99 == 0 {
		c.ObjectiveP99 = DefaultObjective
	}
	if c.ObjectiveP99 < 0 {
		return fmt.Errorf("an objective of %v: want a time such as 300ms", c.ObjectiveP99)
	}
	if c.ListedFailures == 0 {
		c.ListedFailures = defaultListed
	}
	if c.ListedFailures < 1 || c.ListedFailures > maxListed {
		return fmt.Errorf("a list of %d failures of each kind is not in 1..%d", c.ListedFailures, maxListed)
	}
	if c.Cores == 0 {
		c.Cores = runtime.NumCPU()
	}
	if c.batches == 0 {
		c.batches = loopBatches
	}
	seen := map[string]bool{}
	for _, p := range c.Processes {
		if seen[p.Name] || p.Name == "" || (p.PID < 1) == (p.Metrics == "") {
			return fmt.Errorf("process %s=%d%s: want a name of its own, and a process id or an address of metrics", proto.Shown(p.Name), p.PID, p.Metrics)
		}
		seen[p.Name] = true
	}
	return nil
}

// keptSteps is how many steps of a run a result has at most, but for the last
// answers: each holds 25 kB while the run lasts.
const keptSteps = 1800

// maxStepS is that of a run of 24 hours.
const maxStepS = 24 * 3600 / keptSteps

// step is how long each of them is: a second up to half an hour.
func (c *Config) step() time.Duration {
	const whole = keptSteps * time.Second
	return max((c.Duration+whole-1)/whole, 1) * time.Second
}

// plan is the run's, if it starts then.
func (c *Config) plan(start time.Time) Plan {
	return Plan{Start: start, Users: c.Users, Ramp: c.Ramp, Machine: c.Machine, Machines: c.Machines}
}
