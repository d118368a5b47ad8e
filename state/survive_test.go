package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/shard/backendtest"
	"bucketbrigade/shm"
)

// life is one engine after the other over one directory.
type life struct {
	t      *testing.T
	dir    string
	s      Settings
	log    *syncBuffer
	engine *engine
	now    proto.Clock
	ans    proto.Answer
}

// begin starts the first engine. What it records goes to "recordings" in dir.
func begin(t *testing.T, s Settings) *life {
	t.Helper()
	l := &life{t: t, dir: t.TempDir(), s: s, log: &syncBuffer{}, now: songStart}
	l.s.MaxUsers = 20
	l.s.Now = func() proto.Clock { return l.now }
	l.s.Log = slog.New(slog.NewTextHandler(l.log, nil))
	l.start()
	t.Cleanup(func() {
		if l.engine != nil {
			_ = l.engine.close()
		}
	})
	return l
}

func (l *life) start() {
	l.t.Helper()
	e, err := newEngine(l.s, l.dir)
	if err != nil {
		l.t.Fatal(err)
	}
	l.engine = e
}

// die gives up all that a killed process gives up.
func (l *life) die() {
	l.t.Helper()
	if err := l.engine.close(); err != nil {
		l.t.Fatal(err)
	}
	l.engine = nil
}

// sing is the next request of user 1, who hears what is 3 s old.
func (l *life) sing(query string) proto.Metadata {
	l.t.Helper()
	l.now = l.now.Add(proto.FrameSamples)
	return l.ask(sung(l.now.Add(-3*proto.SampleRate), query))
}

// sung is a request of user 1, of one frame.
func sung(read proto.Clock, query string) *proto.Request {
	return &proto.Request{
		QueryString: fmt.Sprintf("userid=1&read_clock=%d&write_clock=%d&n_samples=%d%s",
			read, read.Add(-20*proto.FrameSamples), proto.FrameSamples, query),
		PCM: slices.Repeat([]float32{0.25}, proto.FrameSamples),
	}
}

func (l *life) ask(req *proto.Request) (m proto.Metadata) {
	l.t.Helper()
	n := l.engine.handle(req, &l.ans)
	if l.ans.Error != "" {
		l.t.Fatal(l.ans.Error)
	}
	if err := json.Unmarshal([]byte(l.ans.Metadata), &m); err != nil {
		l.t.Fatal(err)
	}
	l.ans.PCM = make([]float32, n)
	if n > 0 {
		l.engine.mix(l.ans.PCM)
	}
	return m
}

func TestTheNextEngineGoesOn(t *testing.T) {
	t.Parallel()
	l := begin(t, Settings{})
	l.sing("&mark_start_singing=1&reset_user_state=1")
	for range 60 {
		l.sing("")
	}
	before := l.sing("&bpr=7")
	heard := slices.Clone(l.ans.PCM)
	l.die()
	l.start()
	req := sung(l.now.Add(-3*proto.SampleRate), "&bpr=7")
	req.Again = true
	after := l.ask(req)
	if after.SongStartClock != before.SongStartClock || after.BPR == nil || *after.BPR != 7 || !slices.Equal(heard, l.ans.PCM) {
		t.Errorf("asked again: %+v, before: %+v", after, before)
	}
	if m := l.sing(""); m.SongStartClock != before.SongStartClock || m.BPR != nil || m.LastRequestClock != before.ServerClock {
		t.Errorf("the next answer: %+v", m)
	}
	if !strings.Contains(l.log.String(), "going on where the last server ended") {
		t.Errorf("log:\n%s", l.log)
	}
}

