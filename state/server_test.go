package state

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/shard/backendtest"
	"bucketbrigade/shm"
)

func TestTwoShardsShareOneBrigade(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	startServer(t, Config{Dir: dir, Segments: []string{"echo01", "echo02"}})
	one := openClient(t, dir, "echo01", shm.ClientConfig{})
	two := openClient(t, dir, "echo02", shm.ClientConfig{})
	read := backendtest.Clock(t, one).Add(-3 * proto.SampleRate)
	var ans proto.Answer
	if err := one.Call(t.Context(), backendtest.Sing(1, read, 2880), &ans); err != nil {
		t.Fatal(err)
	}
	if err := two.Call(t.Context(), backendtest.Sing(2, read, 2880), &ans); err != nil {
		t.Fatal(err)
	}
	users, err := proto.ParseSummary(ans.Summary)
	if err != nil || len(users) != 2 {
		t.Errorf("the second shard sees %v (%v), want both users", users, err)
	}
}

func TestNewSegmentsAreTakenUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	startServer(t, Config{Dir: dir})
	// Not a segment's name: left alone.
	if err := os.WriteFile(filepath.Join(dir, "echo1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := openClient(t, dir, "echo07", shm.ClientConfig{Timeout: 5 * time.Second})
	first := backendtest.Clock(t, c)
	if st, err := os.Stat(filepath.Join(dir, "echo1")); err != nil || st.Size() != 0 {
		t.Errorf("echo1: %v, %v", st, err)
	}
	// The file is replaced by another of the same name.
	if err := os.Remove(filepath.Join(dir, "echo07")); err != nil {
		t.Fatal(err)
	}
	d := openClient(t, dir, "echo07", shm.ClientConfig{Timeout: 5 * time.Second})
	if second := backendtest.Clock(t, d); second < first {
		t.Errorf("clock %d after %d", second, first)
	}
}

func TestShardsOutliveTheServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := openClient(t, dir, "echo01", shm.ClientConfig{Timeout: 200 * time.Millisecond})
	var ans proto.Answer
	err := c.Call(t.Context(), &proto.Request{Kind: proto.KindClock}, &ans)
	if r := proto.AsRefusal(err); r == nil || r.Code != 503 {
		t.Fatalf("without a server: %v, want 503", err)
	}
	startServer(t, Config{Dir: dir, Segments: []string{"echo01"}})
	backendtest.Clock(t, c)
}

func TestASecondServerIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	startServer(t, Config{Dir: dir, Segments: []string{"echo01"}})
	_, err := New(Config{Dir: dir, Segments: []string{"echo01"}, Settings: Settings{Log: quiet()}})
	if err == nil || !strings.Contains(err.Error(), "another state server holds it") {
		t.Errorf("error %v", err)
	}
}

func TestWrongSettings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		cfg  Config
		says string
	}{
		{"no directory", Config{Dir: filepath.Join(dir, "none")}, "name another with -dir"},
		{"a file", Config{Dir: file}, "is no directory"},
		{"a path", Config{Dir: dir, Segments: []string{"../echo01"}}, "no plain name"},
		{"dots", Config{Dir: dir, Segments: []string{".."}}, "no plain name"},
		{"json area", Config{Dir: dir, Segments: []string{"echo01"}, Settings: Settings{JSONArea: 2000000}}, "65535"},
		{"no users", Config{Dir: dir, Settings: Settings{MaxUsers: -1}}, "-max-users -1 is not in 1..20000"},
		{"many users", Config{Dir: dir, Settings: Settings{MaxUsers: 20001}}, "-max-users 20001 is not in 1..20000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := New(c.cfg); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want one that says %q", err, c.says)
			}
		})
	}
}

// syncBuffer is a log that can be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestNonsenseIsAnsweredAndOthersGoOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var log syncBuffer
	startServer(t, Config{Dir: dir, Segments: []string{"echo01", "echo02"}, Settings: Settings{Log: slog.New(slog.NewTextHandler(&log, nil))}})
	good := openClient(t, dir, "echo02", shm.ClientConfig{})
	f, err := os.OpenFile(filepath.Join(dir, "echo01"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// A message by a peer gone wrong: "x" for JSON, written past the data area.
	for _, raw := range [][]byte{
		append([]byte{1, 1, 0, 'x'}, 0, 0, 0, 0),
		append([]byte{1, 2, 0, '{', '}'}, 255, 255, 255, 255),
		{1, 0, 0, 0, 0, 0, 0, 0},
	} {
		if _, err := f.WriteAt(raw[1:], 1); err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt(raw[:1], 0); err != nil { // the status last
			t.Fatal(err)
		}
		answer := waitForAnswer(t, f)
		if answer.Code != 400 || answer.Error == "" {
			t.Errorf("%x was answered %+v, want a 400", raw, answer)
		}
		backendtest.Clock(t, good)
	}
	if !strings.Contains(log.String(), "make no sense") || !strings.Contains(log.String(), "echo01") {
		t.Errorf("log %q does not tell of it", log.String())
	}
}

// waitForAnswer reads the answer that the server writes into a segment's file.
func waitForAnswer(t *testing.T, f *os.File) proto.Answer {
	t.Helper()
	buf := make([]byte, 4096)
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		if _, err := f.ReadAt(buf, 0); err != nil {
			t.Fatal(err)
		}
		if buf[0] == 2 {
			var ans proto.Answer
			if err := json.Unmarshal(buf[3:3+binary.LittleEndian.Uint16(buf[1:])], &ans); err != nil {
				t.Fatal(err)
			}
			return ans
		}
	}
	t.Fatal("no answer within 5 s")
	return proto.Answer{}
}

// Only the goroutine that owns the engine beats: while the engine hangs, nobody does.
func TestAnEngineThatHangsDoesNotBeat(t *testing.T) {
	t.Parallel()
	var hangs atomic.Bool
	beats, hung, goesOn := make(chan struct{}), make(chan struct{}), make(chan struct{})
	clock := NewSteadyClock()
	cfg := Config{Dir: t.TempDir(), Segments: []string{"echo01"}}
	cfg.Beat = func() {
		select {
		case beats <- struct{}{}:
		case <-t.Context().Done():
		}
	}
	cfg.Now = func() proto.Clock {
		if hangs.Swap(false) {
			close(hung)
			<-goesOn
		}
		return clock.Now()
	}
	startServer(t, cfg)
	<-beats
	hangs.Store(true)
	for over := false; !over; {
		select {
		case <-beats:
		case <-hung:
			over = true
		}
	}
	select {
	case <-beats:
		t.Error("it beats while the engine hangs")
	case <-time.After(3 * patience):
	}
	close(goesOn)
	<-beats
}

func TestSteadyClockIsTheWallClockAtFirst(t *testing.T) {
	t.Parallel()
	c := NewSteadyClock()
	before := proto.ClockAt(time.Now())
	got := c.Now()
	if d := got.Sub(before); d < -480 || d > proto.SampleRate {
		t.Errorf("the steady clock is %d samples off the wall clock", d)
	}
}

func TestEngineTicksFourTimesASecond(t *testing.T) {
	t.Parallel()
	now := proto.Clock(86400000000000)
	e, err := newEngine(Settings{Now: func() proto.Clock { return now }}, "")
	if err != nil {
		t.Fatal(err)
	}
	first := e.ticked
	now = now.Add(proto.SampleRate/4 - 1)
	if e.tick(); e.ticked != first {
		t.Error("ticked early")
	}
	now = now.Add(1)
	if e.tick(); e.ticked != now {
		t.Error("did not tick after a quarter of a second")
	}
}
