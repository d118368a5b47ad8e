package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// loopback is where the shards listen.
const loopback = "127.0.0.1"

// Stack is one running brigade. Its methods may be called from any goroutine.
type Stack struct {
	cfg    Config
	dir    string
	ownDir bool
	shared *sharedDir
	base   int    // of the shards' ports; 0: each shard picks its own
	listen string // host:port of nginx

	children []*child // in the order of start; fixed by New

	deaths chan *DiedError
	failed chan error // from Start
	cancel context.CancelFunc
	done   chan struct{}
	err    error // set before done is closed

	mu        sync.Mutex
	shardURLs []string
}

// New checks the configuration, finds ports and makes directories. Nothing
// runs yet. What New made, Close removes, or the end of what Start begins.
func New(cfg Config) (*Stack, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Stack{
		cfg: cfg, base: cfg.BasePort, listen: cfg.Listen,
		shardURLs: make([]string, cfg.Shards),
		failed:    make(chan error, 1), done: make(chan struct{}),
	}
	if err := s.findPorts(); err != nil {
		return nil, err
	}
	if err := s.makeDirs(); err != nil {
		return nil, errors.Join(err, s.removeDir())
	}
	if err := s.makeChildren(); err != nil {
		return nil, errors.Join(err, s.removeDir())
	}
	return s, nil
}

// findPorts replaces port 0 by free ports and checks the others. Without nginx
// nobody needs to know a shard's port beforehand: 0 then goes to the shard.
func (s *Stack) findPorts() error {
	if s.base != 0 {
		for n := 1; n <= s.cfg.Shards; n++ {
			if err := checkFree(loopback, s.base+n, shardName(n), "BASE_PORT"); err != nil {
				return err
			}
		}
	}
	if s.cfg.NoNginx {
		return nil
	}
	host, port, err := splitListen(s.listen)
	if err != nil {
		return err
	}
	if port != 0 {
		if err := checkFree(host, port, Nginx, "PORT"); err != nil {
			return err
		}
	}
	need := 0
	if s.base == 0 {
		need = s.cfg.Shards
	}
	if port == 0 {
		need++
	}
	if need == 0 {
		return nil
	}
	first, err := freeInARow(loopback, need)
	if err != nil {
		return err
	}
	if s.base == 0 {
		s.base = first
	}
	if port == 0 {
		s.listen = net.JoinHostPort(host, strconv.Itoa(first+need))
	}
	return nil
}

func (s *Stack) makeDirs() (err error) {
	if s.cfg.Dir == "" {
		s.ownDir = true
		s.dir, err = os.MkdirTemp("", "brigade-")
	} else {
		s.dir, err = filepath.Abs(s.cfg.Dir)
	}
	if err != nil {
		return err
	}
	for _, name := range []string{tracksDir, uploadsDir, recordingsDir, "nginx"} {
		if err := os.MkdirAll(filepath.Join(s.dir, name), 0o700); err != nil {
			return err
		}
	}
	s.shared, err = makeShared("/dev/shm", s.dir)
	return err
}

// removeDir removes the directories that are our own.
func (s *Stack) removeDir() error {
	var errs []error
	if s.shared != nil {
		errs = append(errs, s.shared.remove())
	}
	if s.ownDir && s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}

// makeChildren lists the children in the order of their start.
func (s *Stack) makeChildren() error {
	programs := []program{s.stateServer()}
	for n := 1; n <= s.cfg.Shards; n++ {
		programs = append(programs, s.codecShard(n))
	}
	if !s.cfg.NoNginx {
		p, err := s.nginxProgram()
		if err != nil {
			return err
		}
		programs = append(programs, p)
	}
	log := newSink(s.cfg.Log, len(StateServer))
	s.deaths = make(chan *DiedError, len(programs))
	for i, p := range programs {
		s.children = append(s.children, &child{
			program: p, grace: s.cfg.Grace,
			emit: func(line []byte) { log.line(p.name, colours[i%len(colours)], line) },
			ops:  make(chan func()), quit: make(chan struct{}),
			deaths: s.deaths, done: make(chan struct{}),
		})
	}
	return nil
}

// Start starts the children one after the other and waits for each to be
// ready. If that fails all are stopped and the error says why; a *DiedError
// holds the last lines of the child. The end of ctx stops a started stack.
// Start may be called once.
func (s *Stack) Start(ctx context.Context) error {
	ctx, s.cancel = context.WithCancel(ctx)
	for _, c := range s.children {
		go c.run()
	}
	go s.supervise(ctx)

	starting, cancel := context.WithTimeoutCause(ctx, s.cfg.StartTimeout,
		fmt.Errorf("not all was ready within %v", s.cfg.StartTimeout))
	defer cancel()
	for _, c := range s.children {
		if err := s.launch(starting, c); err != nil {
			s.failed <- err
			<-s.done
			return s.startError(err)
		}
	}
	return nil
}

