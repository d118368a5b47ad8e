package brigade

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"bucketbrigade/proto"
)

// tape is a recorder that keeps everything in memory.
type tape struct {
	t     reporter
	gaps  bool // samples may be missing
	songs []tapedSong
	open  bool
}

type tapedSong struct {
	start proto.Clock
	parts [][]float32
}

func (p *tape) Begin(start proto.Clock) {
	if p.open {
		p.t.Fatal("a song begins before the last one has ended")
	}
	p.open, p.songs = true, append(p.songs, tapedSong{start: start})
}

func (p *tape) Resume(proto.Clock) (int, bool) {
	p.t.Fatal("nothing is resumed here")
	return 0, false
}

func (p *tape) Write(at proto.Clock, parts [][]float32) {
	if !p.open {
		p.t.Fatal("samples come before a song has begun")
	}
	s := &p.songs[len(p.songs)-1]
	if s.parts == nil {
		s.parts = make([][]float32, len(parts))
	}
	n := len(parts[0])
	off := at.Sub(s.start.Add(len(s.parts[0])))
	if n == 0 || n > takeChunk || len(parts) != len(s.parts) || off < 0 || off > 0 && !p.gaps {
		p.t.Fatalf("%d parts of %d samples at %d behind %d samples from %d", len(parts), n, at, len(s.parts[0]), s.start)
	}
	for i, part := range parts {
		if j := slices.IndexFunc(part, notFinite); j >= 0 || len(part) != n {
			p.t.Fatalf("part %d has %d samples, want %d, and sample %d is not finite", i, len(part), n, j)
		}
		s.parts[i] = append(append(s.parts[i], make([]float32, off)...), part...)
	}
}

func (p *tape) End() {
	if !p.open {
		p.t.Fatal("a song ends that has not begun")
	}
	p.open = false
}

// stage is a room with a recorder, a leader and a follower in the second bucket.
type stage struct {
	*room
	tape     *tape
	lea, fay *singer
}

// stageRing is longer than what lies between a leader and the recording.
const stageRing = 40

func newStage(t reporter, c Config) *stage {
	p := &tape{t: t}
	c.Recorder = p
	s := &stage{room: newRoomOf(t, c, stageRing), tape: p}
	s.b.Tick(s.now)
	s.lea, s.fay = s.join(1, 3*proto.SampleRate, 57000), s.join(2, 6*proto.SampleRate, 57000)
	s.ask(nil)
	return s
}

// ask lets both make a request, the leader's with p, and time pass.
func (s *stage) ask(p params) proto.Metadata {
	m := s.lea.sing(0.25, p)
	s.fay.sing(0.5, nil)
	s.pass(frame)
	return m
}

// sing lets both sing so many frames.
func (s *stage) sing(frames int) {
	for range frames {
		s.ask(nil)
	}
}

// leave lets time pass with ticks only.
func (s *stage) leave(samples int) {
	for range samples / 12000 {
		s.pass(12000)
		s.b.Tick(s.now)
	}
}

// song is the only song on the tape, ended.
func (s *stage) song() tapedSong {
	s.t.Helper()
	if len(s.tape.songs) != 1 || s.tape.open {
		s.t.Fatalf("%d songs on tape, the last one open: %t; want 1, ended", len(s.tape.songs), s.tape.open)
	}
	return s.tape.songs[0]
}

// sounds is what voices of a sum sound like, so many of them.
func sounds(sum float64, people int) float64 {
	return sum * math.Sqrt(3/float64(people+2)) * defaults().globalVolume
}

// A song is taken down from its first to its last sample, with all who sang.
func TestWholeSongIsTakenDown(t *testing.T) {
	t.Parallel()
	for _, frames := range []int{5, 100, 700} { // 0.3, 6 and 42 s
		s := newStage(t, Config{})
		s.ask(params{"request_lead": "1"})
		begin := s.ask(params{"mark_start_singing": "1"}).SongStartClock
		s.sing(frames)
		end := s.ask(params{"mark_stop_singing": "1"}).SongEndClock
		if begin == 0 || end <= begin-57000 {
			t.Fatalf("song [%d, %d)", begin, end)
		}
		s.sing(30 * proto.SampleRate / frame)
		if end <= begin { // the leader's voice lags 57000 behind
			if len(s.tape.songs) != 0 {
				t.Errorf("%d frames: a song without a sample is taken down", frames)
			}
			continue
		}
		song := s.song()
		if song.start != begin || len(song.parts[0]) != end.Sub(begin) {
			t.Fatalf("%d frames: taken down from %d, %d samples; want %d and %d", frames, song.start, len(song.parts[0]), begin, end.Sub(begin))
		}
		boost := 0.25 * float64(leaderBoost())
		inner := song.parts[0][frame : len(song.parts[0])-frame]
		if want := sounds(boost+0.5, 2); !allOf(inner, want) {
			t.Errorf("%d frames: taken down %v … %v, want %v", frames, inner[0], inner[len(inner)-1], want)
		}
	}
}

