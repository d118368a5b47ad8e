package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/singer"
)

// Config says what is to be run. URLs and Users are needed; Check fills in what
// was left zero.
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
	case c.Pilots < 0:
		c.Pilots = 0
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

// settleTime is how long after the last has joined all are known to the server.
const settleTime = 1500 * time.Millisecond

// run is one run.
type run struct {
	cfg     Config
	library *library
	plan    Plan
	start   time.Time // by this machine's clock
	end     time.Time
	rec     *recorder
	ear     *ear
	members []*member
	machine Machine
}

// Run sings. An error says that it could not begin; what went wrong later stands
// in the result. The end of ctx ends the run early, which its verdict says.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	lib, err := newLibrary(cfg.Voices, cfg.Folder, cfg.batches)
	if err != nil {
		return nil, err
	}
	r := &run{cfg: cfg, library: lib}
	if err := r.agree(ctx); err != nil {
		return nil, err
	}
	if err := r.gather(); err != nil {
		return nil, err
	}
	bells, err := r.newAlarm()
	if err != nil {
		return nil, err
	}
	defer bells.close()
	for _, m := range r.members {
		m.alarm = bells
	}
	return r.sing(ctx), nil
}

// newAlarm starts what wakes the singers. Who brings a transport of his own may
// live in a time of his own, too.
func (r *run) newAlarm() (*alarm, error) {
	if r.cfg.Transport != nil {
		return newAlarm(newGoTimer()), nil
	}
	t, err := newKernelTimer()
	if err != nil {
		return nil, err
	}
	return newAlarm(t), nil
}

// agree finds out the server's clock, and when the run starts.
func (r *run) agree(ctx context.Context) error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	r.machine = Machine{
		Number: r.cfg.Machine, Of: r.cfg.Machines, Host: host, Cores: runtime.NumCPU(),
		Singers: r.cfg.plan(time.Now()).Count(), Agreed: StartNow,
	}
	b, err := r.browser(0, nil)
	if err != nil {
		return err
	}
	ahead, within, err := clockAhead(ctx, b)
	if err != nil {
		return fmt.Errorf("the server at %s: %w", r.cfg.URLs[0], err)
	}
	r.machine.ClockAheadMS, r.machine.ClockErrorMS = milliseconds(ahead), milliseconds(within)
	// The plan goes by the server's clock, which all machines share.
	agreed := time.Now().Add(-ahead)
	if !r.cfg.StartAt.IsZero() {
		late := agreed.Sub(r.cfg.StartAt)
		if late > 0 {
			return fmt.Errorf("it is %v too late to start at %s: the server's clock shows %s", late.Round(time.Millisecond),
				r.cfg.StartAt.Format(time.RFC3339), agreed.Format(time.RFC3339))
		}
		agreed, r.machine.Agreed = r.cfg.StartAt, StartByServer
	}
	r.start = agreed.Add(ahead)
	r.end = r.start.Add(r.cfg.Duration)
	r.plan = r.cfg.plan(agreed)
	r.machine.Start, r.machine.StartClock = r.start.Round(0), proto.ClockAt(agreed)
	r.rec = newRecorder(r.start, r.machine.StartClock, r.cfg.step())
	r.ear = newEar(r.rec, r.cfg.LookGap)
	return nil
}

// browser makes that of the singer of a number.
func (r *run) browser(number int, sessions tls.ClientSessionCache) (*browser, error) {
	target, err := url.Parse(r.cfg.URLs[number%len(r.cfg.URLs)])
	if err != nil {
		return nil, err
	}
	transport := r.cfg.Transport
	if transport == nil {
		transport = newLine(sessions)
	}
	return &browser{transport: transport, target: target}, nil
}

