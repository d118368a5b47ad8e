package state

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/shard/backendtest"
	"bucketbrigade/shm"
)

func TestServerCountsWhatItDoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	srv := startServer(t, Config{Dir: dir, Segments: []string{"echo01", "echo02"}})
	c := openClient(t, dir, "echo01", shm.ClientConfig{})
	now := backendtest.Clock(t, c)
	var ans proto.Answer
	for _, req := range []*proto.Request{
		backendtest.Sing(1, now.Add(-3*proto.SampleRate), 2880),  // carried out
		backendtest.Sing(1, now.Add(-2*proto.RingSamples), 2880), // too old
		backendtest.Sing(1, now.Add(3600*proto.SampleRate), 2880),
		{Kind: "no such thing"},
		{Kind: proto.KindTelemetry},
	} {
		if err := c.Call(t.Context(), req, &ans); err != nil {
			t.Fatal(err)
		}
	}
	st := srv.Stats()
	for code, want := range map[string]int64{"200": 2, "409": 1, "400": 2, "501": 1, "403": 0, "other": 0} {
		if st.Answers[code] != want {
			t.Errorf("%d answers of %s, want %d", st.Answers[code], code, want)
		}
	}
	if st.Handles.Count() != 6 || st.Mixes.Count() != 1 || st.Segments != 2 || st.Faults != 0 || st.Records {
		t.Errorf("%+v", st)
	}
	until(t, "the singer is counted", func() bool { return srv.Status() == "segments 2, singers 1, no song" })
}

func TestStallsAreCounted(t *testing.T) {
	t.Parallel()
	var log syncBuffer
	now := proto.Clock(86_400_000_000_000)
	e, err := newEngine(Settings{Now: func() proto.Clock { return now }, Log: slog.New(slog.NewTextHandler(&log, nil))}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	for _, pass := range []time.Duration{tickEvery, stall - time.Millisecond, stall, 100 * time.Millisecond, 3 * time.Second} {
		now = now.Add(proto.DurationSamples(pass))
		e.tick()
	}
	if n := e.stats().Stalls; n != 2 {
		t.Errorf("%d stalls, want 2", n)
	}
	if got := log.String(); strings.Count(got, "stood still") != 2 || !strings.Contains(got, "seconds=3.1") {
		t.Errorf("logged %s", got)
	}
}

func TestRecordedSecondsAreCounted(t *testing.T) {
	t.Parallel()
	r, _ := startRecorder(t, recording{})
	r.Begin(songStart)
	piece := make([]float32, proto.SampleRate/2)
	for _, at := range []int{0, 1, 2, 5} { // two were lost
		r.Write(songStart.Add(at*len(piece)), [][]float32{piece})
	}
	r.End()
	r.close()
	e := &engine{recorder: r, measures: &measures{}}
	if st := e.stats(); !st.Records || st.Written != 2*time.Second || st.Lost != time.Second || st.Failures != 0 {
		t.Errorf("written %v, lost %v, failures %d", st.Written, st.Lost, st.Failures)
	}
}

func TestPiecesThatCannotBeWrittenAreCounted(t *testing.T) {
	t.Parallel()
	r, _ := startRecorder(t, recording{})
	song := &songFiles{folder: r.folder, log: quiet(), retry: 1 << 40}
	song.write(job{what: writeSong, parts: 1, pcm: make([]int16, proto.SampleRate)})
	r.close()
	c := &r.folder.counts
	if c.failures.Load() != 1 || c.lost.Load() != proto.SampleRate || c.written.Load() != 0 {
		t.Errorf("failures %d, lost %d, written %d", c.failures.Load(), c.lost.Load(), c.written.Load())
	}
}

// Not parallel: it counts all allocations there are.
func TestCountingAllocatesNothing(t *testing.T) {
	e, err := newEngine(Settings{Log: quiet()}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	mix := e.measures.mixing(func([]float32) {})
	if n := testing.AllocsPerRun(100, func() {
		e.measures.handle.Since(time.Now())
		e.measures.answered(409, "x")
		e.measures.count(e.brigade.Census())
		mix(nil)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// What the owner of the brigade counts of one request.
func BenchmarkCounting(b *testing.B) {
	var m measures
	mix := m.mixing(func([]float32) {})
	for b.Loop() {
		began := time.Now()
		m.handle.Since(began)
		m.answered(0, "")
		mix(nil)
	}
}
