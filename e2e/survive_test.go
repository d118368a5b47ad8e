package e2e

import (
	"context"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strings"
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

// encoderDelay is how late a browser's encoder is, in samples.
const encoderDelay = 312

// chorus are singers with a voice each, who sing one song.
type chorus struct {
	voices [][]float32

	mu         sync.Mutex
	wishes     []string // of the leader, still to be sent
	answers    int      // of the leader since it moved last
	start, end proto.Clock
	clock      proto.Clock
	errs       []error
	reached    map[proto.Clock]chan struct{} // samples of the song: closed when they have passed
}

func newChorus(n, seconds int) *chorus {
	c := &chorus{wishes: []string{"request_lead", "mark_start_singing"}, reached: map[proto.Clock]chan struct{}{}}
	for i := range n {
		c.voices = append(c.voices, voice.Render(voice.NewSung(voice.SungConfig{Seed: uint64(40 + i)}), seconds*proto.SampleRate))
	}
	return c
}

// at is closed once so many seconds of the song have passed.
func (c *chorus) at(seconds int) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	done := make(chan struct{})
	c.reached[proto.Clock(seconds*proto.SampleRate)] = done
	return done
}

// sing lets all sing until ctx ends; the first one leads.
func (c *chorus) sing(ctx context.Context, all *sync.WaitGroup, urls ...string) {
	for i, pcm := range c.voices {
		who := singer.New(singer.Config{
			URL: urls[i%len(urls)], User: proto.UserID(700 + i), Name: "outlives",
			Offset: proto.BucketSeconds * (1 + i), Voice: func(dst []float32, at proto.Clock) { c.voice(pcm, dst, at) },
		})
		all.Go(func() { who.Run(ctx, c.events(i == 0)) })
	}
}

func (c *chorus) voice(pcm, dst []float32, at proto.Clock) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range dst {
		if p := at.Add(i).Sub(c.start); c.start != 0 && p >= 0 && p < len(pcm) {
			dst[i] = pcm[p]
		}
	}
}

// events are what a singer tells. The leader asks for the lead, and starts the song
// once it sings at its place.
func (c *chorus) events(leads bool) singer.Events {
	return singer.Events{
		Moved: func(int) {
			c.mu.Lock()
			defer c.mu.Unlock()
			if leads {
				c.answers = 0
			}
		},
		Ask: func() url.Values {
			c.mu.Lock()
			defer c.mu.Unlock()
			if !leads || c.answers < 8 || len(c.wishes) == 0 {
				return nil
			}
			wish := c.wishes[0]
			c.wishes, c.answers = c.wishes[1:], 0
			return url.Values{wish: {"1"}}
		},
		Failed: func(err error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.errs = append(c.errs, err)
		},
		Heard: func(a *singer.Answer) { c.heard(a, leads) },
	}
}

func (c *chorus) heard(a *singer.Answer, leads bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if leads {
		c.answers++
	}
	c.clock = max(c.clock, a.Metadata.ServerClock)
	if c.start == 0 && a.Metadata.SongStartClock > 1 {
		c.start = a.Metadata.SongStartClock
	}
	if a.Metadata.SongEndClock > 1 {
		c.end = a.Metadata.SongEndClock
	}
	for at, done := range c.reached {
		if c.start != 0 && c.clock >= c.start+at {
			close(done)
			delete(c.reached, at)
		}
	}
}

// loudness solves for how loud each voice is in heard, by least squares.
func loudness(heard []float32, voices [][]float32) []float64 {
	n := len(voices)
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = make([]float64, n+1)
		for k := range voices {
			rows[i][k] = dot(voices[i], voices[k])
		}
		rows[i][n] = dot(voices[i], heard)
	}
	for i := range rows {
		for k := range rows {
			if k == i {
				continue
			}
			f := rows[k][i] / rows[i][i]
			for j := range rows[k] {
				rows[k][j] -= f * rows[i][j]
			}
		}
	}
	loud := make([]float64, n)
	for i := range loud {
		loud[i] = rows[i][n] / rows[i][i]
	}
	return loud
}

func dot(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// A state server that is killed in the middle of a song, twice, and once told to
// stop: nobody is answered an error, every voice is there across the gaps, as loud
// as before and no louder, and there is one recording.
func TestSongOutlivesTheStateServer(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, stack.Config{Shards: 2})
	c := newChorus(4, 60)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	marks := []<-chan struct{}{c.at(14), c.at(18), c.at(22), c.at(27), c.at(50)}
	var all sync.WaitGroup
	c.sing(ctx, &all, s.URL()+"/api/01", s.URL()+"/api/02")
	for i, mark := range marks {
		select {
		case <-mark:
		case <-ctx.Done():
			t.Fatal("the song did not get far enough")
		}
		switch i {
		case 0, 1, 2:
			began := time.Now()
			if i < 2 {
				if err := s.Kill(stack.StateServer); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Restart(t.Context(), stack.StateServer); err != nil {
				t.Fatal(err)
			}
			t.Logf("back after %v", time.Since(began).Round(time.Millisecond))
		case 3:
			c.mu.Lock()
			c.wishes = append(c.wishes, "mark_stop_singing")
			c.mu.Unlock()
		}
	}
	cancel()
	all.Wait()
	c.judge(t, s.Dir())
}

// judge looks at what is left of the song.
func (c *chorus) judge(t *testing.T, dir string) {
	t.Helper()
	for _, err := range c.errs {
		t.Errorf("a singer was answered: %v", err)
	}
	files, err := os.ReadDir(filepath.Join(dir, "recordings"))
	if err != nil {
		t.Fatal(err)
	}
	var songs []string
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".wav") {
			songs = append(songs, f.Name())
		}
	}
	if len(songs) != 1 {
		t.Fatalf("recordings %v, want one", songs)
	}
	pcm, err := audiofile.ReadWAV(filepath.Join(dir, "recordings", songs[0]))
	if err != nil {
		t.Fatal(err)
	}
	if want := c.end.Sub(c.start); len(pcm) != want || want < 20*proto.SampleRate {
		t.Fatalf("%d samples are recorded, the song has %d", len(pcm), want)
	}
	// Four voices are turned down, and full scale is recorded at half of it.
	gain := math.Sqrt(3/6.0) * 1.2 / 2
	const window = proto.SampleRate / 2
	worst := 0.0
	for at := 2 * proto.SampleRate; at+2*window < len(pcm); at += window {
		var parts [][]float32
		for _, v := range c.voices {
			parts = append(parts, v[at-encoderDelay:at-encoderDelay+window])
		}
		for i, loud := range loudness(pcm[at:at+window], parts) {
			loud /= gain
			if i == 0 {
				loud /= 1.9958 // the leader's boost
			}
			worst = max(worst, math.Abs(loud-1))
			if loud < 0.8 || loud > 1.2 {
				t.Errorf("at %.1f s voice %d is %.2f times as loud as it was sung", float64(at)/proto.SampleRate, i, loud)
			}
		}
	}
	t.Logf("%.1f s are recorded, in no half second is any voice more than %.0f %% off", float64(len(pcm))/proto.SampleRate, 100*worst)
}
