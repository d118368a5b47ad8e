package load

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/singer"
)

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
	pilots  []*pilot // the first of them
	machine Machine
}

// Run sings. An error says that it could not begin; what went wrong later stands
// in the result. The end of ctx ends the run early, which its verdict says.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	r, err := prepare(ctx, cfg)
	if err != nil {
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

// prepare makes the run of a configuration that was checked: voices are encoded, the
// server's clock is known, the singers stand ready.
func prepare(ctx context.Context, cfg Config) (*run, error) {
	lib, err := newLibrary(cfg.Voices, cfg.Folder, cfg.batches)
	if err != nil {
		return nil, err
	}
	cfg.Pilots = max(cfg.Pilots, 0)
	r := &run{cfg: cfg, library: lib}
	if r.pilots, err = newPilots(cfg.Pilots, cfg.batches); err != nil {
		return nil, err
	}
	// From here on time runs.
	if err := r.agree(ctx); err != nil {
		return nil, err
	}
	return r, r.gather()
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
	r.rec = newRecorder(r.start, r.machine.StartClock, r.cfg.step(), r.cfg.ListedFailures)
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
	c := cast{pilots: len(r.pilots), machine: r.cfg.Machine}
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
	r.placePilots()
	return nil
}

// placePilots gives the first singers their patterns and places.
func (r *run) placePilots() {
	n := len(r.pilots)
	last := min(lastBucket(r.cfg.Duration-r.cfg.Ramp), max(n, 2))
	r.ear.pilots = r.pilots
	for i, p := range r.pilots {
		m := r.members[i]
		p.name, p.user, p.ears = m.name, m.user, r.ear.in
		p.gap, p.place = r.cfg.LookGap, proto.BucketSeconds*pilotBucket(i, n, last)
		p.fellows = slices.Concat(r.pilots[:i], r.pilots[i+1:])
		m.pilot, m.loop, m.place = p, p.loop, 0
		// Where nobody is dealt to buckets they stand there from the beginning.
		if m.offset = p.place; i == 0 {
			m.offset = proto.BucketSeconds
		}
	}
}

// lastBucket is the one, 3..6, that the last pilot goes to: no farther than some
// pieces of a song come within a run of such a length after the ramp.
func lastBucket(length time.Duration) int {
	// Until a song begins, and while pieces of it are heard.
	const besides = 10 * time.Second
	return min(max(int((length-besides)/(proto.BucketSeconds*time.Second)), 3), 6)
}

// pilotBucket is the bucket of the i-th of so many pilots when he does not lead.
// The last one stands alone in the last bucket and listens; the others spread over
// those from the second on that lie before it, so that each of them has somebody
// behind him. last is 2 or more. Of eight, with 5 as the last bucket:
//
//	pilot    0  1  2  3  4  5  6  7
//	bucket   4  2  3  4  2  3  4  5
func pilotBucket(i, pilots, last int) int {
	if i > 0 && i == pilots-1 {
		return last
	}
	between := max(last-2, 1)
	return 2 + (i+between-1)%between
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
	result.Pilots, result.Voices = r.ear.result(), r.ear.voices()
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
