package shm

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bucketbrigade/proto"
)

// rawServer makes a server over n segments whose shards are raw peers.
func rawServer(t testing.TB, n int) (*Server, []*raw) {
	t.Helper()
	dir := filepath.Dir(segmentPath(t))
	srv := NewServer(Hybrid)
	t.Cleanup(func() { _ = srv.Close() })
	peers := make([]*raw, n)
	for i := range peers {
		path := filepath.Join(dir, fmt.Sprintf("echo%02d", i))
		peers[i] = openRaw(t, path, proto.OldJSONArea)
		if err := srv.Add(mustOpen(t, path, ForServer, proto.OldJSONArea)); err != nil {
			t.Fatal(err)
		}
	}
	return srv, peers
}

// One shard that has its next request ready the moment it is answered does not
// keep the others waiting: with three busy segments of five, each has every
// third turn.
func TestFairness(t *testing.T) {
	t.Parallel()
	srv, peers := rawServer(t, 5)
	busy := []int{1, 2, 4}
	for _, k := range busy {
		peers[k].put(unpadded(statusRequest, "{}", nil))
	}
	turns := map[string]int{}
	for range 300 {
		turn := srv.Next(time.Now())
		if turn == nil {
			t.Fatal("no request")
		}
		turns[turn.Segment()]++
		if err := echo(turn, nil); err != nil {
			t.Fatal(err)
		}
		for _, k := range busy {
			if peers[k].status() == statusAnswer {
				peers[k].put(unpadded(statusRequest, "{}", nil))
			}
		}
	}
	if turns["echo01"] != 100 || turns["echo02"] != 100 || turns["echo04"] != 100 {
		t.Errorf("turns: %v", turns)
	}
}

// What a shard gets wrong is an error of the turn; it can be answered, and the
// next segment is served.
func TestMalformedRequests(t *testing.T) {
	t.Parallel()
	longer := unpadded(statusRequest, strings.Repeat("j", proto.OldJSONArea+1), nil)
	tooMuch := unpadded(statusRequest, "{}", nil)
	tooMuch[5], tooMuch[6], tooMuch[7] = 0x3f, 0x0d, 0x03 // 199 999
	huge := unpadded(statusRequest, "{}", nil)
	huge[5], huge[6], huge[7], huge[8] = 0xff, 0xff, 0xff, 0xff
	for _, c := range []struct {
		name string
		msg  []byte
		code int
		want string
	}{
		{"J = 0", unpadded(statusRequest, "", nil), 400, "JSON of 0 bytes, 1..10000"},
		{"J > area", longer, 400, "JSON of 10001 bytes, 1..10000"},
		{"D > max", tooMuch, 400, "data of 199999 bytes, at most 199998"},
		{"D huge", huge, 400, "data of 4294967295 bytes"},
		{"D odd", unpadded(statusRequest, "{}", make([]byte, 7)), 400, "7 bytes of PCM"},
		{"no JSON", unpadded(statusRequest, "hello", nil), 400, "request JSON"},
		{"cut JSON", unpadded(statusRequest, `{"query_string":`, nil), 400, "request JSON"},
		{"null", unpadded(statusRequest, "null", nil), 400, "not an object"},
		{"list", unpadded(statusRequest, "[]", nil), 400, "request JSON"},
		{"spaces", unpadded(statusRequest, "    ", nil), 400, "request JSON"},
		{"number for text", unpadded(statusRequest, `{"query_string":5}`, nil), 400, "query_string"},
		{"text for bool", unpadded(statusRequest, `{"again":"yes"}`, nil), 400, "again"},
		{"far read_end", unpadded(statusRequest, `{"read_end":-1}`, nil), 400, "read_end -1"},
		{"long session", unpadded(statusRequest, `{"session":"`+strings.Repeat("s", 129)+`"}`, nil), 413, "129 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			srv, peers := rawServer(t, 2)
			peers[0].put(c.msg)
			peers[1].put(unpadded(statusRequest, `{"query_string":"fine"}`, pcmBytes(1)))
			turn := srv.Next(time.Now())
			if turn == nil || turn.Segment() != "echo00" {
				t.Fatal("no turn for the malformed request")
			}
			req := proto.Request{PCM: []float32{1}}
			err := turn.Request(&req)
			if refusalCode(err) != c.code || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %d: …%s…", err, c.code, c.want)
			}
			if len(req.PCM) != 0 {
				t.Error("audio came with the error")
			}
			var ans proto.Answer
			ans.SetRefusal(proto.AsRefusal(err))
			if err := turn.Answer(&ans, 0, nil); err != nil || peers[0].status() != statusAnswer {
				t.Errorf("answering: %v, status %d", err, peers[0].status())
			}
			turn = srv.Next(time.Now())
			if turn == nil || turn.Segment() != "echo01" {
				t.Fatal("the other segment is not served")
			}
			if err := echo(turn, nil); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTurnAnsweredTwice(t *testing.T) {
	t.Parallel()
	srv, peers := rawServer(t, 1)
	peers[0].put(unpadded(statusRequest, "{}", nil))
	turn := srv.Next(time.Now())
	if err := echo(turn, nil); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a turn was answered twice")
		}
	}()
	_ = turn.Answer(&proto.Answer{}, 0, nil)
}

