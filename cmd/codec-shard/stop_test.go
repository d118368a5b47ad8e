package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bucketbrigade/internal/service/servicetest"
)

// metricsOf reads what a program logs until it tells the address for operators; all
// that comes after is thrown away.
func metricsOf(t *testing.T, log *os.File) string {
	t.Helper()
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if _, addr, ok := strings.Cut(lines.Text(), "msg=metrics addr="); ok {
			go io.Copy(io.Discard, log)
			return "http://" + addr
		}
	}
	t.Fatal("the program tells no address")
	return ""
}

// beginUpload sends half of an upload and returns when the shard has taken that up.
func beginUpload(t *testing.T, addr, folder string) (c net.Conn, rest []byte) {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("..", "..", "audiofile", "testdata", "24k.opus"))
	if err != nil {
		t.Fatal(err)
	}
	if c, err = net.Dial("tcp", addr); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := fmt.Fprintf(c, "POST /upload?type=backingTrack HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(file), file[:1000]); err != nil {
		t.Fatal(err)
	}
	for late := time.Now().Add(20 * time.Second); ; <-time.After(5 * time.Millisecond) {
		if files, err := os.ReadDir(folder); err == nil && len(files) > 0 {
			return c, file[1000:]
		}
		if time.Now().After(late) {
			t.Fatal("the upload does not begin")
		}
	}
}

// A shard that systemd stops while something is uploaded answers singers and
// operators, and says that it works, until the upload is done.
func TestUploadHoldsUpTheEndAndNobodyElse(t *testing.T) {
	t.Parallel()
	socket, addr := listener(t)
	log, stderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	folder := t.TempDir()
	p := servicetest.Start(t, servicetest.Unit{
		Args:   []string{"-uploads", folder, "-metrics", "127.0.0.1:0"},
		Socket: socket, SocketName: "http", Watchdog: 2 * time.Second, Stderr: stderr,
	})
	stderr.Close()
	operators := metricsOf(t, log)
	p.Await("READY=1")
	c, rest := beginUpload(t, addr, folder)
	p.Terminate()
	if m := p.Await("STOPPING=1"); !strings.Contains(m, "STATUS=stopping: singers 0") || !strings.HasSuffix(m, "uploads under way 1") {
		t.Errorf("told %q", m)
	}
	p.Await("WATCHDOG=1") // which may have been on its way
	singer := http.Client{Timeout: 20 * time.Second}
	for range 3 {
		p.Await("WATCHDOG=1")
		resp, err := singer.Post("http://"+addr+"/?action=status", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 || resp.Close {
			t.Errorf("%s, the last answer of its connection: %t", resp.Status, resp.Close)
		}
		if code, body := get(t, operators+"/readyz"); code != 503 || body != "the shard is stopping\n" {
			t.Errorf("readyz: %d %q", code, body)
		}
	}
	if _, err := c.Write(rest); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if status := p.Wait(); resp.StatusCode != 200 || status != 0 {
		t.Errorf("the upload: %s, exit status %d", resp.Status, status)
	}
}