// Where the last bucket has not come to, its voice is missing, and nothing else.
func TestRestIsTakenDownAtOnce(t *testing.T) {
	t.Parallel()
	const frames = 150 // 9 s
	for _, c := range []struct {
		name string
		stop func(*stage)
	}{
		{"the next song starts", func(s *stage) { s.ask(params{"mark_start_singing": "1"}) }},
		{"everybody leaves", func(s *stage) { s.leave(proto.UserInactive + 12000) }},
		{"everybody leaves and one comes back", func(s *stage) {
			s.pass(proto.UserInactive)
			s.join(3, 3*proto.SampleRate, 0).ask(nil)
		}},
		{"everybody leaves for long", func(s *stage) { s.leave(0); s.pass(100 * stageRing * proto.SampleRate); s.b.Tick(s.now) }},
		{"halted by another", func(s *stage) { s.fay.sing(0.5, params{"mark_stop_singing": "1"}) }},
		{"the server stops", func(s *stage) { s.b.FinishRecording() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, Config{})
			s.ask(params{"request_lead": "1"})
			begin := s.ask(params{"mark_start_singing": "1"}).SongStartClock
			s.sing(frames)
			if len(s.tape.songs) != 0 {
				t.Fatal("taken down before the last bucket has sung")
			}
			sungTo := s.lea.write
			c.stop(s)
			if len(s.tape.songs) == 0 {
				t.Fatal("nothing was taken down")
			}
			song := s.tape.songs[0]
			if s.tape.open || song.start != begin || len(song.parts[0]) != sungTo.Sub(begin) {
				t.Fatalf("open %t, from %d, %d samples; want %d, %d samples", s.tape.open, song.start, len(song.parts[0]), begin, sungTo.Sub(begin))
			}
			leader, n := 0.25*float64(leaderBoost()), len(song.parts[0])
			if want := sounds(leader+0.5, 2); !allOf(song.parts[0][frame:2*frame], want) {
				t.Errorf("begins with %v, want both, %v", song.parts[0][frame], want)
			}
			if want := sounds(leader, 1); !allOf(song.parts[0][n-frame:], want) {
				t.Errorf("ends with %v, want the leader alone, %v", song.parts[0][n-1], want)
			}
		})
	}
}

// Songs one after the other each get a recording of their own.
func TestSongsOneAfterTheOther(t *testing.T) {
	t.Parallel()
	s := newStage(t, Config{})
	var starts []proto.Clock
	for range 4 {
		s.ask(params{"request_lead": "1"})
		starts = append(starts, s.ask(params{"mark_start_singing": "1"}).SongStartClock)
		s.sing(50)
		s.ask(params{"mark_stop_singing": "1"})
	}
	s.sing(30 * proto.SampleRate / frame)
	if len(s.tape.songs) != len(starts) || s.tape.open {
		t.Fatalf("%d songs on tape, want %d", len(s.tape.songs), len(starts))
	}
	for i, song := range s.tape.songs {
		if song.start != starts[i] || len(song.parts[0]) < 40*frame-57000 {
			t.Errorf("song %d from %d, %d samples; want %d", i, song.start, len(song.parts[0]), starts[i])
		}
	}
}

