package shard

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/upload"
)

// stopRig is a shard in a bubble that takes uploads, which are usable once pending
// is false, and is to be stopped.
type stopRig struct {
	t       *testing.T
	shard   *Server
	pipes   *pipes
	pending atomic.Bool
	beats   atomic.Int64
	looks   atomic.Int64 // at the server clock
	log     strings.Builder
	stop    func() error
}

func newStopRig(t *testing.T) *stopRig {
	t.Helper()
	r := &stopRig{t: t}
	store, err := upload.NewStore(t.TempDir(), slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	b := &stub{clock: now, upload: func(string) string {
		if r.pending.Load() {
			return proto.UploadPending
		}
		return proto.UploadReady
	}}
	r.shard, r.pipes, r.stop = runOnPipes(t, watchedClock{b, &r.looks}, func(c *Config) {
		c.Uploads, c.Log = store, slog.New(slog.NewTextHandler(&r.log, nil))
		c.Beat = func() { r.beats.Add(1) }
	})
	synctest.Wait()
	return r
}

// watchedClock is a backend that counts how often it is asked for the clock by
// somebody who still waits for it.
type watchedClock struct {
	*stub
	looks *atomic.Int64
}

func (w watchedClock) Call(ctx context.Context, req *proto.Request, ans *proto.Answer) error {
	if req.Kind == proto.KindClock && ctx.Err() == nil {
		w.looks.Add(1)
	}
	return w.stub.Call(ctx, req, ans)
}

// stopping has the shard stop; ended gives how long that took.
func (r *stopRig) stopping() (ended <-chan time.Duration) {
	took := make(chan time.Duration, 1)
	began := time.Now()
	go func() {
		if err := r.stop(); err != nil {
			r.t.Error(err)
		}
		took <- time.Since(began)
	}()
	synctest.Wait()
	return took
}

// upload begins to upload a file, of which it sends part bytes; answered gives the
// answer.
func (r *stopRig) upload(file []byte, part int) (c net.Conn, answered <-chan *http.Response) {
	c = r.pipes.dial()
	got := make(chan *http.Response, 1)
	go func() {
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			resp = &http.Response{Status: err.Error()}
		}
		got <- resp
	}()
	send(r.t, c, fmt.Sprintf("POST /upload?type=image HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", len(file)))
	send(r.t, c, string(file[:part]))
	synctest.Wait()
	return c, got
}

// sing sings batch k over a connection, and tells whether that is to be the last.
func (r *stopRig) sing(c net.Conn, back *bufio.Reader, k int) (last bool) {
	r.t.Helper()
	began := time.Now()
	send(r.t, c, head(7, k, 0))
	resp, err := http.ReadResponse(back, nil)
	if err != nil {
		r.t.Fatalf("batch %d: %v", k, err)
	}
	buf := make([]byte, resp.ContentLength)
	if _, err := back.Read(buf); err != nil {
		r.t.Fatal(err)
	}
	if d := time.Since(began); resp.StatusCode != http.StatusOK || d > 0 {
		r.t.Errorf("batch %d: %s after %v", k, resp.Status, d)
	}
	return resp.Close
}

// While an upload is under way a shard that is to stop serves singers as always, on
// old connections and new ones, takes no other upload, and says what it does.
func TestStopWaitsForUploadsAndServesMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newStopRig(t)
		r.pending.Store(true)
		file := pngFile(t)
		old := r.pipes.dial()
		back := bufio.NewReader(old)
		r.sing(old, back, 1)
		_, answered := r.upload(file, len(file))
		ended := r.stopping()
		before := r.beats.Load()
		for k := 2; k < 12; k++ {
			<-time.After(600 * time.Millisecond)
			if r.sing(old, back, k) {
				t.Fatalf("batch %d ends the connection", k)
			}
			r.pipes.dial().Close() // would wait for ever if nobody accepted it
		}
		if n := r.beats.Load() - before; n < 11 || n > 13 {
			t.Errorf("%d beats within 6 s", n)
		}
		if err := r.shard.Ready(); err == nil || err.Error() != "the shard is stopping" {
			t.Errorf("ready: %v", err)
		}
		if st := r.shard.Stats(); !st.Ready {
			t.Error("singers are answered, but the metrics say they are not")
		}
		if s := r.shard.Status(); s != "singers 1, shared streams 0, state server answers, uploads under way 1" {
			t.Errorf("status %q", s)
		}
		_, refused := r.upload(file, len(file))
		resp := <-refused
		if resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "10" || !strings.Contains(resp.Header.Get(metadataHeader), "being restarted") {
			t.Errorf("another upload: %s %v", resp.Status, resp.Header)
		}
		r.pending.Store(false)
		if resp := <-answered; resp.StatusCode != 200 {
			t.Errorf("the upload: %s", resp.Status)
		}
		old.Close()
		if d := <-ended; d < 6*time.Second || d > 6*time.Second+2*linger {
			t.Errorf("it took %v to stop", d)
		}
	})
}

// An upload that comes to no end holds a shard up for as long as is allowed, and is
// told so; singers do not wait for it a second time.
func TestStopCutsUploadsOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newStopRig(t)
		file := pngFile(t)
		old := r.pipes.dial()
		back := bufio.NewReader(old)
		_, answered := r.upload(file, 10)
		ended := r.stopping()
		looks := r.looks.Load()
		for k := 1; k <= int(uploadGrace/(600*time.Millisecond)); k++ {
			<-time.After(600 * time.Millisecond)
			r.sing(old, back, k)
		}
		if n := r.looks.Load() - looks; n != 5 {
			t.Errorf("%d looks at the server clock within %v, want one each 10 s", n, uploadGrace)
		}
		resp := <-answered
		if resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "10" {
			t.Errorf("the upload: %s %v", resp.Status, resp.Header)
		}
		old.Close()
		if d := <-ended; d < uploadGrace || d > uploadGrace+2*linger {
			t.Errorf("it took %v to stop, with %v for uploads and %v for singers", d, uploadGrace, linger)
		}
		if log := r.log.String(); !strings.Contains(log, "uploads cut off") || strings.Contains(log, "requests cut off") {
			t.Errorf("logged\n%s", log)
		}
	})
}

// A stop is not held up by what is over: neither by an upload of before nor by one
// that was refused.
func TestStopWithoutUploadsIsSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newStopRig(t)
		file := pngFile(t)
		for want, file := range map[int][]byte{200: file, 415: file[:20]} {
			c, answered := r.upload(file, len(file))
			if resp := <-answered; resp.StatusCode != want {
				t.Errorf("%s, want %d", resp.Status, want)
			}
			c.Close()
		}
		if d := <-r.stopping(); d > 2*drainLook {
			t.Errorf("it took %v to stop", d)
		}
		if log := r.log.String(); strings.Contains(log, "uploads under way") {
			t.Errorf("logged\n%s", log)
		}
	})
}
