// Package shardmetrics tells Prometheus what a shard counts. Each value is
// explained by its help text, which /metrics repeats.
package shardmetrics

import (
	"bucketbrigade/internal/metrics"
	"bucketbrigade/shard"
)

const (
	encodedHelp = "Frames of 60 ms encoded: shared for all who hear the same, private for one singer."
	answersHelp = "HTTP requests by the status they were answered with; none: the connection was closed instead, as the client had gone or a clock request found no clock."
	desyncsHelp = "Requests whose clocks did not join (status 409): what came before is missing, was heard already, leaves a gap, or lies before the ring. The client starts afresh."
	oddHelp     = "What took longer than it should: answers to singers over 600 ms, calls of the state server over 100 ms, jumps of its clock over 100 ms."
)

// Sheet tells what stats gives.
func Sheet(stats func() shard.Stats) metrics.Sheet {
	return func(p *metrics.Page) {
		s := stats()
		p.Gauge("brigade_shard_singers", "Singers with codecs in this shard.", float64(s.Singers))
		p.Gauge("brigade_shard_streams", "Mixes that are encoded once for all who hear them.", float64(s.Streams))
		p.Flag("brigade_shard_ready", "Whether singers are answered: the state server did so within the last two seconds, and the shard is not stopping.", s.Ready)
		p.Counter("brigade_shard_encoded_frames_total", encodedHelp, float64(s.SharedEncodes), "mode", "shared")
		p.Counter("brigade_shard_encoded_frames_total", encodedHelp, float64(s.PrivateEncodes), "mode", "private")
		p.Counter("brigade_shard_reused_frames_total", "Frames of 60 ms answered with packets that were encoded for somebody else.", float64(s.SharedFrames))
		for code, n := range s.Answers {
			p.Counter("brigade_shard_requests_total", answersHelp, float64(n), "code", code)
		}
		for reason, n := range s.Desyncs {
			p.Counter("brigade_shard_desyncs_total", desyncsHelp, float64(n), "reason", reason)
		}
		for what, n := range s.OddTiming {
			p.Counter("brigade_shard_odd_timing_total", oddHelp, float64(n), "what", what)
		}
		p.Histogram("brigade_shard_request_seconds", "Time from having a singer's request whole to having written the answer, waits for its predecessor and for the state server included.", s.Requests)
		p.Histogram("brigade_shard_decode_seconds", "Time in libopus to decode one request.", s.Decodes)
		p.Histogram("brigade_shard_encode_seconds", "Time in libopus to encode what one answer lacked; answers that lacked nothing are not counted.", s.Encodes)
		for outcome, h := range s.Calls {
			p.Histogram("brigade_shard_rpc_seconds", "Time of one call of the state server, waiting for the calls of others included, by what became of it.", h, "outcome", outcome)
		}
	}
}
