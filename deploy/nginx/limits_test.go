package nginx

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Who floods and who sings in these tests: all of 127.0.0.0/8 is this machine, and
// with "--unlimited none" it is limited like any other address.
const (
	flooder = "127.0.0.2"
	choir   = "127.0.0.3"
)

// from is the same rig seen from another address.
func (r *rig) from(address string) *rig {
	r.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	there := *r
	there.client = &http.Client{
		Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 1000},
		Timeout:   20 * time.Second,
	}
	r.Cleanup(there.client.CloseIdleConnections)
	return &there
}

// statuses counts the answers to n requests that hands clients send at once, as
// fast as they can; path makes the i-th one.
func (r *rig) statuses(method string, n, hands int, path func(i int) string) map[int]int {
	r.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	var next atomic.Int64
	counts := map[int]int{}
	for range hands {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				resp, _, err := r.do(method, path(i), "", nil)
				if err != nil {
					r.Errorf("%s %s: %v", method, path(i), err)
					return
				}
				mu.Lock()
				counts[resp.StatusCode]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return counts
}

// always is a path that does not change.
func always(path string) func(int) string { return func(int) string { return path } }

// A flood from one address, each request with another userid, is cut to the
// address's share; a singer elsewhere sings on.
func TestFloodIsCut(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1, nil, "--unlimited", "none")
	ctx, stop := context.WithCancel(t.Context())
	var singer sync.WaitGroup
	singer.Go(func() {
		pace := time.NewTicker(200 * time.Millisecond)
		defer pace.Stop()
		there := r.from(choir)
		for n := 0; ; n++ {
			resp, text, err := there.do("POST", "/api?userid=1", "o", nil)
			if err != nil || resp.StatusCode != 200 {
				t.Errorf("the singer's request %d: %v %v %q", n, resp, err, text)
			}
			select {
			case <-pace.C:
			case <-ctx.Done():
				return
			}
		}
	})
	start := time.Now()
	got := r.from(flooder).statuses("POST", 4000, 8, func(int) string {
		return fmt.Sprintf("/api?userid=%d", rand.Uint64())
	})
	most := 1601 + 400*int(time.Since(start).Seconds()+1)
	stop()
	singer.Wait()
	if got[200] < 1601 || got[200] > most || got[200]+got[429] != 4000 {
		t.Errorf("of 4000 requests: %v; want 1601 to %d let in, the rest 429", got, most)
	}
}

// A hundred singers behind one address come back all at once after a
// stall, each with his clock and four requests under way, and once more; then they
// sing on. None of them ever meets a limit.
func TestChoirInOneHall(t *testing.T) {
	t.Parallel()
	const singers = 100
	r := newRig(t, 2, nil, "--unlimited", "none").from(choir)
	var storm, wg sync.WaitGroup
	try := func(method, path string) {
		if resp, text, err := r.do(method, path, strings.Repeat("o", 4000), nil); err != nil || resp.StatusCode != 200 {
			t.Errorf("%s %s: %v %v %q", method, path, resp, err, text)
		}
	}
	for singer := range singers {
		wg.Go(func() {
			path := fmt.Sprintf("/api?userid=%d", singer+1)
			for range 2 {
				try("GET", "/api")
				for range 4 {
					storm.Go(func() { try("POST", path) })
				}
			}
			pace := time.NewTicker(600 * time.Millisecond)
			defer pace.Stop()
			for range 4 {
				<-pace.C
				try("POST", path)
			}
		})
	}
	wg.Wait()
	storm.Wait()
}