// All 128 segments that the kernel can wait for are served, whichever comes;
// one more is refused and stays usable elsewhere.
func TestMostSegments(t *testing.T) {
	t.Parallel()
	srv, peers := rawServer(t, maxWaitv)
	more := mustOpen(t, segmentPath(t), ForServer, 0)
	if err := srv.Add(more); err == nil || !strings.Contains(err.Error(), "128") {
		t.Errorf("segment 129: %v", err)
	}
	if srv.Segments() != maxWaitv {
		t.Errorf("%d segments", srv.Segments())
	}
	for _, k := range []int{127, 0, 64} {
		turn := make(chan string, 1)
		go func() {
			if next := srv.Next(time.Now().Add(20 * time.Second)); next != nil {
				turn <- next.Segment()
				_ = echo(next, nil)
			}
			close(turn)
		}()
		until(t, "the server is going to sleep", func() bool { return peers[k].serverSleeps() == asleep })
		peers[k].put(unpadded(statusRequest, "{}", nil))
		if got, want := <-turn, fmt.Sprintf("echo%02d", k); got != want {
			t.Errorf("turn of %q, want %q", got, want)
		}
		<-turn // closed: answered
	}
	if srv.noWaitv {
		t.Log("this kernel has no futex_waitv: the fallback was tested")
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	srv, peers := rawServer(t, 3)
	gone := srv.segs[1].file.Name()
	if srv.Remove("echo07") || !srv.Remove("echo01") || srv.Remove("echo01") || srv.Segments() != 2 {
		t.Error("removed the wrong one")
	}
	if again, err := Open(gone, ForServer, proto.OldJSONArea); err != nil {
		t.Errorf("a removed segment cannot be opened: %v", err)
	} else if err := again.Close(); err != nil {
		t.Error(err)
	}
	for _, p := range peers {
		p.put(unpadded(statusRequest, "{}", nil))
	}
	seen := ""
	for turn := srv.Next(time.Now()); turn != nil; turn = srv.Next(time.Now()) {
		seen += turn.Segment() + " "
		if err := echo(turn, nil); err != nil {
			t.Fatal(err)
		}
	}
	if seen != "echo00 echo02 " || peers[1].status() != statusRequest {
		t.Errorf("served %s", seen)
	}
	for _, name := range []string{"echo00", "echo02"} {
		if !srv.Remove(name) {
			t.Errorf("%s is not there", name)
		}
	}
	begin := time.Now()
	if turn := srv.Next(begin.Add(10 * time.Millisecond)); turn != nil || time.Since(begin) < 10*time.Millisecond {
		t.Error("a server without segments does not wait")
	}
}

// A server that starts takes back what stands at 1, and nothing else.
func TestAddTakesBack(t *testing.T) {
	t.Parallel()
	for st, want := range map[byte]byte{0: 0, 1: 0, 2: 2, 7: 7} {
		path := segmentPath(t)
		peer := openRaw(t, path, proto.MaxJSONArea)
		peer.put(unpadded(st, `{"query_string":"a"}`, nil))
		srv := NewServer(Hybrid)
		if err := srv.Add(mustOpen(t, path, ForServer, 0)); err != nil {
			t.Fatal(err)
		}
		if got := peer.status(); got != want {
			t.Errorf("status %d became %d, want %d", st, got, want)
		}
		if turn := srv.Next(time.Now()); turn != nil {
			t.Errorf("status %d: a request is seen", st)
		}
	}
}

// A new shard leaves a request of its predecessor alone until it is answered,
// and then does not take that answer for its own.
func TestNewShardWaitsForOldRequest(t *testing.T) {
	t.Parallel()
	path := segmentPath(t)
	peer := openRaw(t, path, proto.MaxJSONArea)
	srv := NewServer(Hybrid)
	if err := srv.Add(mustOpen(t, path, ForServer, 0)); err != nil {
		t.Fatal(err)
	}
	old := unpadded(statusRequest, `{"query_string":"old"}`, pcmBytes(1, 2))
	peer.put(old)
	c := NewClient(mustOpen(t, path, ForShard, 0), ClientConfig{Timeout: 20 * time.Second})
	done := make(chan error, 1)
	go func() { done <- checkedCall(c, 3, 100) }()
	until(t, "the new shard waits", func() bool { return peer.shardSleeps() == asleep })
	turn := srv.Next(time.Now())
	if got := string(peer.mem[:len(old)]); got != string(old) {
		t.Errorf("the old request was overwritten: %q", got)
	}
	if err := turn.Answer(&proto.Answer{Metadata: "old", Summary: []byte{0, 0}}, 0, nil); err != nil {
		t.Fatal(err)
	}
	if turn = srv.Next(time.Now().Add(20 * time.Second)); turn == nil {
		t.Fatal("the new request does not come")
	}
	if err := echo(turn, nil); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A refused request costs its caller an error and nobody else anything.
func TestRefusalCrosses(t *testing.T) {
	t.Parallel()
	server, shard := pair(t)
	serveEcho(t, Hybrid, server)
	c := NewClient(shard, ClientConfig{Timeout: 20 * time.Second})
	req := numbered(1, 4)
	req.Session = proto.Session(strings.Repeat("s", proto.MaxSessionBytes+1))
	ans := proto.Answer{PCM: make([]float32, 9), Summary: make([]byte, 9)}
	if err := c.Call(context.Background(), req, &ans); err != nil {
		t.Fatal(err)
	}
	if r := ans.Refusal(); r == nil || r.Code != 413 || len(ans.PCM)+len(ans.Summary) != 0 {
		t.Errorf("answer %+v", ans)
	}
	if err := checkedCall(c, 2, 4); err != nil {
		t.Error(err)
	}
}