// Sessions are in the files: nobody else may read them.
func TestFilesAreOurs(t *testing.T) {
	t.Parallel()
	l := begin(t, Settings{})
	l.die()
	for _, name := range []string{ringsName, stateName, spareState} {
		path := filepath.Join(l.dir, name)
		if err := os.Chmod(path, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	l.start()
	names, err := os.ReadDir(l.dir)
	if err != nil || len(names) != 3 {
		t.Errorf("%v %v, want three files", names, err)
	}
	for _, name := range names {
		info, err := name.Info()
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v %v", name.Name(), info.Mode(), err)
		}
	}
	if matches, _ := filepath.Glob(filepath.Join(l.dir, segmentPattern)); len(matches) > 0 {
		t.Errorf("%v are taken for segments", matches)
	}
}

// What cannot be used is told once, and a new brigade serves at once.
func TestStartsAfreshWhereNothingCanBeUsed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		before func(t *testing.T, l *life)
		says   string
	}{
		{"no files", func(t *testing.T, l *life) {
			for _, name := range []string{ringsName, stateName} {
				if err := os.Remove(filepath.Join(l.dir, name)); err != nil {
					t.Fatal(err)
				}
			}
		}, "there is none yet"},
		{"stems", func(_ *testing.T, l *life) { l.s.Stems, l.s.Recordings = true, filepath.Join(l.dir, "recordings") }, "6 stems"},
		{"another start of the machine", change(ringsName, 50, true), "the machine was started since"},
		{"rings of another version", change(ringsName, 8, true), "it is of version"},
		{"a torn header of the rings", change(ringsName, 30, false), "not one of ours"},
		{"other rings", change(ringsName, 33, true), "it belongs to other rings"},
		{"a torn state", change(stateName, 700, false), "is damaged"},
		{"a torn header of the state", change(stateName, 9, false), "is damaged"},
		{"half a state", cut(stateName), "is damaged"},
		{"half the rings", cut(ringsName), "wanted are"},
		{"no state", func(t *testing.T, l *life) {
			if err := os.Remove(filepath.Join(l.dir, stateName)); err != nil {
				t.Fatal(err)
			}
		}, "no such file"},
		{"rings of the future", func(_ *testing.T, l *life) { l.now -= proto.SampleRate }, "is damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := begin(t, Settings{})
			for range 60 {
				l.sing("&mark_start_singing=1&reset_user_state=1")
			}
			l.die()
			c.before(t, l)
			l.start()
			m := l.sing("&reset_user_state=1")
			if m.SongStartClock != 0 || slices.Max(l.ans.PCM) != 0 {
				t.Errorf("not fresh: %+v, %v", m, slices.Max(l.ans.PCM))
			}
			log := l.log.String()
			if i := strings.LastIndex(log, "starting afresh"); i < 0 || !strings.Contains(log[i:], c.says) {
				t.Errorf("want a line that says %q:\n%s", c.says, log)
			}
			// And that one is kept.
			l.sing("&mark_start_singing=1")
			l.die()
			l.start()
			if m := l.sing(""); m.SongStartClock == 0 {
				t.Errorf("the fresh brigade is lost: %+v", m)
			}
		})
	}
}

// change changes a byte of a file; mend corrects the checksum of the rings' header.
func change(name string, at int64, mend bool) func(t *testing.T, l *life) {
	return func(t *testing.T, l *life) {
		path := filepath.Join(l.dir, name)
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		head := make([]byte, ringsHeader)
		if _, err := f.ReadAt(head, 0); err != nil {
			t.Fatal(err)
		}
		head[at] ^= 0x55
		if mend {
			sum := ringsSum(head)
			copy(head[ringsChecksum:], []byte{byte(sum), byte(sum >> 8), byte(sum >> 16), byte(sum >> 24)})
		}
		if _, err := f.WriteAt(head, 0); err != nil {
			t.Fatal(err)
		}
	}
}

