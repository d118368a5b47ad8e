package state

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"testing"

	"bucketbrigade/shard"
	"bucketbrigade/shard/backendtest"
	"bucketbrigade/shm"
)

// quiet is a log that nobody reads.
func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// start runs run until the test ends.
func start(t *testing.T, run func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// startServer runs a state server until the test ends.
func startServer(t *testing.T, cfg Config) *Server {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = quiet()
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	start(t, s.Run)
	return s
}

// openClient opens the shard's side of a segment.
func openClient(t *testing.T, dir, name string, cfg shm.ClientConfig) *shm.Client {
	t.Helper()
	seg, err := shm.Open(filepath.Join(dir, name), shm.ForShard, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := shm.NewClient(seg, cfg)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestLocalIsABackend(t *testing.T) {
	t.Parallel()
	backendtest.Run(t, func(t *testing.T) shard.Backend {
		l, err := NewLocal(Settings{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		start(t, l.Run)
		return l
	})
}

func TestSharedMemoryIsABackend(t *testing.T) {
	t.Parallel()
	for _, wait := range []shm.Wait{shm.Hybrid, shm.Spin} {
		t.Run(wait.String(), func(t *testing.T) {
			t.Parallel()
			backendtest.Run(t, func(t *testing.T) shard.Backend {
				dir := t.TempDir()
				startServer(t, Config{Dir: dir, Segments: []string{"echo01"}, Wait: wait})
				return openClient(t, dir, "echo01", shm.ClientConfig{Wait: wait})
			})
		})
	}
}