// One client that has gone mad uses up his own share and not that of the others
// in the hall; nor that of a singer elsewhere, whose userid everybody can see.
func TestOneMadClientInTheHall(t *testing.T) {
	t.Parallel()
	hall := newRig(t, 1, nil, "--unlimited", "none", "--choir", "10").from(choir)
	start := time.Now()
	got := hall.statuses("POST", 1000, 4, always("/api?userid=666"))
	most := 61 + 10*int(time.Since(start).Seconds()+1)
	if got[200] < 61 || got[200] > most || got[200]+got[429] != 1000 {
		t.Errorf("one userid's 1000 requests: %v; want 61 to %d let in", got, most)
	}
	if got := hall.statuses("POST", 90, 10, func(i int) string { return fmt.Sprintf("/api?userid=%d", i) }); got[200] != 90 {
		t.Errorf("90 requests of others in the hall: %v, want all let in", got)
	}
	if got := hall.from(flooder).statuses("POST", 50, 1, always("/api?userid=666")); got[200] != 50 {
		t.Errorf("50 requests of the userid from elsewhere: %v, want all let in", got)
	}
	// What cannot be a userid gets no memory of its own; it has the address's share.
	long := always("/api?userid=" + strings.Repeat("6", 21))
	if got := hall.from("127.0.0.4").statuses("POST", 100, 1, long); got[200] != 100 {
		t.Errorf("100 requests of what is no userid: %v, want all let in", got)
	}
}

// The eleventh song in a row is refused, to the one address; singing is not.
func TestSongStarts(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1, nil, "--unlimited", "none")
	starts := []string{
		"/api?userid=1&mark_start_singing=1",
		"/api/01?userid=2&mark_start_singing=1",
		"/api?mark_start_singing=1&userid=3",
		"/api?userid=4&mark%5Fstart_singing=1",
	}
	flood := r.from(flooder)
	for i := range 11 {
		flood.shardOf("POST", starts[i%len(starts)])
	}
	for _, path := range starts {
		resp, text := flood.ask("POST", path, "")
		checkRefusal(t, resp, http.StatusTooManyRequests, "10")
		if !strings.Contains(text, "Too many songs started: wait ten seconds") {
			t.Errorf("POST %s: %q", path, text)
		}
	}
	for _, path := range []string{"/api?userid=1", "/api?userid=1&chat=%5B%22mark_start_singing%3D1%22%5D&mark_stop_singing=1", "/api?userid=1&username=x%26mark_start_singing%3D1&xmark_start_singing=1"} {
		flood.shardOf("POST", path)
	}
	r.from(choir).shardOf("POST", starts[0])
}

// A refused clock is a connection that ends without a byte.
func TestClockBeyondTheLimit(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1, nil, "--unlimited", "none", "--choir", "1")
	told, closed := 0, 0
	for range 40 {
		switch got := r.rawAnswer("GET /api HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); {
		case strings.HasPrefix(got, "HTTP/1.1 200 "):
			told++
		case got == "":
			closed++
		default:
			t.Errorf("a clock request beyond the limit was answered %q", got)
		}
	}
	if told < 17 || closed == 0 {
		t.Errorf("of 40 clock requests %d were answered and %d closed, want 17 or some more, and the rest", told, closed)
	}
}

// Beyond its requests at once an address is refused politely, and let in again
// when one is done.
func TestRequestsUnderWay(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path string
		most int
	}{{"/api?userid=", 10}, {"/upload?x=", 8}} {
		arrived, release := make(chan struct{}), make(chan struct{})
		r := newRig(t, 1, func(w http.ResponseWriter, req *http.Request) {
			if req.Header.Get("Stay") != "" {
				arrived <- struct{}{}
				<-release
			}
		}, "--unlimited", "none", "--choir", "1").from(flooder)
		var wg sync.WaitGroup
		for i := range tt.most {
			left := make(chan struct{})
			wg.Go(func() {
				defer close(left)
				if resp, _, err := r.do("POST", fmt.Sprint(tt.path, i), "", http.Header{"Stay": {"1"}}); err != nil || resp.StatusCode != 200 {
					t.Errorf("%s: %v %v", tt.path, resp, err)
				}
			})
			select {
			case <-arrived:
			case <-left:
			}
		}
		retry := "1"
		if tt.path == "/upload?x=" {
			retry = "10"
		}
		resp, _ := r.ask("POST", tt.path+"99", "")
		checkRefusal(t, resp, http.StatusTooManyRequests, retry)
		if resp, _ := r.from(choir).ask("POST", tt.path+"99", ""); resp.StatusCode != 200 {
			t.Errorf("%s: another address: %s", tt.path, resp.Status)
		}
		close(release)
		wg.Wait()
		if resp, _ := r.ask("POST", tt.path+"99", ""); resp.StatusCode != 200 {
			t.Errorf("%s, when all others are done: %s", tt.path, resp.Status)
		}
	}
}

