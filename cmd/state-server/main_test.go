package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
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
		{"no room", []string{"-max-users", "0"}, 2, "-max-users 0 is not in 1..20000"},
		{"large room", []string{"-max-users", "300000"}, 2, "-max-users 300000 is not in 1..20000"},
		{"directory", []string{"-dir", dir + "/none"}, 1, "name another with -dir"},
		{"json area", []string{"-json-area", "99"}, 2, "-json-area 99 is not in 10000..65535"},
		{"metrics for all", []string{"-metrics", "0.0.0.0:9101"}, 1, "-metrics: 0.0.0.0:9101 is no loopback address"},
		{"no control secret", []string{"-control-secret", dir + "/none"}, 1, "-control-secret: open " + dir + "/none"},
		{"no secrets", []string{"-secrets", dir + "/none"}, 1, "-secrets: open " + dir + "/none"},
		{"uploads into a file", []string{"-uploads", "main.go"}, 1, "name another with -uploads"},
		{"flag behind a segment", []string{"echo01", "-max-users", "3000"}, 2, "-max-users comes after a segment"},
		{"segment", []string{"a/b"}, 1, `segment "a/b" is no plain name`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			err := run(t.Context(), append([]string{"-dir", t.TempDir()}, c.args...), io.Discard, &out)
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

// addr waits until a program tells the address that it listens on for operators.
func addr(t *testing.T, log io.Reader) string {
	t.Helper()
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if _, at, ok := strings.Cut(lines.Text(), "msg=metrics addr="); ok {
			go io.Copy(io.Discard, log)
			return at
		}
	}
	t.Fatal("no address is told")
	return ""
}

func TestTellsOperators(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-dir", t.TempDir(), "-metrics", "127.0.0.1:0", "echo01"}, io.Discard, w)
		w.Close()
		done <- err
	}()
	url := "http://" + addr(t, r)
	for path, says := range map[string]string{
		"/api/telemetry": `"server_version":"unknown"`, "/debug/pprof/": "goroutine", "/": "/api/telemetry",
	} {
		resp, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !strings.Contains(string(body), says) {
			t.Errorf("GET %s: %s %v, want one that says %s", path, body, err, says)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestReadsSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"control": "a long enough secret\n", "secrets": `{"instance_name": "Hall"}`} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ flag, want string }{{"", "Hall"}, {"Cave", "Cave"}} {
		cfg, _, err := parse([]string{"-secrets", dir + "/secrets", "-control-secret", dir + "/control", "-instance-name", c.flag}, io.Discard)
		if err != nil || cfg.ControlSecret != "a long enough secret" || cfg.InstanceName != c.want || cfg.VideoToken != nil {
			t.Errorf("-instance-name %q: %q, %v", c.flag, cfg.InstanceName, err)
		}
	}
}
