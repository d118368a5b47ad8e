package nginx

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
)

// Some are never limited: this machine unless told otherwise, and whom the
// operator names.
func TestUnlimited(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		options, address string
		limited          bool
	}{
		{"", "127.0.0.1", false},
		{"", "127.0.0.9", false},
		{"--unlimited none", "127.0.0.1", true},
		{"--unlimited none --unlimited 127.0.0.5", "127.0.0.5", false},
		{"--unlimited none --unlimited 127.0.0.5", "127.0.0.6", true},
		{"--unlimited none --unlimited 127.0.1.0/24", "127.0.1.77", false},
	} {
		r := newRig(t, 1, nil, append(strings.Fields(tt.options), "--choir", "1")...).from(tt.address)
		for method, path := range map[string]string{"POST": "/api?userid=1&mark_start_singing=1", "GET": "/"} {
			if got := r.statuses(method, 150, 2, always(path)); (got[429] > 0) != tt.limited {
				t.Errorf("%q, 150 times %s %s from %s: %v, want limited: %v", tt.options, method, path, tt.address, got, tt.limited)
			}
		}
	}
}

// Behind another proxy its word counts for who the client is, and nobody else's;
// whoever has one address of IPv6 has his whole network's.
func TestBehindAProxy(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1, nil, "--real-ip-from", "127.0.0.1", "--unlimited", "none", "--choir", "1")
	send := func(r *rig, forwarded ...string) int {
		t.Helper()
		resp, _, err := r.do("POST", fmt.Sprintf("/api?userid=%d", rand.Uint64()), "", http.Header{"X-Forwarded-For": forwarded})
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode
	}
	for _, c := range []struct {
		by        *rig
		forwarded []string
		want      string
	}{
		{r, []string{"203.0.113.7"}, "203.0.113.7"},
		{r, []string{"198.51.100.9, 203.0.113.7"}, "203.0.113.7"},
		{r, []string{"203.0.113.7, 127.0.0.1"}, "203.0.113.7"},
		{r.from(flooder), []string{"203.0.113.7"}, flooder},
	} {
		send(c.by, c.forwarded...)
		if got := r.shards[0].last(t).Header.Values("X-Forwarded-For"); len(got) != 1 || got[0] != c.want {
			t.Errorf("forwarded for %q: the shard was told %q, want %q", c.forwarded, got, c.want)
		}
	}
	refused := 0
	for i := range 60 {
		if send(r, fmt.Sprintf("2001:db8:0:1::%x", i)) == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 {
		t.Error("60 requests from as many addresses of one network: all let in")
	}
	for i := range 60 {
		if got := send(r, fmt.Sprintf("2001:db8:0:%x::1", 2+i)); got != 200 {
			t.Errorf("a request from its own network: %d", got)
		}
	}
}