func TestUploadsInARow(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1, nil, "--unlimited", "none").from(flooder)
	if got := r.statuses("POST", 21, 1, always("/upload?type=image")); got[200] != 21 {
		t.Errorf("21 uploads: %v, want all taken", got)
	}
	got := r.statuses("POST", 20, 1, always("/upload?type=image"))
	if got[429] < 15 {
		t.Errorf("20 uploads more: %v, want nearly all refused", got)
	}
	resp, text := r.ask("POST", "/upload?type=image", "")
	checkRefusal(t, resp, http.StatusTooManyRequests, "10")
	if !strings.Contains(text, "Too many uploads: wait ten seconds") {
		t.Errorf("%q", text)
	}
	r.shardOf("POST", "/api?userid=1")
}

// Files have a share of their own: who loads pages can still sing.
func TestFilesInARow(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/", "/recordings/none.wav"} {
		r := newRig(t, 1, nil, "--unlimited", "none", "--choir", "1").from(flooder)
		if got := r.statuses("GET", 100, 1, always(path)); got[429] == 0 || got[429] > 59 {
			t.Errorf("GET %s 100 times: %v; want 41 or some more answered, the rest refused", path, got)
		}
		resp, text := r.ask("GET", path, "")
		if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") != "5" || !strings.Contains(text, "wait five seconds") {
			t.Errorf("GET %s: %s %q %q", path, resp.Status, resp.Header.Get("Retry-After"), text)
		}
		if got := r.statuses("POST", 15, 1, always("/api?userid=1")); got[200] != 15 {
			t.Errorf("singing meanwhile: %v", got)
		}
	}
}

// Of a flood's refused requests the log has some, not all.
func TestAccessLogOfAFlood(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1, nil, "--unlimited", "none")
	got := r.from(flooder).statuses("POST", 3000, 4, always("/api?userid=1"))
	if got[429] < 2000 {
		t.Fatalf("3000 requests: %v, want most refused", got)
	}
	r.stop() // each worker writes what it still holds
	log, err := os.ReadFile(filepath.Join(r.dir, "access.log"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(log)
	if lines := strings.Count(text, `"POST /api" 429 `); lines == 0 || lines > got[429]/20 {
		t.Errorf("of %d refused requests %d are in the log, want about one in a hundred", got[429], lines)
	}
	if lines := strings.Count(text, `"POST /api" 200 `); lines != got[200] {
		t.Errorf("of %d requests let in %d are in the log", got[200], lines)
	}
	if log := r.log.String(); strings.Contains(log, "limiting") {
		t.Errorf("the error log has a line for what was refused:\n%.500s", log)
	}
}

// Clients that send a body a byte at a time hold ten requests open, and not one
// more; others never notice.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1, nil, "--unlimited", "none", "--choir", "1")
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(flooder)}}
	answers := make(chan string, 13)
	for i := range 13 {
		c, err := dialer.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := fmt.Fprintf(c, "POST /api?userid=%d HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\no", i); err != nil {
			t.Fatal(err)
		}
		go func() {
			answer := make([]byte, len("HTTP/1.1 429"))
			n, _ := io.ReadFull(c, answer)
			answers <- string(answer[:n])
		}()
	}
	for range 3 {
		if got := <-answers; got != "HTTP/1.1 429" {
			t.Errorf("a slow client was told %q, want 429", got)
		}
	}
	r.from(choir).shardOf("POST", "/api?userid=1")
	if got := r.shards[0].count(); got != 1 {
		t.Errorf("%d requests reached the shard, want the one that is whole", got)
	}
}
