// Package stacktest runs the whole brigade, built from this module, inside a
// test: real programs, real nginx, real shared memory.
package stacktest

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bucketbrigade/stack"
)

// buildTag keeps libopusfile out of the programs.
const buildTag = "nolibopusfile"

// Root is the directory of the module.
func Root(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatalf("go env GOMOD: %v", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out)))
}

// Build builds state-server and codec-shard into a directory of the test.
func Build(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", "build", "-tags", buildTag, "-o", dir+string(filepath.Separator),
		"./cmd/state-server", "./cmd/codec-shard")
	cmd.Dir = Root(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the programs: %v\n%s", err, out)
	}
	return dir
}

// Start runs a stack on free ports until the test ends. BinDir and Root of cfg
// are filled in; what the programs say becomes the test's log, and goes to
// cfg.Log if there is one.
func Start(t testing.TB, cfg stack.Config) *stack.Stack {
	t.Helper()
	if cfg.BinDir == "" {
		cfg.BinDir = Build(t)
	}
	if cfg.Root == "" {
		cfg.Root = filepath.Join(Root(t), "web")
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Log == nil {
		cfg.Log = log
	} else {
		cfg.Log = io.MultiWriter(log, cfg.Log)
	}
	s, err := stack.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("the stack: %v", err)
		}
		log.Close()
		if said, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("what the programs said:\n%s", said)
		}
	})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}
