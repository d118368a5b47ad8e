package state

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/shm"
)

// DefaultDir is where segments lie unless told otherwise.
const DefaultDir = "/dev/shm"

// Config says how a state server runs.
type Config struct {
	Settings
	// Dir is where the segments lie; DefaultDir if empty.
	Dir string
	// Segments are the names to serve. None: every file echo[0-9][0-9] in Dir,
	// looked at again each second.
	Segments []string
	// Wait is how to wait for requests.
	Wait shm.Wait
	// Beat is called by the goroutine that serves, ten times a second and more,
	// as long as it does; nil: nobody wants to know. It must not wait.
	Beat func()
}

// Server is the state server.
type Server struct {
	cfg    Config
	engine *engine
	window
	shm    *shm.Server
	found  chan *shm.Segment // new segments, from the scout
	faults faults
	// segments is how many are served, for who asks from outside.
	segments atomic.Int64

	req proto.Request
	ans proto.Answer
}

// maxFound is how many new segments can wait to be adopted: all that there can
// be.
const maxFound = 100

// New makes a state server and opens its segments. Named segments must be
// there to be had; of those it finds by itself it takes what it can.
func New(cfg Config) (*Server, error) {
	if cfg.Dir == "" {
		cfg.Dir = DefaultDir
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Beat == nil {
		cfg.Beat = func() {}
	}
	if st, err := os.Stat(cfg.Dir); err != nil {
		return nil, fmt.Errorf("state: directory of the segments: %w; create it or name another with -dir", err)
	} else if !st.IsDir() {
		return nil, fmt.Errorf("state: %s is no directory; name one with -dir", cfg.Dir)
	}
	e, err := newEngine(cfg.Settings, cfg.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg:    cfg,
		engine: e,
		window: newWindow(),
		shm:    shm.NewServer(cfg.Wait),
		found:  make(chan *shm.Segment, maxFound),
	}
	for _, name := range cfg.Segments {
		if err := s.open(name); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

func (s *Server) open(name string) error {
	if name != filepath.Base(name) || name == "." || name == ".." {
		return fmt.Errorf("state: segment %q is no plain name like echo01", name)
	}
	seg, err := shm.Open(filepath.Join(s.cfg.Dir, name), shm.ForServer, s.cfg.JSONArea)
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return s.shm.Add(seg)
}

// patience is how long one wait for requests lasts at most: how late the server
// notices that it is to stop, that a segment was found, that a second is over.
const patience = 100 * time.Millisecond

// Run serves until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer s.engine.start(ctx)()
	if len(s.cfg.Segments) == 0 {
		ctx, cancel := context.WithCancel(ctx)
		scout := newScout(s.cfg, s.found)
		done := make(chan struct{})
		go func() { defer close(done); scout.run(ctx) }()
		defer func() { cancel(); <-done; s.abandon() }()
	}
	s.cfg.Log.Info("serving", "dir", s.cfg.Dir, "segments", s.shm.Segments(), "wait", s.cfg.Wait.String())
	for ctx.Err() == nil {
		s.adopt()
		s.segments.Store(int64(s.shm.Segments()))
		turn := s.shm.Next(time.Now().Add(patience))
		s.engine.ends.work()
		if turn != nil {
			s.serve(turn)
		}
		s.engine.tick()
		s.answerAsker(s.engine)
		s.engine.ends.rest()
		s.cfg.Beat()
		s.faults.report(s.cfg.Log, time.Now())
	}
	return nil
}

// adopt takes over the segments that the scout has found.
func (s *Server) adopt() {
	for {
		select {
		case seg := <-s.found:
			replaced := s.shm.Remove(seg.Name())
			if err := s.shm.Add(seg); err != nil {
				s.cfg.Log.Error("segment refused", "err", errors.Join(err, seg.Close()))
				continue
			}
			s.cfg.Log.Info("serving a new segment", "segment", seg.Name(), "replaced", replaced)
		default:
			return
		}
	}
}

// abandon closes the segments that were found but not adopted.
func (s *Server) abandon() {
	for {
		select {
		case seg := <-s.found:
			_ = seg.Close()
		default:
			return
		}
	}
}

// serve answers one request. A shard's fault is answered as a refusal and
// counted; nobody else notices.
func (s *Server) serve(turn *shm.Turn) {
	samples := 0
	if err := turn.Request(&s.req); err != nil {
		s.fault(turn, err)
		s.ans.SetRefusal(proto.AsRefusal(err))
	} else {
		samples = s.engine.handle(&s.req, &s.ans)
	}
	if err := turn.Answer(&s.ans, samples, s.engine.mix); err != nil {
		s.fault(turn, err)
	}
}

// fault counts a message that made no sense.
func (s *Server) fault(turn *shm.Turn, err error) {
	s.faults.count(turn.Segment(), err)
	s.engine.measures.faults.Add(1)
}

// Stats gives what operators are told; any goroutine may ask.
func (s *Server) Stats() Stats {
	st := s.engine.stats()
	st.Segments = int(s.segments.Load())
	return st
}

// Status says in a few words what the server does.
func (s *Server) Status() string {
	st := s.Stats()
	return st.inWords()
}

// Close gives up the segments and the ring. Run must have ended.
func (s *Server) Close() error { return errors.Join(s.shm.Close(), s.engine.close()) }