// At any time all that lies maxPosition + 6 s behind is taken down, with time
// to spare for the disk, however few requests come.
func TestTakenDownUpToThePromisedPoint(t *testing.T) {
	t.Parallel()
	s := newStage(t, Config{})
	s.ask(params{"request_lead": "1"})
	begin := s.ask(params{"mark_start_singing": "1"}).SongStartClock
	for i := range 1200 {
		if i%4 == 0 { // a request each second
			n := 16 * frame
			s.must(s.lea.request(n, 0.25, nil))
			s.lea.done(n)
		}
		if i == 700 { // somebody else seizes the lead of a round: the buckets move back
			s.b.state.maxPosition += 9
		}
		s.pass(12000)
		s.b.Tick(s.now)
		// 6 s are promised at any time, and the next tick is 0.25 s away.
		want := s.now.Add(-s.b.state.maxPosition*proto.SampleRate - 6*proto.SampleRate + 24000)
		if want > begin && s.b.take.next < want {
			t.Fatalf("%d s of song: taken down to %d, want %d", i/4, s.b.take.next, want)
		}
	}
}

// The stems add up to the mix, sample for sample, each bucket in its own.
func TestStemsAddUp(t *testing.T) {
	t.Parallel()
	for _, autoGain := range []bool{true, false} {
		t.Run(fmt.Sprint("auto gain ", autoGain), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, Config{Stems: true})
			mid := s.join(3, 9*proto.SampleRate+30000, 57000)
			mid.ask(params{"bpm": "120", "bpr": "1", "repeats": "1"})
			if !autoGain {
				mid.ask(params{"disableAutoGain": "1"})
			}
			s.ask(params{"mark_start_singing": "1"})
			for range 500 {
				s.ask(nil)
				mid.sing(-0.125, nil)
			}
			s.fay.sing(0.5, params{"mark_stop_singing": "1"})
			song := s.song()
			if len(song.parts) != 2+Buckets {
				t.Fatalf("%d parts", len(song.parts))
			}
			heard := make([]int, len(song.parts))
			for i, mix := range song.parts[0] {
				sum := float32(0)
				for k, part := range song.parts[1:] {
					sum += part[i]
					if part[i] != 0 {
						heard[1+k]++
					}
				}
				if math.Abs(float64(sum-mix)) > 1e-5 {
					t.Fatalf("sample %d: the stems add up to %v, the mix is %v", i, sum, mix)
				}
			}
			// Backing, leader, the singer at 9.6 s in the third bucket, follower.
			for k, want := range []bool{1: true, 2: true, 3: true, 4: true} {
				if k > 0 && (heard[k] > 0) != want {
					t.Errorf("part %d sounds in %d samples, want any: %t", k, heard[k], want)
				}
			}
			if heard[5]+heard[6]+heard[7] > 0 {
				t.Errorf("buckets without singers sound: %v", heard)
			}
		})
	}
}

// A song that nobody ends is taken down for an hour.
func TestRecordingIsAnHourAtMost(t *testing.T) {
	t.Parallel()
	const last = 20 * proto.SampleRate // of the hour
	s := newStage(t, Config{})
	counter := &counting{}
	s.b.recorder = counter
	s.ask(params{"mark_start_singing": "1"})
	s.b.take.start = s.b.take.start.Add(last - takeMax)
	for range 60 * proto.SampleRate / (16 * frame) {
		s.must(s.lea.request(16*frame, 0.25, nil))
		s.lea.done(16 * frame)
		s.pass(16 * frame)
	}
	if counter.samples != last || counter.ended != 1 || counter.begun != 1 {
		t.Errorf("%d samples, %d begun, %d ended; want %d, 1, 1", counter.samples, counter.begun, counter.ended, last)
	}
}

type counting struct{ begun, samples, ended int }

func (c *counting) Begin(proto.Clock)                  { c.begun++ }
func (c *counting) Resume(proto.Clock) (int, bool)     { return 0, false }
func (c *counting) Write(_ proto.Clock, p [][]float32) { c.samples += len(p[0]) }
func (c *counting) End()                               { c.ended++ }

func TestBucketOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ first, delay, want int }{
		{3, 3, 0}, {3, 0, 0}, {3, 4, 0}, {3, 5, 1}, {3, 6, 1}, {3, 7, 1}, {3, 8, 2}, {3, 18, 5}, {3, 60, 5}, {19, 3, 0}, {19, 22, 1},
	} {
		s := state{firstBucket: c.first}
		if got := s.bucketOf(&user{delay: c.delay * proto.SampleRate}); got != c.want {
			t.Errorf("first bucket at %d s, singer at %d s: bucket %d, want %d", c.first, c.delay, got, c.want)
		}
	}
}
