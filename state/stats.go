package state

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"bucketbrigade/brigade"
	"bucketbrigade/internal/measure"
	"bucketbrigade/proto"
)

// stall is how long the brigade may be without a tick: four of them.
const stall = time.Second

// codes are the statuses of requests that are counted by themselves.
var codes = [...]int{200, 400, 403, 409, 413, 429, 501}

// measures are what the owner of the brigade counts of its work, in atomic words:
// it never waits for who reads them.
type measures struct {
	handle, mix measure.Histogram
	byCode      [len(codes) + 1]atomic.Int64
	faults      atomic.Int64
	stalls      atomic.Int64

	// The last census.
	users, active, lateWrites atomic.Int64
	buckets                   [brigade.Buckets]atomic.Int64
	leader, song, recording   atomic.Bool
}

// recorded counts what became of recordings, in samples. It is written by the
// recorder's goroutine.
type recorded struct {
	written, lost, failures atomic.Int64
}

// mixing measures mix.
func (m *measures) mixing(mix func([]float32)) func([]float32) {
	return func(dst []float32) {
		began := time.Now()
		mix(dst)
		m.mix.Since(began)
	}
}

// answered counts an answer by the code of its refusal; an old one has none.
func (m *measures) answered(code int, reason string) {
	if reason == "" {
		code = 200
	}
	for i, c := range codes {
		if c == code {
			m.byCode[i].Add(1)
			return
		}
	}
	m.byCode[len(codes)].Add(1)
}

// count takes a census down.
func (m *measures) count(c brigade.Census) {
	m.users.Store(int64(c.Users))
	m.active.Store(int64(c.Active))
	m.lateWrites.Store(int64(c.LateWrites))
	for i, n := range c.Buckets {
		m.buckets[i].Store(int64(n))
	}
	m.leader.Store(c.Leader)
	m.song.Store(c.Song)
	m.recording.Store(c.Recording)
}

// Stats are what operators are told of the shared state. The census in it is at
// most a quarter of a second old.
type Stats struct {
	brigade.Census
	// Segments is how many are served.
	Segments int
	// Answers are how many requests were answered, by the code of the refusal or
	// 200; Faults how many messages made no sense.
	Answers map[string]int64
	Faults  int64
	// Stalls is how often the brigade stood still for a second or more.
	Stalls int64
	// Handles and Mixes are how long requests took, and the audio of their answers.
	Handles, Mixes measure.Snapshot
	// Records says that songs are recorded. Written and Lost is how much of them,
	// Failures how many pieces could not be written.
	Records       bool
	Written, Lost time.Duration
	Failures      int64
}

// stats gives them as they are now; any goroutine may ask.
func (e *engine) stats() Stats {
	m := e.measures
	st := Stats{
		Census: brigade.Census{
			Users: int(m.users.Load()), Active: int(m.active.Load()), LateWrites: int(m.lateWrites.Load()),
			Leader: m.leader.Load(), Song: m.song.Load(), Recording: m.recording.Load(),
		},
		Answers: map[string]int64{"other": m.byCode[len(codes)].Load()},
		Faults:  m.faults.Load(),
		Stalls:  m.stalls.Load(),
		Handles: m.handle.Snapshot(),
		Mixes:   m.mix.Snapshot(),
	}
	for i := range st.Buckets {
		st.Buckets[i] = int(m.buckets[i].Load())
	}
	for i, code := range codes {
		st.Answers[strconv.Itoa(code)] = m.byCode[i].Load()
	}
	if e.recorder != nil {
		c := &e.recorder.folder.counts
		st.Records, st.Failures = true, c.failures.Load()
		st.Written, st.Lost = audioTime(c.written.Load()), audioTime(c.lost.Load())
	}
	return st
}

// audioTime is how long n samples last.
func audioTime(n int64) time.Duration {
	return time.Duration(float64(n) / proto.SampleRate * float64(time.Second))
}

// inWords says in a few words what the state server does.
func (s *Stats) inWords() string {
	song := "no song"
	if s.Song {
		song = "a song is on"
	}
	return fmt.Sprintf("segments %d, singers %d, %s", s.Segments, s.Active, song)
}
