package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/shard/backendtest"
	"bucketbrigade/shm"
)

// The song that was recorded goes on in its file, whether the server was killed or
// told to stop.
func TestTheRecordingGoesOn(t *testing.T) {
	t.Parallel()
	for _, stems := range []bool{false, true} {
		l := begin(t, Settings{Stems: stems, FLAC: true})
		l.die()
		l.s.Recordings = filepath.Join(l.dir, "recordings")
		l.start()
		song := func(seconds int, query string) {
			t.Helper()
			for range seconds * proto.SampleRate / proto.FrameSamples {
				l.sing(query)
				l.engine.tick()
				query = ""
			}
		}
		stop := l.engine.start(t.Context())
		song(30, "&mark_start_singing=1&reset_user_state=1")
		start := l.sing("").SongStartClock
		stop() // and all that is left is written
		l.die()
		flac := filepath.Join(l.s.Recordings, start.Time().Format("2006-01-02-150405")+".flac")
		if err := os.WriteFile(flac, []byte("of half the song"), 0o600); err != nil {
			t.Fatal(err)
		}
		l.start()
		if _, err := os.Stat(flac); err == nil {
			t.Error("FLAC of half the song stays")
		}
		stop = l.engine.start(t.Context())
		song(30, "")
		l.sing("&mark_start_singing=1") // the song before is written to its end
		stop()
		names, err := filepath.Glob(filepath.Join(l.s.Recordings, "*.wav"))
		if err != nil || len(names) != 1 {
			t.Fatalf("stems %t: recordings %v %v, want one", stems, names, err)
		}
		pcm := readBack(t, filepath.Join(l.s.Recordings, start.Time().Format("2006-01-02-150405")+".wav"))
		if n := len(pcm); n < 54*proto.SampleRate || n > 60*proto.SampleRate {
			t.Errorf("stems %t: %d samples", stems, n)
		}
		if i := slices.Index(pcm[proto.SampleRate:54*proto.SampleRate], 0); i >= 0 {
			t.Errorf("stems %t: sample %d is silent", stems, i+proto.SampleRate)
		}
		if log := l.log.String(); strings.Count(log, "recording goes on") != 1 {
			t.Errorf("log:\n%s", log)
		}
	}
}

// Many singers of two shards call while one server follows the other: each is
// answered, and his clocks join from first to last.
func TestManySingersDoNotNotice(t *testing.T) {
	t.Parallel()
	const singers, servers = 8, 4
	dir := t.TempDir()
	cfg := Config{Dir: dir, Segments: []string{"echo01", "echo02"}, Settings: Settings{Log: quiet(), MaxUsers: singers}}
	clients := []*shm.Client{
		openClient(t, dir, "echo01", shm.ClientConfig{Timeout: 10 * time.Second}),
		openClient(t, dir, "echo02", shm.ClientConfig{Timeout: 10 * time.Second}),
	}
	var all sync.WaitGroup
	var answered, over atomic.Int64
	begin := func(read proto.Clock) {
		for i := range singers {
			c := clients[i%len(clients)]
			all.Go(func() {
				var ans proto.Answer
				for n := 1; over.Load() == 0; n++ {
					end := read.Add(n*proto.FrameSamples - 110*proto.SampleRate)
					req := &proto.Request{
						QueryString: fmt.Sprintf("userid=%d&read_clock=%d&n_samples=%d", i+1, end, proto.FrameSamples),
						PCM:         make([]float32, proto.FrameSamples),
					}
					if n == 1 {
						req.QueryString += "&reset_user_state=1"
					}
					if end > read { // it would be the future
						over.Store(1)
						return
					}
					if err := c.Call(t.Context(), req, &ans); err != nil || ans.Error != "" {
						t.Errorf("singer %d, request %d: %v %s", i+1, n, err, ans.Error)
						return
					}
					answered.Add(1)
				}
			})
		}
	}
	for i := range servers {
		s, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		if i == 0 {
			begin(backendtest.Clock(t, clients[0]))
		}
		for want := answered.Load() + 50; answered.Load() < want && over.Load() == 0 && !t.Failed(); {
			backendtest.Clock(t, clients[1])
		}
		cancel()
		if err := errors.Join(<-done, s.Close()); err != nil {
			t.Fatal(err)
		}
	}
	over.Store(1)
	startServer(t, cfg) // for who is still waiting
	all.Wait()
	t.Logf("%d requests were answered by %d servers", answered.Load(), servers)
}
