package shard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"

	"bucketbrigade/proto"
)

// Server is one codec shard.
type Server struct {
	cfg      Config
	backend  *watched
	roster   *roster
	time     *timekeeper
	tally    tally
	streams  streams
	counts   counts
	measures measures
	// modern: the state server is not of the first generation.
	modern      atomic.Bool
	coders      chan struct{} // a token for each goroutine that decodes or encodes
	scratch     *sync.Pool
	listeners   []net.Listener
	http        *http.Server
	connections *connections
	intake      *intake
	asking      sync.WaitGroup // Run's goroutines but for those of connections
	refreshing  atomic.Bool    // a look at the server clock is under way
	queueUntil  time.Time      // until then who asks for the clock may have waited in a queue
}

// Time-outs of a connection. Clients post 4 kB each 600 ms; a proxy keeps its
// connections for a minute, which must be less than we do.
const (
	readTimeout    = 10 * time.Second
	writeTimeout   = 15 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 64 << 10 // room for the longest query and to refuse a longer one politely
	// shutdownGrace is how long requests under way get once the shard is to stop:
	// a call of the state server and the second of a refusal, and some more.
	shutdownGrace = 5 * time.Second
	// answerTimeout is how long one answer may take to leave. Proxies and
	// kernels take it at once.
	answerTimeout = 3 * time.Second
)

// New makes a shard that listens, but does not answer before Run.
func New(cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	inherited := len(cfg.Listeners) > 0
	if !inherited {
		l, err := net.Listen("tcp", cfg.Listen)
		if err != nil {
			return nil, fmt.Errorf("shard: %w; choose another address with -listen", err)
		}
		cfg.Listeners = []net.Listener{l}
	}
	s := newServer(cfg)
	if cfg.SinceBoot != nil {
		s.time.boot = cfg.SinceBoot
	}
	s.listeners = cfg.Listeners
	if inherited {
		s.roster.youngUntil = time.Now().Add(youth)
	}
	s.http = &http.Server{
		Handler:        s.connections.farewell(s.Handler()),
		ConnState:      s.connections.note,
		ReadTimeout:    readTimeout,
		WriteTimeout:   writeTimeout,
		IdleTimeout:    idleTimeout,
		MaxHeaderBytes: maxHeaderBytes,
		ConnContext:    withConn,
		ErrorLog:       slog.NewLogLogger(cfg.Log.Handler(), slog.LevelWarn),
	}
	return s, nil
}

// newServer makes all of a shard but what listens.
func newServer(cfg Config) *Server {
	backend := watch(cfg.Backend)
	s := &Server{
		cfg:     cfg,
		backend: backend,
		roster:  newRoster(cfg),
		time:    newTimekeeper(backend),
		streams: streams{max: cfg.MaxSingers, opus: cfg.Opus},
		coders:  make(chan struct{}, cfg.Coders),
		scratch: newScratchPool(),

		connections: newConnections(),
		intake:      newIntake(),
	}
	backend.odd = func(d time.Duration) { s.measures.oddTiming(slowCall, d, &s.tally) }
	s.time.jumped = func(d time.Duration) { s.measures.oddTiming(clockJump, d, &s.tally) }
	return s
}

// Addr is the address that the shard listens on, the first if there are more.
func (s *Server) Addr() net.Addr { return s.listeners[0].Addr() }

// Handler answers requests: two paths for uploads, and on any other the methods
// GET, POST and OPTIONS.
func (s *Server) Handler() http.Handler {
	r := chi.NewRouter()
	for _, path := range []string{"/", "/*"} {
		r.Get(path, s.clock)
		r.Post(path, s.post)
		r.Options(path, s.options)
	}
	r.HandleFunc("/upload", s.upload)
	r.HandleFunc("/user-upload-image", s.image)
	r.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		identify(w, r)
		s.wrongMethod(w, r, "GET, POST, OPTIONS")
	})
	return r
}

// wrongMethod refuses a method that a path does not have; allow lists those that
// it has.
func (s *Server) wrongMethod(w http.ResponseWriter, r *http.Request, allow string) {
	w.Header().Set("Allow", allow)
	s.refuse(w, r, proto.Refuse(http.StatusMethodNotAllowed, "method %s is not known here, only %s", proto.Shown(r.Method), allow))
}

// Run answers until ctx ends. Then it waits for the uploads under way and serves
// singers meanwhile; then it answers what is under way and closes the listeners. No
// request is lost over that whose connection was accepted, nor, if somebody else has
// the socket open, any other.
func (s *Server) Run(ctx context.Context) error {
	served := make(chan error, len(s.listeners))
	var serving sync.WaitGroup
	s.takesOver()
	for _, l := range s.listeners {
		s.cfg.Log.Info("listening", "addr", l.Addr().String())
		serving.Go(func() { served <- s.http.Serve(gatherer{l}) })
	}
	s.refreshClock(ctx)
	defer s.asking.Wait()
	living, end := context.WithCancel(context.WithoutCancel(ctx)) // also while it stops
	defer end()
	s.asking.Go(func() { s.proveLife(living) })
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-tick.C:
			s.housekeep(living, n)
		case err := <-served:
			if errors.Is(err, http.ErrServerClosed) {
				return nil // by Close
			}
			return fmt.Errorf("shard: %w", err)
		case <-ctx.Done():
			s.lastUploads(living, tick.C, n)
			s.finish(ctx, &serving)
			return nil
		}
	}
}

// finish lets the requests under way end, within their grace.
func (s *Server) finish(ctx context.Context, serving *sync.WaitGroup) {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	left := s.connections.drain(grace, func() {
		_ = s.closeListeners()
		serving.Wait() // each connection that was accepted is known then
	})
	if left > 0 {
		s.cfg.Log.Warn("requests cut off", "after", shutdownGrace, "connections", left)
	}
	_ = s.http.Close()
	s.tally.report(s.cfg.Log)
}

// closeListeners closes this process's copies of the sockets.
func (s *Server) closeListeners() error {
	var errs []error
	for _, l := range s.listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// secondsPerSweep is how many seconds go between two sweeps for silent singers
// and two looks at the server clock. A state server of which nothing was heard
// for a second is asked at once: it may be away.
const secondsPerSweep = 10

// housekeep is done in the n-th second.
func (s *Server) housekeep(ctx context.Context, n int) {
	s.tally.report(s.cfg.Log)
	s.streams.sweep(time.Now())
	if n%secondsPerSweep == 0 {
		s.roster.sweep(time.Now())
	}
	if n%secondsPerSweep == 0 || time.Since(s.backend.last()) > time.Second {
		s.refreshClock(ctx)
	}
}

// refreshClock looks at the server clock on a goroutine of its own, unless one is
// at it: it may take as long as a call.
func (s *Server) refreshClock(ctx context.Context) {
	if s.refreshing.CompareAndSwap(false, true) {
		s.asking.Go(func() { s.time.refresh(ctx); s.refreshing.Store(false) })
	}
}

// Close ends the shard at once.
func (s *Server) Close() error {
	err := s.http.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return errors.Join(err, s.closeListeners())
}

// options answers a preflight. Ours are simple requests; nobody asks.
func (s *Server) options(w http.ResponseWriter, r *http.Request) {
	identify(w, r)
	s.answered(w)
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Max-Age", "86400")
}
