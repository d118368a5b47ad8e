package nginx

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// seen is one request as it reached a shard.
type seen struct {
	Method, URI string
	Header      http.Header
	Body        int
}

// fakeShard stands where a codec shard would.
type fakeShard struct {
	*httptest.Server
	number      int
	connections atomic.Int64 // ever accepted

	mu       sync.Mutex
	requests []seen
}

// answer is what a fake shard says; it names the shard in the header Shard.
type answer func(w http.ResponseWriter, r *http.Request)

func newFakeShard(number int, l net.Listener, say answer) *fakeShard {
	s := &fakeShard{number: number}
	s.Server = &httptest.Server{Listener: l, Config: &http.Server{
		MaxHeaderBytes: 1 << 20,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			s.mu.Lock()
			s.requests = append(s.requests, seen{r.Method, r.RequestURI, r.Header.Clone(), int(n)})
			s.mu.Unlock()
			w.Header().Set("Shard", fmt.Sprintf("%02d", number))
			if say != nil {
				say(w, r)
			}
		}),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				s.connections.Add(1)
			}
		},
	}}
	s.Start()
	return s
}

// last is the most recent request.
func (s *fakeShard) last(t *testing.T) seen {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.requests) == 0 {
		t.Fatalf("shard %02d got no request", s.number)
	}
	return s.requests[len(s.requests)-1]
}

func (s *fakeShard) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// rig is a real nginx in front of fake shards.
type rig struct {
	*testing.T
	dir, url string
	// recordings is the folder of those.
	recordings string
	shards     []*fakeShard
	log        *bytes.Buffer // nginx's stderr; read it only after the process ended
	client     *http.Client
	stop       func() // ends nginx; also done by the end of the test
}

// newRig starts n fake shards and an nginx before them; all of it ends with
// the test.
func newRig(t *testing.T, n int, say answer, options ...string) *rig {
	t.Helper()
	r := &rig{T: t, dir: t.TempDir(), recordings: t.TempDir(), client: &http.Client{
		Transport: &http.Transport{}, Timeout: 20 * time.Second,
	}}
	t.Cleanup(r.client.CloseIdleConnections)
	base, listeners := listenInARow(t, n)
	for i, l := range listeners {
		s := newFakeShard(i+1, l, say)
		t.Cleanup(s.Close)
		r.shards = append(r.shards, s)
	}
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "index.html"), []byte("<title>sing</title>"), 0o600); err != nil {
		t.Fatal(err)
	}
	listen := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	r.url = "http://" + listen
	conf := Standalone{Dir: r.dir, Listen: listen, Shards: n, BasePort: base, Root: root, Recordings: r.recordings, Options: options}
	if err := conf.Write(); err != nil {
		t.Fatal(err)
	}
	r.startNginx(conf)
	return r
}

// startNginx runs nginx until the end of the test and waits until it listens.
func (r *rig) startNginx(conf Standalone) {
	r.Helper()
	r.log = new(bytes.Buffer)
	cmd := exec.Command(nginxPath(r.T), conf.Args()...)
	cmd.Stdout, cmd.Stderr = r.log, r.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		r.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	r.stop = sync.OnceFunc(func() {
		select {
		case err := <-exited:
			r.Errorf("nginx ended before its test: %v\n%s", err, r.log)
			return
		default:
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			r.Errorf("cannot end nginx: %v", err)
		}
		<-exited
		if r.Failed() {
			r.Logf("nginx said:\n%s", r.log)
		}
	})
	r.Cleanup(func() { r.stop() })
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for {
		if c, err := net.Dial("tcp", conf.Listen); err == nil {
			c.Close()
			return
		}
		select {
		case err := <-exited:
			exited <- err
			r.Fatalf("nginx ended at once: %v\n%s", err, r.log)
		case <-deadline:
			r.Fatalf("nginx does not listen on %s after 10 s", conf.Listen)
		case <-tick.C:
		}
	}
}

// nginxPath is the program, or the end of the test: its absence is a failure,
// since nothing else tests what we ship.
func nginxPath(t *testing.T) string {
	t.Helper()
	path, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// do sends one request through nginx and reads the whole answer. An error is
// one of the connection.
func (r *rig) do(method, path, body string, header http.Header) (*http.Response, string, error) {
	r.Helper()
	req, err := http.NewRequestWithContext(r.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.Fatal(err)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp, string(text), err
}

// ask is do for a request that must be answered.
func (r *rig) ask(method, path, body string) (*http.Response, string) {
	r.Helper()
	resp, text, err := r.do(method, path, body, nil)
	if err != nil {
		r.Fatalf("%s %s: %v", method, path, err)
	}
	return resp, text
}

// shardOf says which shard answered.
func (r *rig) shardOf(method, path string) string {
	r.Helper()
	resp, text := r.ask(method, path, "")
	if resp.StatusCode != http.StatusOK {
		r.Fatalf("%s %s: %s %q", method, path, resp.Status, text)
	}
	return resp.Header.Get("Shard")
}

// listenInARow listens on n ports in a row, base+1 to base+n. They lie below
// the range from which the kernel gives out ports of its own accord.
func listenInARow(t *testing.T, n int) (base int, listeners []net.Listener) {
	t.Helper()
search:
	for range 200 {
		base = 10000 + rand.IntN(20000)
		for i := 1; i <= n; i++ {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", base+i))
			if err != nil {
				for _, l := range listeners {
					l.Close()
				}
				listeners = nil
				continue search
			}
			listeners = append(listeners, l)
		}
		return base, listeners
	}
	t.Fatalf("no %d free ports in a row in 200 tries", n)
	return 0, nil
}

// freePort is a port that was free a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	base, listeners := listenInARow(t, 1)
	listeners[0].Close()
	return base + 1
}