// startError chooses what to report of a start that failed: if a child died
// meanwhile, perhaps another than the one waited for, that is the cause.
func (s *Stack) startError(err error) error {
	var died *DiedError
	if errors.As(s.err, &died) {
		return s.err
	}
	return err
}

// launch starts c and waits until it is ready.
func (s *Stack) launch(ctx context.Context, c *child) error {
	var life *process
	var started error
	if err := c.do(func() { started = c.start(); life = c.life }); err != nil {
		return err
	}
	if started != nil {
		return started
	}
	return c.waitReady(ctx, life)
}

// supervise waits for the first reason to stop, then stops all, the last
// started first.
func (s *Stack) supervise(ctx context.Context) {
	select {
	case <-ctx.Done():
	case died := <-s.deaths:
		s.err = died
	case err := <-s.failed:
		s.err = err
	}
	s.cancel()
	for _, c := range slices.Backward(s.children) {
		close(c.quit)
		<-c.done
	}
	s.err = errors.Join(s.err, s.removeDir())
	close(s.done)
}

// Wait waits until the stack has stopped: nil if its context ended or Close was
// called, else what went wrong.
func (s *Stack) Wait() error {
	<-s.done
	return s.err
}

// Done is closed when everything has stopped.
func (s *Stack) Done() <-chan struct{} { return s.done }

// Close stops everything and waits for it; it gives what Wait gives. On a stack
// that was never started it removes what New made.
func (s *Stack) Close() error {
	if s.cancel == nil {
		return s.removeDir()
	}
	s.cancel()
	return s.Wait()
}

// Run is Start, then ready, then Wait.
func (s *Stack) Run(ctx context.Context, ready func()) error {
	if err := s.Start(ctx); err != nil {
		return err
	}
	ready()
	return s.Wait()
}

// child finds a child by its name.
func (s *Stack) child(name string) (*child, error) {
	var names []string
	for _, c := range s.children {
		if c.name == name {
			return c, nil
		}
		names = append(names, c.name)
	}
	return nil, fmt.Errorf("no child %q: there are %s", name, strings.Join(names, ", "))
}

// Kill ends a child with SIGKILL, as a crash would, and waits until it is gone.
// It stays down, and the stack stays up, until Restart.
func (s *Stack) Kill(name string) error {
	c, err := s.child(name)
	if err != nil {
		return err
	}
	down := false
	if err := c.do(func() {
		if down = c.life == nil; !down {
			c.kill()
		}
	}); err != nil {
		return err
	}
	if down {
		return fmt.Errorf("%s is down already", name)
	}
	return nil
}

// Restart stops a child with SIGTERM if it runs, starts it and waits, at most
// StartTimeout, until it is ready.
func (s *Stack) Restart(ctx context.Context, name string) error {
	c, err := s.child(name)
	if err != nil {
		return err
	}
	if err := c.do(c.stop); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.StartTimeout,
		fmt.Errorf("not ready within %v", s.cfg.StartTimeout))
	defer cancel()
	return s.launch(ctx, c)
}

// Pid is the process id of a child that runs.
func (s *Stack) Pid(name string) (int, error) {
	c, err := s.child(name)
	if err != nil {
		return 0, err
	}
	pid := 0
	if err := c.do(func() {
		if c.life != nil {
			pid = c.life.cmd.Process.Pid
		}
	}); err != nil {
		return 0, err
	}
	if pid == 0 {
		return 0, fmt.Errorf("%s is down", name)
	}
	return pid, nil
}

// Names lists the children in the order of their start.
func (s *Stack) Names() []string {
	var names []string
	for _, c := range s.children {
		names = append(names, c.name)
	}
	return names
}

// Shared is the directory of what the programs share as memory, removed at the end.
func (s *Stack) Shared() string { return s.shared.path }

// Dir is the directory that holds the other files of the stack.
func (s *Stack) Dir() string { return s.dir }

// Tracks is the folder for backing tracks, looked at again each second.
func (s *Stack) Tracks() string { return filepath.Join(s.dir, tracksDir) }

// URL is where the site is: nginx, or without it the first shard. No slash at
// its end.
func (s *Stack) URL() string {
	if s.cfg.NoNginx {
		return s.ShardURL(1)
	}
	host, port, err := net.SplitHostPort(s.listen)
	if err != nil {
		panic(err) // New has checked it
	}
	if ip := net.ParseIP(host); ip.IsUnspecified() {
		host = loopback
		if ip.To4() == nil {
			host = "::1"
		}
	}
	return "http://" + net.JoinHostPort(host, port)
}

// ShardURL is where shard n, from 1, listens itself. It is known once the shard
// was ready, empty before, and stays the same when the shard is restarted.
func (s *Stack) ShardURL(n int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shardURLs[n-1]
}

func (s *Stack) setShardURL(n int, url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shardURLs[n-1] = url
}
