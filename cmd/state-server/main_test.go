package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"bucketbrigade/internal/manual"
)

func TestCommandLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct {
		name   string
		args   []string
		status int
		says   string
	}{
		{"help", []string{"-help"}, 0, "state-server [flags] [SEGMENT...]"},
		{"unknown flag", []string{"-loud"}, 2, "-loud"},
		{"wait", []string{"-wait", "sleep"}, 2, `wait "sleep" is not known: "hybrid" or "spin"`},
		{"room", []string{"-max-users", "0"}, 2, "-max-users 0"},
		{"directory", []string{"-dir", dir + "/none"}, 1, "name another with -dir"},
		{"json area", []string{"-dir", dir, "-json-area", "99"}, 1, "-json-area 99 is not in 10000..65535"},
		{"segment", []string{"-dir", dir, "a/b"}, 1, `segment "a/b" is no plain name`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			err := run(t.Context(), c.args, io.Discard, &out)
			said := out.String()
			if err != nil {
				said += err.Error()
			}
			if manual.Status(err) != c.status || !strings.Contains(said, c.says) {
				t.Errorf("status %d, said %q; want %d and %q", manual.Status(err), said, c.status, c.says)
			}
		})
	}
}

func TestRunsUntilToldToStop(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"echo01"}, nil, {"-wait", "spin", "-json-area", "10000", "echo02"}} {
		ctx, cancel := context.WithCancel(t.Context())
		var out bytes.Buffer
		done := make(chan error, 1)
		go func() { done <- run(ctx, append([]string{"-dir", t.TempDir()}, args...), io.Discard, &out) }()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
}
