package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
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
		{"room", []string{"-max-users", "-1"}, 2, "-max-users -1"},
		{"no directory", []string{"-dir", dir + "/none", "-segment", "echo01"}, 1, "no such file"},
		{"json area", []string{"-dir", dir, "-segment", "echo01", "-json-area", "70000"}, 1, "70000"},
		{"json area without segment", []string{"-json-area", "70000"}, 1, "-json-area 70000 is not in 10000..65535"},
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
	go func() {
		err := run(ctx, []string{"-listen", "127.0.0.1:0", "-instance-name", "Test room"}, io.Discard, w)
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
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
