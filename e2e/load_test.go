package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bucketbrigade/codec"
	"bucketbrigade/internal/cputime"
	"bucketbrigade/proto"
	"bucketbrigade/singer"
	"bucketbrigade/stack"
	"bucketbrigade/voice"
)

// loadSeconds is how much each voice sings over and over, a whole number of
// batches; loadVoices is how many there are.
const (
	loadSeconds = 12
	loadVoices  = 8
	// loadSpeakers is how many speak where people speak.
	loadSpeakers = 3
)

// batches are voices encoded by browsers: for each voice the packings of its
// batches. Singer i has voice i, or if there are fewer one of those that come
// after the first few.
type batches struct {
	first int
	all   [][][]byte
}

func (v batches) of(i int) [][]byte {
	if i < v.first {
		return v.all[i]
	}
	return v.all[v.first+i%(len(v.all)-v.first)]
}

// sungVoices all sing.
func sungVoices(t testing.TB) batches {
	t.Helper()
	return batches{0, encodeVoices(t, func(i int) voice.Voice { return voice.NewSung(voice.SungConfig{Seed: uint64(i + 1)}) })}
}

// spokenVoices are a few who speak, and the open microphones of those who listen:
// what browsers send when nobody sings.
func spokenVoices(t testing.TB) batches {
	t.Helper()
	return batches{loadSpeakers, encodeVoices(t, func(i int) voice.Voice {
		room := voice.NewRoomNoise(voice.RoomNoiseConfig{Seed: uint64(i + 1)})
		if i >= loadSpeakers {
			return room
		}
		speaker := voice.NewSpoken(voice.SpokenConfig{Seed: uint64(i + 1)})
		return voice.NewMix(voice.Layer{Voice: speaker, Gain: 1}, voice.Layer{Voice: room, Gain: 1})
	})}
}

// encodeVoices encodes loadVoices voices as browsers do.
func encodeVoices(t testing.TB, newVoice func(i int) voice.Voice) [][][]byte {
	t.Helper()
	all := make([][][]byte, loadVoices)
	var each sync.WaitGroup
	for i := range all {
		each.Go(func() {
			v := newVoice(i)
			e := codec.NewBrowserEncoder()
			for part := range slices.Chunk(voice.Render(v, loadSeconds*proto.SampleRate), singer.BatchSamples) {
				packed, err := e.AppendPacked(nil, part)
				if err != nil {
					t.Error(err)
					return
				}
				all[i] = append(all[i], packed)
			}
		})
	}
	each.Wait()
	return all
}

// load is many singers at real pace who cost next to nothing themselves. One
// leads; the others stand in the buckets behind, dealt in turn.
type load struct {
	voices  batches
	singers int
	buckets int // behind the leader's
	url     string
	// heard, if any, is called with each answer of singer i and with what he
	// sent; answers are decoded then.
	heard func(i int, sent []byte, a *singer.Answer)
	// profiler looks on while something is measured; nil does not.
	profiler *profiler

	answers, bytes atomic.Int64
	failure        atomic.Pointer[error]
}

// sing sings until ctx ends.
func (l *load) sing(ctx context.Context, all *sync.WaitGroup) {
	transport := &http.Transport{MaxIdleConnsPerHost: 2 * l.singers}
	context.AfterFunc(ctx, transport.CloseIdleConnections)
	for i := range l.singers {
		all.Go(func() {
			// Nobody's 600 ms begin with everybody's.
			spread := time.NewTimer(time.Duration(i) * singer.Pace / time.Duration(l.singers))
			defer spread.Stop()
			select {
			case <-spread.C:
				l.one(ctx, i, transport)
			case <-ctx.Done():
			}
		})
	}
}

