package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Config says what is told where.
type Config struct {
	// Addr is the address to listen on, "host:port", host being loopback; port
	// 0 picks one. Empty: nothing is told.
	Addr string
	// Telemetry fetches all that the brigade knows; nil where there is none.
	Telemetry Telemetry
	// Collectors are what Prometheus is told beside the usual of any Go program.
	Collectors []prometheus.Collector
	// Alive and Ready are nil as long as the program works, and as it can do what it
	// is there for; else they say what is wrong. Where they are nil, nothing is.
	Alive, Ready func() error
	// Log takes what the operator should know; slog.Default() if nil.
	Log *slog.Logger
}

// Server is the listener.
type Server struct {
	log      *slog.Logger
	listener net.Listener // nil: nothing is told
	mux      *http.ServeMux
	http     *http.Server
	told     []string // a line for each thing that is told
}

// Time-outs of a connection. A profile takes as long as it was asked for.
const (
	readTimeout   = 10 * time.Second
	writeTimeout  = 5 * time.Minute
	answerTimeout = 10 * time.Second
	shutdownGrace = 100 * time.Millisecond
)

// New makes a listener that listens, but does not answer before Run.
func New(cfg Config) (*Server, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	s := &Server{log: cfg.Log, mux: http.NewServeMux()}
	if cfg.Addr != "" {
		l, err := listen(cfg.Addr)
		if err != nil {
			return nil, fmt.Errorf("-metrics: %w", err)
		}
		s.listener = l
	}
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadTimeout:       readTimeout,
		ReadHeaderTimeout: readTimeout,
		WriteTimeout:      writeTimeout,
		ErrorLog:          slog.NewLogLogger(cfg.Log.Handler(), slog.LevelWarn),
	}
	s.mux.HandleFunc("/", s.list)
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	r.MustRegister(cfg.Collectors...)
	s.Handle("/metrics", "counts, for Prometheus", promhttp.HandlerFor(r, promhttp.HandlerOpts{}))
	if cfg.Telemetry != nil {
		s.Handle("/api/telemetry", "all that the brigade knows, as JSON", cfg.Telemetry)
		s.Handle("/telemetry", "the same", cfg.Telemetry)
	}
	s.Handle("/healthz", "ok, or 503 and why the program should be restarted", verdict(cfg.Alive))
	s.Handle("/readyz", "ok, or 503 and why it cannot do its work", verdict(cfg.Ready))
	s.Handle("/debug/pprof/", "profiles of this program, for go tool pprof", http.HandlerFunc(pprof.Index))
	for name, f := range map[string]http.HandlerFunc{
		"cmdline": pprof.Cmdline, "profile": pprof.Profile, "symbol": pprof.Symbol, "trace": pprof.Trace,
	} {
		s.mux.HandleFunc("GET /debug/pprof/"+name, f)
	}
	return s, nil
}

// listen listens on a loopback address and on no other.
func listen(addr string) (net.Listener, error) {
	at, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%w; give a loopback address such as 127.0.0.1:9101", err)
	}
	if !at.IP.IsLoopback() {
		return nil, fmt.Errorf("%s is no loopback address: telemetry and profiles are not for others; give one such as 127.0.0.1:9101", addr)
	}
	l, err := net.ListenTCP("tcp", at)
	if err != nil {
		return nil, fmt.Errorf("%w; choose another address", err)
	}
	return l, nil
}

// Handle tells something more, under a path; about says what, in a few words.
// It is for before Run.
func (s *Server) Handle(path, about string, h http.Handler) {
	s.mux.Handle("GET "+path, h)
	s.told = append(s.told, fmt.Sprintf("%-16s %s", path, about))
}

// Addr is the address that is listened on; nil if nothing is told.
func (s *Server) Addr() net.Addr {
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Run answers until ctx ends. Where nothing is told it waits for that.
func (s *Server) Run(ctx context.Context) error {
	if s.listener == nil {
		<-ctx.Done()
		return nil
	}
	s.log.Info("metrics", "addr", s.Addr().String())
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(s.listener) }()
	select {
	case err := <-served:
		if errors.Is(err, http.ErrServerClosed) {
			return nil // by Close
		}
		return fmt.Errorf("metrics: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if s.http.Shutdown(grace) != nil {
		_ = s.http.Close() // a profile under way has no reader any more
	}
	<-served
	return nil
}

// Beside runs run, and the listener as long as that, also after ctx has ended: what
// takes its time to stop can be asked how it does. A listener that fails is
// logged: nobody stops singing for it.
func (s *Server) Beside(ctx context.Context, run func(context.Context) error) error {
	listening, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Run(listening); err != nil {
			s.log.Error("metrics ended", "err", err)
		}
	}()
	defer func() { cancel(); <-done }()
	return run(ctx)
}

// Close ends the listener at once.
func (s *Server) Close() error {
	if s.listener == nil {
		return nil
	}
	err := s.http.Close()
	if cerr := s.listener.Close(); cerr != nil && !errors.Is(cerr, net.ErrClosed) {
		err = errors.Join(err, cerr)
	}
	return err
}

// serve answers who asks for this machine by its own name.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if !isLoopback(r.Host) {
		http.Error(w, "the Host of a request must be a loopback address or localhost", http.StatusForbidden)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// isLoopback judges a Host, with or without a port.
func isLoopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.Unmap().IsLoopback()
}

// list says what there is to whom asks for something else.
func (s *Server) list(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "There is no such thing here. There is:\n\n"+strings.Join(s.told, "\n"), http.StatusNotFound)
}
