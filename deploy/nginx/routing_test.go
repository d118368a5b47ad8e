package nginx

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

func TestRouteByNumber(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil)
	for _, method := range []string{"GET", "POST", "OPTIONS"} {
		for n := 1; n <= 3; n++ {
			for _, slash := range []string{"", "/"} {
				path := fmt.Sprintf("/api/%02d%s?userid=5&read_clock=7", n, slash)
				if got, want := r.shardOf(method, path), fmt.Sprintf("%02d", n); got != want {
					t.Errorf("%s %s went to shard %s", method, path, got)
				}
				if got := r.shards[n-1].last(t); got.URI != path || got.Method != method {
					t.Errorf("%s %s reached the shard as %s %s", method, path, got.Method, got.URI)
				}
			}
		}
	}
}

func TestUnknownNumber(t *testing.T) {
	t.Parallel()
	tests := []struct {
		shards       int
		path, number string
		count        string
	}{
		{3, "/api/04?userid=1", "04", "01 to 03 (3 shards)"},
		{3, "/api/00", "00", "01 to 03 (3 shards)"},
		{3, "/api/7", "7", "01 to 03 (3 shards)"},
		{3, "/api/001", "001", "01 to 03 (3 shards)"},
		{1, "/api/02", "02", "01 alone (1 shard)"},
	}
	rigs := map[int]*rig{1: newRig(t, 1, nil), 3: newRig(t, 3, nil)}
	for _, tt := range tests {
		r := rigs[tt.shards]
		resp, text := r.ask("POST", tt.path, "x")
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s, want 404", tt.path, resp.Status)
		}
		if ct := resp.Header.Get("Content-Type"); ct != "text/plain" {
			t.Errorf("%s: content type %q, want text/plain", tt.path, ct)
		}
		if !strings.Contains(text, "shard "+tt.number+" ") || !strings.Contains(text, tt.count) {
			t.Errorf("%s: %q names not both the number %s and %q", tt.path, text, tt.number, tt.count)
		}
	}
	for _, r := range rigs {
		for _, s := range r.shards {
			if s.count() != 0 {
				t.Errorf("shard %02d got a request that was for none", s.number)
			}
		}
	}
}

// 300 singers over 4 shards: each stays with his own, and none of the shards
// has less than half or more than double its share.
func TestSingersStayAndSpread(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, nil)
	home := map[string]string{}
	load := map[string]int{}
	for round := range 3 {
		for singer := range 300 {
			userid := fmt.Sprint(singer * 31415927)
			path := fmt.Sprintf("/api?read_clock=%d&userid=%s&username=x", 28800*round, userid)
			shard := r.shardOf("POST", path)
			if round == 0 {
				home[userid] = shard
				load[shard]++
			} else if shard != home[userid] {
				t.Fatalf("singer %s moved from shard %s to %s", userid, home[userid], shard)
			}
		}
	}
	for n := 1; n <= 4; n++ {
		name := fmt.Sprintf("%02d", n)
		if load[name] < 37 || load[name] > 150 {
			t.Errorf("shard %s has %d of 300 singers: %v", name, load[name], load)
		}
	}
	for _, path := range []string{"/api/?userid=31415927", "/api?userid=31415927"} {
		if got := r.shardOf("POST", path); got != home["31415927"] {
			t.Errorf("%s went to shard %s, the singer is at home in %s", path, got, home["31415927"])
		}
	}
}

func TestRequestsOfNobodyAreSpread(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, nil)
	for range 10 {
		r.shardOf("GET", "/api")
		r.shardOf("POST", "/api?action=status")
	}
	for _, s := range r.shards {
		if s.count() == 0 {
			t.Errorf("shard %02d got none of 20 requests without userid", s.number)
		}
	}
}

// 200 requests over one connection to nginx, by number, by userid and by
// nobody: each of nginx's two workers may open one connection for each of the
// three, and no more.
func TestConnectionsToShardsAreKept(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1, nil)
	for range 70 {
		r.shardOf("POST", "/api/01?userid=1")
		r.shardOf("POST", "/api?userid=1")
		r.shardOf("GET", "/api")
	}
	if got := r.shards[0].connections.Load(); got > 6 {
		t.Errorf("210 requests cost %d connections to the shard, want at most 6", got)
	}
}

func TestManySingersAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, nil)
	var wg sync.WaitGroup
	for singer := range 20 {
		wg.Go(func() {
			for range 10 {
				resp, _, err := r.do("POST", fmt.Sprintf("/api/%02d?userid=%d", 1+singer%2, singer), strings.Repeat("o", 4000), nil)
				if err != nil || resp.StatusCode != http.StatusOK {
					t.Errorf("singer %d: %v %v", singer, resp, err)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, s := range r.shards {
		if s.count() != 100 {
			t.Errorf("shard %02d got %d requests, want 100", s.number, s.count())
		}
	}
}

func TestForwardedAddressCannotBeForged(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1, nil)
	forged := http.Header{
		"X-Forwarded-For":   {"203.0.113.7", "198.51.100.9"},
		"X-Forwarded-Proto": {"https"},
	}
	for _, path := range []string{"/api/01?userid=1", "/api?userid=1", "/api"} {
		if _, _, err := r.do("POST", path, "", forged); err != nil {
			t.Fatal(err)
		}
		got := r.shards[0].last(t).Header
		if v := got.Values("X-Forwarded-For"); len(v) != 1 || v[0] != "127.0.0.1" {
			t.Errorf("%s: the shard was told %q, want 127.0.0.1 alone", path, v)
		}
		if v := got.Values("X-Forwarded-Proto"); len(v) != 1 || v[0] != "http" {
			t.Errorf("%s: the shard was told protocol %q, want http alone", path, v)
		}
	}
}

func TestStaticFiles(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1, nil)
	resp, text := r.ask("GET", "/", "")
	if resp.StatusCode != 200 || text != "<title>sing</title>" {
		t.Errorf("GET /: %s %q", resp.Status, text)
	}
	if got := resp.Header.Values("Cache-Control"); len(got) != 1 || got[0] != "no-cache" {
		t.Errorf("Cache-Control %q, want no-cache", got)
	}
	if ct := resp.Header.Get("Content-Type"); ct != "text/html" {
		t.Errorf("content type %q, want text/html", ct)
	}
	if resp, _ := r.ask("GET", "/nothing.js", ""); resp.StatusCode != http.StatusNotFound || resp.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("GET /nothing.js: %s, Cache-Control %q", resp.Status, resp.Header.Get("Cache-Control"))
	}
}