// gather makes the singers.
func (r *run) gather() error {
	sessions := tls.NewLRUClientSessionCache(64)
	from := r.cfg.Ramp + settleTime
	c := cast{pilots: r.cfg.Pilots, machine: r.cfg.Machine}
	for i := range r.plan.Count() {
		number := r.plan.Number(i)
		b, err := r.browser(number, sessions)
		if err != nil {
			return err
		}
		m := &member{
			rec: r.rec, end: r.end, number: number, user: r.plan.User(number), name: nameOf(number),
			part: r.cfg.Scenario.part(i < c.pilots, number), browser: b, bell: newBell(),
			lag:   singer.DefaultLag - 3000 + int(chance(number, chanceLag)*8000),
			start: r.start, orders: r.cfg.Scenario.orders(c, i, number, from, r.cfg.Duration),
			offset: proto.BucketSeconds * (1 + number%6),
		}
		m.loop, m.place = r.library.pick(number)
		m.quiet, m.muted = r.library.silence, m.part == mutedPart
		r.members = append(r.members, m)
	}
	return r.choosePilots()
}

// choosePilots gives the first singers their patterns.
func (r *run) choosePilots() error {
	var all sync.WaitGroup
	errs := make([]error, r.cfg.Pilots)
	for i := range r.cfg.Pilots {
		m := r.members[i]
		all.Go(func() {
			if m.pilot, errs[i] = newPilot(m.name, m.user, r.cfg.batches, r.ear.in); errs[i] == nil {
				m.loop, m.place = m.pilot.loop, 0
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	n := pilotBuckets(r.cfg.Duration - r.cfg.Ramp)
	for i := range r.cfg.Pilots {
		p := r.members[i].pilot
		p.others, p.gap = r.cfg.Pilots-1, r.cfg.LookGap
		p.place = proto.BucketSeconds * (2 + (i+n-1)%n)
		r.ear.pilots = append(r.ear.pilots, p)
	}
	return nil
}

// pilotBuckets is over how many buckets, from the second on, pilots spread: no
// farther than a song's first seconds come within so long, so that there is
// somebody behind the leader in a short run too, and five at most.
func pilotBuckets(length time.Duration) int {
	// Until a song begins, and until a piece of it has been heard.
	const before = 10 * time.Second
	return min(max(int((length-before)/(proto.BucketSeconds*time.Second)), 2), 5)
}

// part says what the singer of a number does; pilots sing.
func (s *Scenario) part(pilot bool, number int) part {
	c := chance(number, chancePart)
	switch {
	case pilot:
	case c < s.Spectators:
		return spectates
	case c < s.Spectators+s.Muted:
		return mutedPart
	}
	return sings
}

// sing lets all of them sing and gives what came of it.
func (r *run) sing(ctx context.Context) *Result {
	var singers, others sync.WaitGroup
	w := newWatch(r)
	others.Go(func() { w.look(ctx) })
	others.Go(func() { r.ear.listen(ctx) })
	ahead := r.start.Sub(r.plan.Start)
	for i, m := range r.members {
		singers.Go(func() {
			m.live(ctx, r.plan.Join(i).Add(ahead))
			if l, ok := m.transport.(*line); ok {
				l.close()
			}
		})
	}
	singers.Wait()
	ended := time.Now()
	close(r.ear.in)
	others.Wait()
	return r.result(w, ended, ctx.Err() != nil)
}

// result puts together what was found.
func (r *run) result(w *watch, ended time.Time, interrupted bool) *Result {
	result := &Result{
		Version: ResultVersion,
		Setup: Setup{
			URLs: r.cfg.URLs, Users: r.cfg.Users, DurationS: r.cfg.Duration.Seconds(), RampS: r.cfg.Ramp.Seconds(),
			Pace: PaceReal, Scenario: r.cfg.Scenario.Name, Sings: r.cfg.Scenario.sings(), Voices: r.library.parts(),
			Pilots: r.cfg.Pilots, ObjectiveP99MS: milliseconds(r.cfg.ObjectiveP99), Cores: r.cfg.Cores,
			StepS: int(r.cfg.step() / time.Second),
		},
		Machines: []Machine{r.machine},
		Warnings: w.warnings,
	}
	r.rec.fill(result)
	result.Pilots = r.ear.result()
	result.Processes = w.processes()
	if text := r.machine.clockWarning(); text != "" {
		result.Warnings = append(result.Warnings, text)
	}
	if interrupted {
		result.InterruptedS = max(ended.Sub(r.start), time.Millisecond).Seconds()
	}
	result.judge()
	return result
}