// cut leaves half of a file.
func cut(name string) func(t *testing.T, l *life) {
	return func(t *testing.T, l *life) {
		path := filepath.Join(l.dir, name)
		info, err := os.Stat(path)
		if err == nil {
			err = os.Truncate(path, info.Size()/2)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A process that dies while it starts leaves what it found.
func TestDiesWhileItStarts(t *testing.T) {
	t.Parallel()
	l := begin(t, Settings{})
	start := l.sing("&mark_start_singing=1&reset_user_state=1").SongStartClock
	l.die()
	old, err := os.ReadFile(filepath.Join(l.dir, stateName))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(l.dir, spareState), old[:1000], 0o600); err != nil {
		t.Fatal(err)
	}
	l.start()
	if m := l.sing(""); m.SongStartClock != start {
		t.Errorf("%+v, want the song from %d", m, start)
	}
}

// The lead of the server clock is measured once, when the rings are made.
func TestTheClockNeverSteps(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := openRings(space{dir, quiet(), allocate}, false)
	if err != nil {
		t.Fatal(err)
	}
	lead := first.file.lead
	if d := lead - NewSteadyClock().lead; first.file.fresh == "" || d < -time.Second || d > time.Second {
		t.Errorf("fresh %q, %v off the wall clock", first.file.fresh, d)
	}
	if err := first.close(); err != nil {
		t.Fatal(err)
	}
	second, err := openRings(space{dir, quiet(), allocate}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer second.close()
	if second.file.lead != lead || second.file.fresh != "" {
		t.Errorf("lead %v became %v, fresh: %q", lead, second.file.lead, second.file.fresh)
	}
}

// A server counts from what the rings say, whatever the wall clock is set to.
func TestTheServersClockIsThatOfTheRings(t *testing.T) {
	t.Parallel()
	l := begin(t, Settings{})
	l.die()
	change(ringsName, 30, true)(t, l) // the lead is 2^48 ns more or so: days
	l.s.Now = nil
	l.start()
	if d := l.engine.now().Sub(NewSteadyClock().Now()); d > -3600*proto.SampleRate && d < 3600*proto.SampleRate {
		t.Errorf("the clock is %d samples off the wall clock, the lead was changed by days", d)
	}
}

func TestASecondServerOfADirectoryIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	startServer(t, Config{Dir: dir, Segments: []string{"echo01"}})
	_, err := New(Config{Dir: dir, Segments: []string{"echo02"}, Settings: Settings{Log: quiet()}})
	if err == nil || !strings.Contains(err.Error(), "another state server holds it") {
		t.Errorf("error %v", err)
	}
}

// What takes the place of a file is left alone.
func TestNoFilesButOurs(t *testing.T) {
	t.Parallel()
	for _, name := range []string{ringsName, stateName, spareState} {
		dir := t.TempDir()
		other := filepath.Join(dir, "other")
		if err := os.WriteFile(other, []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(other, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		e, err := newEngine(Settings{MaxUsers: 1, Log: quiet()}, dir)
		if err == nil {
			_ = e.close()
		}
		if text, _ := os.ReadFile(other); string(text) != "mine" || name == ringsName && err == nil {
			t.Errorf("%s: %v, and the other file holds %q", name, err, text)
		}
	}
}

// A server with shards over a segment is followed by another, which answers what
// stands there.
func TestAShardGoesOnWithTheNextServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := openClient(t, dir, "echo01", shm.ClientConfig{Timeout: 10 * time.Second})
	cfg := Config{Dir: dir, Segments: []string{"echo01"}, Settings: Settings{Log: quiet(), MaxUsers: 5}}
	var ans proto.Answer
	var read proto.Clock
	for i := range 4 {
		s, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		if i == 0 {
			read = backendtest.Clock(t, c).Add(-3 * proto.SampleRate)
		}
		read = read.Add(proto.FrameSamples) // joins what the server before has heard
		if err := c.Call(t.Context(), sung(read, ""), &ans); err != nil || ans.Error != "" {
			t.Fatalf("server %d: %v %s", i, err, ans.Error)
		}
		if strings.Contains(ans.Metadata, `"tracks"`) != (i == 0) {
			t.Errorf("server %d greets, or does not: %s", i, ans.Metadata)
		}
		cancel()
		if err := errors.Join(<-done, s.Close()); err != nil {
			t.Fatal(err)
		}
	}
}