// one is singer i.
func (l *load) one(ctx context.Context, i int, transport http.RoundTripper) {
	bucket := 1
	if i > 0 {
		bucket = 2 + i%l.buckets
	}
	// With up to four requests under way the oldest is answered first.
	var sent [][]byte
	part := l.voices.of(i)
	next, asked := i, 0
	who := singer.New(singer.Config{
		URL: l.url, User: proto.UserID(1000 + i), Name: fmt.Sprint("singer ", i),
		Offset: bucket * proto.BucketSeconds, Transport: transport, Deaf: l.heard == nil,
		Packed: func(proto.Clock) []byte {
			body := part[next%len(part)]
			next++
			sent[len(sent)-1] = body
			return body
		},
	})
	who.Run(ctx, singer.Events{
		Ask: func() url.Values {
			sent = append(sent, nil)
			if asked++; i == 0 && asked == 2 {
				return url.Values{"mark_start_singing": {"1"}}
			}
			return nil
		},
		Heard: func(a *singer.Answer) {
			l.answers.Add(1)
			l.bytes.Add(int64(len(a.Packed)))
			if l.heard != nil {
				l.heard(i, sent[0], a)
			}
			sent = sent[1:]
		},
		Failed: func(err error) { l.failure.CompareAndSwap(nil, &err); sent = nil },
	})
}

// warm is how long it takes until everybody hears what was sung: the song begins
// where the leader reads, reaches the last bucket later by its delay, and the
// first seconds are the connections'.
func (l *load) warm() time.Duration {
	return time.Duration(l.buckets*proto.BucketSeconds)*time.Second + 5*time.Second/2
}

// clocks are the processor times of a stack's programs, nginx with its workers.
type clocks struct{ nginx, shard, state time.Duration }

func (c clocks) all() time.Duration { return c.nginx + c.shard + c.state }

// per is a share of c: what one of n requests took.
func (c clocks) per(n int64) clocks {
	return clocks{c.nginx / time.Duration(n), c.shard / time.Duration(n), c.state / time.Duration(n)}
}

func (c clocks) since(b clocks) clocks {
	return clocks{c.nginx - b.nginx, c.shard - b.shard, c.state - b.state}
}

// readClocks reads the clocks of a stack.
func readClocks(s *stack.Stack) (c clocks, err error) {
	for _, name := range s.Names() {
		pid, err := s.Pid(name)
		if err != nil {
			return c, err
		}
		used, err := cputime.WithChildren(pid)
		if err != nil {
			return c, fmt.Errorf("%s: %w", name, err)
		}
		switch name {
		case stack.Nginx:
			c.nginx += used
		case stack.StateServer:
			c.state += used
		default:
			c.shard += used
		}
	}
	return c, nil
}

// How long is measured: eight requests of each singer. A profile has 100 samples
// of each second that a shard works, and needs more: thirty.
const (
	loadWindow    = 8 * singer.Pace
	profileWindow = 30 * singer.Pace
)

func (l *load) window() time.Duration {
	if l.profiler != nil {
		return profileWindow
	}
	return loadWindow
}

// measure lets l sing until all is warm and then for its window, and gives what a
// request cost meanwhile. window, if any, is told when that begins and ends.
func (l *load) measure(b *testing.B, s *stack.Stack, window func(on bool)) (cost clocks) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	l.sing(ctx, &all)
	wait := func(d time.Duration) (clocks, int64) {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-s.Done():
			b.Fatalf("the programs ended: %v", s.Wait())
		}
		read, err := readClocks(s)
		if err != nil {
			b.Fatal(err)
		}
		return read, l.answers.Load()
	}
	before, first := wait(l.warm())
	l.bytes.Store(0)
	l.profiler.take(b, &all)
	if window != nil {
		window(true)
	}
	after, last := wait(l.window())
	if window != nil {
		window(false)
	}
	if err := l.failure.Load(); err != nil {
		b.Fatalf("somebody was disturbed, so nothing was measured: %v", *err)
	}
	n, want := last-first, int64(l.singers)*int64(l.window()/singer.Pace)
	if n < want*9/10 {
		b.Fatalf("%d answers came in %v, %d singers should get %d", n, l.window(), l.singers, want)
	}
	// Silence takes a few bytes a packet. All but the leader hear somebody.
	if size := l.bytes.Load() / n; l.heard == nil && size < 2000 {
		b.Fatalf("answers have %d bytes of packets: those who should hear do not", size)
	}
	return after.since(before).per(n)
}
