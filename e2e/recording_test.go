package e2e

import (
	"context"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"bucketbrigade/audiofile"
	"bucketbrigade/proto"
	"bucketbrigade/singer"
	"bucketbrigade/stack"
	"bucketbrigade/stack/stacktest"
	"bucketbrigade/voice"
)

// recordedUpTo is how far behind the last bucket a recording is complete at any
// moment, in seconds; the last bucket of a leader and one follower stands 9 s
// behind.
const (
	recordedUpTo = 6
	lastBucket   = 9
)

// A state server that is killed in the middle of a song leaves a WAV file that
// holds all of it up to six seconds behind the last bucket.
//
// Not parallel: real pace needs the machine to itself.
func TestKilledStateServerLeavesTheRecording(t *testing.T) {
	s := stacktest.Start(t, stack.Config{Shards: 1})
	song := voice.Render(voice.NewSung(voice.SungConfig{Seed: 3}), 30*proto.SampleRate)
	r := &recordedSong{pcm: song, enough: make(chan struct{}), wishes: []string{"request_lead", "mark_start_singing"}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var all sync.WaitGroup
	for i := range 2 {
		who := singer.New(singer.Config{
			URL: s.URL() + "/api/01", User: proto.UserID(900 + i), Name: "recorded",
			Offset: proto.BucketSeconds * (1 + i), Voice: r.sing,
		})
		all.Go(func() { who.Run(ctx, r.events(i == 0)) })
	}
	select {
	case <-r.enough:
	case <-ctx.Done():
		t.Error("the song did not get far enough")
	}
	if err := s.Kill(stack.StateServer); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	start, killed := r.start, r.clock
	r.mu.Unlock()
	cancel()
	all.Wait()
	pcm, err := audiofile.ReadWAV(filepath.Join(s.Dir(), "recordings", start.Time().Format("2006-01-02-150405")+".wav"))
	if err != nil {
		t.Fatal(err)
	}
	promised := killed.Sub(start) - (lastBucket+recordedUpTo)*proto.SampleRate
	if promised < 5*proto.SampleRate || len(pcm) < promised {
		t.Fatalf("%d samples are recorded, promised were %d", len(pcm), promised)
	}
	// Both sing the same: they are heard as one voice.
	const skip = proto.SampleRate
	m := voice.Fit(pcm[skip:promised], [][]float32{song[skip:promised]}, 2000)[0]
	if m.Corr < 0.95 || m.Lag != 312 {
		t.Errorf("the song is there with %.4f, %d samples late; want 0.95 and 312, what a browser's encoder looks ahead", m.Corr, m.Lag)
	}
	t.Logf("%.1f s are recorded, %.1f s were promised; correlation %.4f", float64(len(pcm))/proto.SampleRate, float64(promised)/proto.SampleRate, m.Corr)
}

// recordedSong is a song that two sing, and what is known of it.
type recordedSong struct {
	pcm    []float32
	enough chan struct{} // closed when 22 s of it have passed

	mu           sync.Mutex
	wishes       []string // of the leader, still to be sent
	answers      int      // of the leader since it moved last
	start, clock proto.Clock
}

func (r *recordedSong) sing(dst []float32, at proto.Clock) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range dst {
		if p := at.Add(i).Sub(r.start); r.start != 0 && p >= 0 && p < len(r.pcm) {
			dst[i] = r.pcm[p]
		}
	}
}

// events are what a singer tells. The leader asks for the lead, and starts the
// song once it sings at its place.
func (r *recordedSong) events(leads bool) singer.Events {
	return singer.Events{
		Moved: func(int) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if leads {
				r.answers = 0
			}
		},
		Ask: func() url.Values {
			r.mu.Lock()
			defer r.mu.Unlock()
			if !leads || r.answers < 4 || len(r.wishes) == 0 {
				return nil
			}
			wish := r.wishes[0]
			r.wishes, r.answers = r.wishes[1:], 0
			return url.Values{wish: {"1"}}
		},
		Heard: func(a *singer.Answer) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if leads {
				r.answers++
			}
			before := r.clock
			r.clock = max(r.clock, a.Metadata.ServerClock)
			if r.start == 0 && a.Metadata.SongStartClock > 1 {
				r.start = a.Metadata.SongStartClock
			}
			if end := r.start.Add(22 * proto.SampleRate); r.start != 0 && before < end && r.clock >= end {
				close(r.enough)
			}
		},
	}
}
