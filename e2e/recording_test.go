package e2e

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"bucketbrigade/audiofile"
	"bucketbrigade/proto"
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
func TestKilledStateServerLeavesTheRecording(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, stack.Config{Shards: 1})
	song := voice.Render(voice.NewSung(voice.SungConfig{Seed: 3}), 30*proto.SampleRate)
	c := newChorus(0, 0)
	c.voices = [][]float32{song, song}
	enough := c.at(22)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var all sync.WaitGroup
	c.sing(ctx, &all, s.URL()+"/api/01")
	select {
	case <-enough:
	case <-ctx.Done():
		t.Error("the song did not get far enough")
	}
	if err := s.Kill(stack.StateServer); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	start, killed := c.start, c.clock
	c.mu.Unlock()
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
