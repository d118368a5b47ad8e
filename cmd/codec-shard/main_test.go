package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bucketbrigade/internal/manual"
)

func TestCommandLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	for _, c := range []struct {
		name   string
		args   []string
		status int
		says   string
	}{
		{"help", []string{"-help"}, 0, "codec-shard -dir DIR -segment echo01"},
		{"unknown flag", []string{"-loud"}, 2, "-loud"},
		{"argument", []string{"echo01"}, 2, `argument "echo01"`},
		{"wait", []string{"-wait", "x"}, 2, `wait "x" is not known`},
		{"segment is a path", []string{"-segment", "/dev/shm/echo01"}, 2, "belongs to -dir"},
		{"processors", []string{"-procs", "-1"}, 2, "-procs -1"},
		{"encode", []string{"-encode", "twice"}, 2, `-encode "twice" is not known`},
		{"complexity", []string{"-complexity", "11"}, 2, "-complexity 11 is not in 0..10"},
		{"no complexity", []string{"-complexity", "-1"}, 2, "-complexity -1 is not in 0..10"},
		{"application", []string{"-opus-application", "voip"}, 2, `"voip" is not known, lowdelay and audio are`},
		{"room", []string{"-max-users", "-1"}, 2, "-max-users -1"},
		{"tracks of the state server", []string{"-segment", "echo01", "-tracks", dir}, 2, "-tracks belongs to the state server"},
		{"uploads into a file", []string{"-uploads", "main.go"}, 1, "name another with -uploads"},
		{"no directory", []string{"-dir", dir + "/none", "-segment", "echo01"}, 1, "no such file"},
		{"json area", []string{"-dir", dir, "-segment", "echo01", "-json-area", "70000"}, 2, "-json-area 70000 is not in 10000..65535"},
		{"json area without segment", []string{"-json-area", "70000"}, 2, "-json-area 70000 is not in 10000..65535"},
		{"secrets in a shard", []string{"-segment", "echo01", "-secrets", "x"}, 2, "belong to the state server"},
		{"control secret in a shard", []string{"-segment", "echo01", "-control-secret", "x"}, 2, "belong to the state server"},
		{"no control secret", []string{"-control-secret", dir + "/none"}, 1, "-control-secret: open " + dir + "/none"},
		{"metrics for all", []string{"-listen", "127.0.0.1:0", "-metrics", ":9101"}, 1, "-metrics: :9101 is no loopback address"},
		{"port in use", []string{"-listen", taken.Addr().String()}, 1, "choose another address with -listen"},
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

func TestUnshardedServesAndTellsItsPort(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error, 1)
	uploads := filepath.Join(t.TempDir(), "uploads")
	go func() {
		err := run(ctx, []string{"-listen", "127.0.0.1:0", "-instance-name", "Test room", "-uploads", uploads}, io.Discard, w)
		w.Close()
		done <- err
	}()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, r)
	_, addr, ok := strings.Cut(strings.TrimSpace(line), "addr=")
	if !ok || !strings.Contains(line, "listening") {
		t.Fatalf("the first line is %q", line)
	}
	resp, err := http.Post("http://"+addr+"/?action=status", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if !strings.Contains(string(body), `"instance_name":"Test room"`) && !strings.Contains(string(body), `"instance_name": "Test room"`) {
		t.Errorf("status %s", body)
	}
	track, err := os.Open(filepath.Join("..", "..", "audiofile", "testdata", "24k.opus"))
	if err != nil {
		t.Fatal(err)
	}
	if resp, err = http.Post("http://"+addr+"/upload?type=backingTrack", "", track); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if files, err := os.ReadDir(uploads); resp.StatusCode != 200 || len(files) != 1 {
		t.Errorf("upload: %s, files %v, %v", resp.Status, files, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Control, telemetry and profiles of a brigade in one process.
func TestUnshardedIsControlledAndTells(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/control", []byte("a long enough secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-listen", "127.0.0.1:0", "-metrics", "127.0.0.1:0", "-control-secret", dir + "/control"}, io.Discard, w)
		w.Close()
		done <- err
	}()
	// Either may come first.
	lines := bufio.NewScanner(r)
	addrs := make(map[string]string)
	for len(addrs) < 2 && lines.Scan() {
		for _, what := range []string{"listening", "metrics"} {
			if _, addr, ok := strings.Cut(lines.Text(), "msg="+what+" addr="); ok {
				addrs[what] = addr
			}
		}
	}
	go io.Copy(io.Discard, r)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addrs["listening"]+"/?mark_start_singing=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer a long enough secret")
	for _, ask := range []struct {
		do   func() (*http.Response, error)
		says string
	}{
		{func() (*http.Response, error) { return http.DefaultClient.Do(req) }, `"song_start_clock"`},
		{func() (*http.Response, error) { return http.Get("http://" + addrs["metrics"] + "/telemetry") }, `"server_controlled":true`},
		{func() (*http.Response, error) { return http.Get("http://" + addrs["metrics"] + "/debug/pprof/cmdline") }, "codec-shard"},
	} {
		resp, err := ask.do()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || !strings.Contains(string(body), ask.says) {
			t.Errorf("%d %s %v, want one that says %s", resp.StatusCode, body, err, ask.says)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
