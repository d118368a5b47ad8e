package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/singer"
	"bucketbrigade/stack"
	"bucketbrigade/stack/stacktest"
	"bucketbrigade/voice"
)

// choir is many singers at real pace, and what befell them.
type choir struct {
	heard, failed, moved atomic.Int64
	mu                   sync.Mutex
	errs                 []error
	last                 map[proto.UserID]proto.Metadata
}

// melody is how much is sung over and over: rendering is dear with the race
// detector on.
const melody = 20 * proto.SampleRate

// sing lets n singers sing at url until ctx ends.
func (c *choir) sing(ctx context.Context, all *sync.WaitGroup, url string, first, n int) {
	transport := &http.Transport{MaxIdleConnsPerHost: n}
	sound := voice.Render(voice.NewSung(voice.SungConfig{Seed: uint64(first)}), melody)
	for i := range n {
		user := proto.UserID(first + i)
		who := singer.New(singer.Config{
			URL:       url,
			User:      user,
			Name:      fmt.Sprint("singer ", user),
			Offset:    proto.BucketSeconds * (1 + i%6),
			Transport: transport,
			Voice: func(dst []float32, start proto.Clock) {
				at := int(start) % (len(sound) - len(dst))
				copy(dst, sound[at:])
			},
		})
		all.Go(func() {
			who.Run(ctx, singer.Events{
				Heard: func(a *singer.Answer) {
					c.heard.Add(1)
					c.mu.Lock()
					c.last[user] = a.Metadata
					c.mu.Unlock()
				},
				Moved: func(int) { c.moved.Add(1) },
				Failed: func(err error) {
					c.failed.Add(1)
					c.mu.Lock()
					c.errs = append(c.errs, err)
					c.mu.Unlock()
				},
			})
		})
	}
}

func newChoir() *choir { return &choir{last: make(map[proto.UserID]proto.Metadata)} }

// songSeconds is how long the long song lasts; BRIGADE_SONG changes it.
func songSeconds(t *testing.T) time.Duration {
	if s := os.Getenv("BRIGADE_SONG"); s != "" {
		d, err := time.ParseDuration(s)
		if err != nil {
			t.Fatalf("BRIGADE_SONG: %v", err)
		}
		return d
	}
	return time.Minute
}

// Not parallel: real pace needs the machine to itself.
func TestTwentySingersOnEachOfTwoShards(t *testing.T) {
	const each = 20
	song := songSeconds(t)
	s := stacktest.Start(t, stack.Config{Shards: 2})
	ctx, cancel := context.WithTimeout(t.Context(), song)
	defer cancel()
	c := newChoir()
	var all sync.WaitGroup
	c.sing(ctx, &all, s.URL()+"/api/01", 1000, each)
	c.sing(ctx, &all, s.URL()+"/api/02", 2000, each)
	all.Wait()
	for _, err := range c.errs {
		t.Error(err)
	}
	// The first request leaves 600 ms after the start, the last ones may be cut off,
	// and a busy machine takes its time to begin.
	want := int64(2*each) * (int64(song/singer.Pace) - 4)
	if got := c.heard.Load(); got < want {
		t.Errorf("%d answers in %v, want at least %d", got, song, want)
	}
	if len(c.last) != 2*each {
		t.Errorf("%d singers were answered, want %d", len(c.last), 2*each)
	}
	for user, md := range c.last {
		if md.ConnectedUsers != 2*each {
			t.Errorf("singer %d sees %d connected, want %d", user, md.ConnectedUsers, 2*each)
		}
	}
	t.Logf("%d answers, %d errors", c.heard.Load(), c.failed.Load())
}
