package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"bucketbrigade/shard"
)

func TestMetricsTellWhatWasEncoded(t *testing.T) {
	t.Parallel()
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(collectors(func() shard.Stats {
		return shard.Stats{Singers: 3, Streams: 2, SharedEncodes: 10, SharedFrames: 50, PrivateEncodes: 7}
	})...)
	w := httptest.NewRecorder()
	promhttp.HandlerFor(r, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{
		"brigade_shard_singers 3", "brigade_shard_streams 2", `brigade_shard_encoded_frames_total{mode="shared"} 10`,
		`brigade_shard_encoded_frames_total{mode="private"} 7`, "brigade_shard_reused_frames_total 50",
	} {
		if !strings.Contains(w.Body.String(), "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, w.Body)
		}
	}
}
