package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bucketbrigade/internal/manual"
	"bucketbrigade/stack"
)

func TestCommandLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args   string
		status int
		want   string // part of what is printed, or of the error
	}{
		{"--help", 0, "Exit status:"},
		{"-h", 0, "(default 7100)"},
		{"-colour", 2, "brigade-run -help"},
		{"-shards two", 2, `invalid value "two"`},
		{"-shards 0", 2, "0 shards"},
		{"extra", 2, `argument "extra"`},
		{"-bin /does/not/exist", 1, "make build"},
		{"-shards 99", 1, "from 1 to 64"},
		{"-help", 0, "-unlimited"},
	}
	for _, tt := range tests {
		var stderr bytes.Buffer
		err := run(t.Context(), strings.Fields(tt.args), io.Discard, &stderr)
		said := stderr.String() + fmt.Sprint(err)
		if got := manual.Status(err); got != tt.status || !strings.Contains(said, tt.want) {
			t.Errorf("%s: status %d, want %d with %q:\n%s", tt.args, got, tt.status, tt.want, said)
		}
	}
}

// script makes an executable shell script.
func script(t *testing.T, dir, name, body string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body), 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestChildThatDies(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	script(t, bin, "state-server", "echo no memory left >&2; exit 4\n")
	script(t, bin, "codec-shard", "sleep 60\n")
	var stderr bytes.Buffer
	err := run(t.Context(), []string{"-bin", bin, "-root", bin, "-listen", "127.0.0.1:0", "-base-port", "0"}, io.Discard, &stderr)
	var died *stack.DiedError
	if !errors.As(err, &died) || died.Name != stack.StateServer || !strings.Contains(err.Error(), "no memory left") {
		t.Errorf("want the death of the state server, got %v", err)
	}
	if got := stderr.String(); got != "state-server | no memory left\n" {
		t.Errorf("logged %q", got)
	}
}

// cancelOn cancels a context as soon as a text is written.
type cancelOn struct {
	text   string
	cancel context.CancelFunc
	bytes.Buffer
}

func (c *cancelOn) Write(p []byte) (int, error) {
	n, err := c.Buffer.Write(p)
	if strings.Contains(c.String(), c.text) {
		c.cancel()
	}
	return n, err
}

// Ctrl-C while the programs start is no failure.
func TestInterruptedStart(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	script(t, bin, "state-server", "echo mapped >&2; exec sleep 60\n")
	script(t, bin, "codec-shard", "exec sleep 60\n")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout bytes.Buffer
	stderr := &cancelOn{text: "mapped", cancel: cancel}
	err := run(ctx, []string{"-bin", bin, "-root", bin, "-listen", "127.0.0.1:0", "-base-port", "0"}, &stdout, stderr)
	if err != nil || !strings.Contains(stdout.String(), "all stopped") {
		t.Errorf("%v\nstdout: %s\nstderr: %s", err, &stdout, stderr)
	}
}
