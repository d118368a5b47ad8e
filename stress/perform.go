package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"sync"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/singer"
)

// role is one of the three who take part.
type role int

const (
	leader role = iota
	follower
	listener
	roles
)

func (r role) String() string { return [...]string{"leader", "follower", "listener"}[r] }

// path is the way through the proxy.
func (r role) path() string { return [...]string{"/api/01", "/api/02", "/api"}[r] }

// phase is how far the performance has come.
type phase int

const (
	gathering phase = iota // until all three are connected
	placing                // until all stand where the server has put them
	starting               // until the server says that the song is on
	singing                // until the leader has sung it all
	ending                 // until the server says where it ends
	fading                 // until the last in the chain has heard the end
	over
)

// stage is what the three performers share. Each runs on a goroutine of its
// own; the mutex guards all of it.
type stage struct {
	out   io.Writer
	songs [2][]float32

	mu    sync.Mutex
	phase phase
	// answers since the singer last connected. placed: given a place since the
	// lead was asked for. ended: heard the song to its end.
	answers       [roles]int
	placed, ended [roles]bool
	offsets       [roles]int
	asked         bool // the leader's wish of this phase was sent
	start, end    proto.Clock
	written       proto.Clock // end of the last audio that the leader sent
	heard         [roles]track
	failures      []error
	done          chan struct{}
}

// performance is what came of it: for each role what was heard from the start
// of the song to its end.
type performance struct {
	heard   [roles][]float32
	offsets [roles]int
	// start and end are the song's, as the server said.
	start, end proto.Clock
}

// spare is how long the three may take beyond the song itself.
const spare = 60 * time.Second

// perform lets the three sing at the site, at real pace.
func perform(ctx context.Context, site string, songs [2][]float32, out io.Writer) (performance, error) {
	limit := spare + proto.SamplesDuration(len(songs[leader]))
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	s := &stage{out: out, songs: songs, done: make(chan struct{})}
	var all sync.WaitGroup
	for r := range roles {
		who := singer.New(singer.Config{
			URL:       site + r.path(),
			User:      proto.UserID(rand.Uint64N(1e11)),
			Name:      "demo " + r.String(),
			Offset:    proto.BucketSeconds * (1 + int(r)),
			Spectator: r == listener,
			Voice:     func(dst []float32, at proto.Clock) { s.sing(r, dst, at) },
		})
		s.offsets[r] = who.Offset()
		all.Go(func() {
			who.Run(ctx, singer.Events{
				Heard:  func(a *singer.Answer) { s.hear(r, a) },
				Ask:    func() url.Values { return s.ask(r) },
				Moved:  func(offset int) { s.move(r, offset) },
				Failed: func(err error) { s.fail(err) },
			})
		})
	}
	var err error
	select {
	case <-s.done:
	case <-ctx.Done():
		err = fmt.Errorf("the demo did not come to its end within %v, it got as far as %s", limit, s.where())
	}
	cancel()
	all.Wait()
	if err != nil {
		return performance{}, err
	}
	return s.result()
}
