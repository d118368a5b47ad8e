package load

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"bucketbrigade/proto"
)

// lateSend is from when on a request left too late by the generator's own fault.
const lateSend = 50 * time.Millisecond

// recorder counts what happens. All singers share one.
type recorder struct {
	start      time.Time
	step       time.Duration // of a Second
	startClock proto.Clock   // the server's then

	mu        sync.Mutex
	seconds   []*Second
	connected int
	totals    Totals
	latency   Histogram
	connects  Histogram
	lateness  Histogram
	failures  []Failure
	most      int // failures of a kind that are kept
	kept      map[string]int
	leftOut   int
	songs     map[proto.Clock]bool
}

func newRecorder(start time.Time, clock proto.Clock, step time.Duration, most int) *recorder {
	return &recorder{
		start: start, startClock: clock, step: step, most: most, failures: []Failure{}, kept: map[string]int{}, songs: map[proto.Clock]bool{},
		totals: Totals{Errors: map[string]int{}},
	}
}

// at is the second, or step, that t belongs to. mu is held.
func (r *recorder) at(t time.Time) *Second {
	i := max(int(t.Sub(r.start)/r.step), 0)
	for len(r.seconds) <= i {
		r.seconds = append(r.seconds, &Second{
			Second: len(r.seconds) * int(r.step/time.Second), Connected: r.connected,
			Errors: map[string]int{}, Latency: Histogram{coarse: true}, CPU: map[string]float64{},
		})
	}
	return r.seconds[i]
}

// due notes that a request was due; sent says whether it left, at now.
func (r *recorder) due(due, now time.Time, sent bool, bytes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.at(due)
	s.Due++
	r.totals.Due++
	if !sent {
		return
	}
	s.Sent++
	s.BytesOut += int64(bytes)
	r.totals.Sent++
	r.totals.BytesOut += int64(bytes)
	r.lateness.Record(now.Sub(due))
	if now.Sub(due) > lateSend {
		r.totals.LateSends++
	}
}

// answered notes a good answer.
func (r *recorder) answered(due time.Time, latency time.Duration, bytes int, song proto.Clock) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.at(due)
	s.Answered++
	s.BytesIn += int64(bytes)
	s.Latency.Record(latency)
	r.latency.Record(latency)
	r.totals.Answered++
	r.totals.BytesIn += int64(bytes)
	// An earlier one may still be on when the run begins.
	if song >= r.startClock && len(r.songs) < 1<<16 {
		r.songs[song] = true
	}
}

// gaveUp notes a request that was not waited for any longer.
func (r *recorder) gaveUp(due time.Time, age time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at(due).Latency.Record(age)
	r.latency.Record(age)
}

// missed notes a request that was due while its singer had no connection, and
// how long after it the first one could be sent.
func (r *recorder) missed(due time.Time, age time.Duration) {
	r.due(due, due, false, 0)
	r.gaveUp(due, age)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.totals.Unconnected++
}

// opened and closed note connections.
func (r *recorder) opened(latency time.Duration, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at(now)
	r.connected++
	r.totals.Connections++
	r.connects.Record(latency)
	r.seconds[len(r.seconds)-1].Connected = r.connected
}

func (r *recorder) closed(now time.Time, moved bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at(now)
	r.connected--
	if moved {
		r.totals.Moves++
	}
	r.seconds[len(r.seconds)-1].Connected = r.connected
}

// failed notes what befell somebody.
func (r *recorder) failed(now time.Time, name string, user proto.UserID, err error) {
	kind := KindConnection
	var f *fault
	if errors.As(err, &f) {
		kind, err = f.kind, f.err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at(now).Errors[kind]++
	r.totals.Errors[kind]++
	if r.kept[kind] >= r.most {
		r.leftOut++
		return
	}
	r.kept[kind]++
	r.failures = append(r.failures, Failure{
		AtS: now.Sub(r.start).Seconds(), Kind: kind, Singer: name, User: user, Text: fmt.Sprintf("%.300s", err.Error()),
	})
}

// cpu notes the processor time that a process used in the second that ends now.
func (r *recorder) cpu(now time.Time, name string, used time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at(now.Add(-time.Second / 2)).CPU[name] += used.Seconds()
}

func (r *recorder) answers() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.totals.Answered
}

// Snapshot is how a run stands.
type Snapshot struct {
	// At is the time since the start; it is negative while the start is awaited.
	At, Duration time.Duration
	Connected    int
	// Last is the last whole second, or step of so long, of which most answers have
	// come: it ended a second ago. nil at first.
	Last   *Second
	Step   time.Duration
	Totals Totals
}

// snapshot is at now.
func (r *recorder) snapshot(now time.Time, duration time.Duration) Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Snapshot{At: now.Sub(r.start), Duration: duration, Connected: r.connected, Totals: r.sum(), Step: r.step}
	if i := int((s.At-time.Second)/r.step) - 1; i >= 0 && i < len(r.seconds) {
		last := *r.seconds[i]
		last.Errors, last.CPU, last.Latency = maps.Clone(last.Errors), maps.Clone(last.CPU), Histogram{}
		r.seconds[i].percentiles()
		last.P50MS, last.P99MS, last.MaxMS = r.seconds[i].P50MS, r.seconds[i].P99MS, r.seconds[i].MaxMS
		s.Last = &last
	}
	return s
}

// sum gives the totals so far. mu is held.
func (r *recorder) sum() Totals {
	t := r.totals
	t.Errors = maps.Clone(t.Errors)
	t.Songs = len(r.songs)
	t.percentiles(&r.latency, &r.connects)
	return t
}

func (t *Totals) percentiles(h, connects *Histogram) {
	t.ConnectP50MS, t.ConnectP99MS, t.ConnectMaxMS = milliseconds(connects.At(50)), milliseconds(connects.At(99)), milliseconds(connects.Max())
	t.P50MS, t.P90MS = milliseconds(h.At(50)), milliseconds(h.At(90))
	t.P99MS, t.P999MS, t.MaxMS = milliseconds(h.At(99)), milliseconds(h.At(99.9)), milliseconds(h.Max())
}

func (s *Second) percentiles() {
	s.P50MS, s.P99MS = milliseconds(s.Latency.At(50)), milliseconds(s.Latency.At(99))
	s.MaxMS = milliseconds(s.Latency.Max())
}

// fill puts what was counted into a result.
func (r *recorder) fill(result *Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.seconds {
		s.percentiles()
		result.Seconds = append(result.Seconds, *s)
	}
	result.Totals = r.sum()
	result.Latency, result.Connects, result.Lateness = r.latency, r.connects, r.lateness
	result.Failures, result.FailuresLeftOut = r.failures, r.leftOut
}
