package shard

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"bucketbrigade/proto"
)

// The clock goes by the time that the shard was given, and by no other.
func TestClockGoesByTheTimeGiven(t *testing.T) {
	t.Parallel()
	var since time.Duration
	s := newTestServer(t, &stub{clock: now}, func(c *Config) { c.SinceBoot = func() time.Duration { return since } })
	for _, passed := range []time.Duration{0, 0, time.Second, time.Hour} {
		since = passed
		w := ask(s, http.MethodGet, "/api", nil)
		var told proto.ClockHeader
		if err := json.Unmarshal([]byte(w.Header().Get(metadataHeader)), &told); err != nil {
			t.Fatal(err)
		}
		if want := now.Add(proto.DurationSamples(passed)); told.ServerClock != want {
			t.Errorf("after %v the clock is %d, want %d", passed, told.ServerClock, want)
		}
	}
}
