package state

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"bucketbrigade/shm"
)

// segmentPattern is what the segments that a state server finds by itself are
// called.
const segmentPattern = "echo[0-9][0-9]"

// scout looks for new segments once a second and opens them. It runs on a
// goroutine of its own: opening a file can take its time.
type scout struct {
	dir      string
	jsonArea int
	log      *slog.Logger
	found    chan<- *shm.Segment
	known    map[string]*shm.Segment
	failed   map[string]string // what was last said of a segment that can't be had
}

func newScout(cfg Config, found chan<- *shm.Segment) *scout {
	return &scout{
		dir:      cfg.Dir,
		jsonArea: cfg.JSONArea,
		log:      cfg.Log,
		found:    found,
		known:    make(map[string]*shm.Segment),
		failed:   make(map[string]string),
	}
}

func (s *scout) run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		s.look(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// look opens segments that are new, or whose file is another than before.
func (s *scout) look(ctx context.Context) {
	paths, err := filepath.Glob(filepath.Join(s.dir, segmentPattern))
	if err != nil {
		panic("state: " + err.Error()) // the pattern is ours
	}
	for _, path := range paths {
		name := filepath.Base(path)
		if seg := s.known[name]; seg != nil && seg.SameFile(path) {
			continue
		}
		seg, err := shm.Open(path, shm.ForServer, s.jsonArea)
		if err != nil {
			if s.failed[name] != err.Error() {
				s.failed[name] = err.Error()
				s.log.Error("segment not served", "err", err)
			}
			continue
		}
		delete(s.failed, name)
		select {
		case s.found <- seg:
			s.known[name] = seg
		case <-ctx.Done():
			_ = seg.Close()
			return
		}
	}
}
