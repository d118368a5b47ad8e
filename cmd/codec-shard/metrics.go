package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"bucketbrigade/shard"
)

// collectors tell Prometheus what stats gives.
func collectors(stats func() shard.Stats) (all []prometheus.Collector) {
	for _, g := range []struct {
		name, help string
		value      func(shard.Stats) int
	}{
		{"brigade_shard_singers", "Singers with codecs in this shard.", func(s shard.Stats) int { return s.Singers }},
		{"brigade_shard_streams", "Mixes that are encoded once for all who hear them.", func(s shard.Stats) int { return s.Streams }},
	} {
		all = append(all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: g.name, Help: g.help},
			func() float64 { return float64(g.value(stats())) }))
	}
	for _, c := range []struct {
		mode, help string
		name       string
		value      func(shard.Stats) int64
	}{
		{"shared", encodedHelp, "brigade_shard_encoded_frames_total", func(s shard.Stats) int64 { return s.SharedEncodes }},
		{"private", encodedHelp, "brigade_shard_encoded_frames_total", func(s shard.Stats) int64 { return s.PrivateEncodes }},
		{"", "Frames of 60 ms answered with packets that were encoded for somebody else.", "brigade_shard_reused_frames_total",
			func(s shard.Stats) int64 { return s.SharedFrames }},
	} {
		opts := prometheus.CounterOpts{Name: c.name, Help: c.help}
		if c.mode != "" {
			opts.ConstLabels = prometheus.Labels{"mode": c.mode}
		}
		all = append(all, prometheus.NewCounterFunc(opts, func() float64 { return float64(c.value(stats())) }))
	}
	return all
}

const encodedHelp = "Frames of 60 ms encoded: shared for all who hear the same, private for one singer."
