// Package statemetrics tells Prometheus what is known of the shared state,
// wherever it lives. Each value is explained by its help text, which /metrics
// repeats.
package statemetrics

import (
	"strconv"

	"bucketbrigade/internal/metrics"
	"bucketbrigade/state"
)

// Sheet tells what stats gives.
func Sheet(stats func() state.Stats) metrics.Sheet {
	return func(p *metrics.Page) {
		s := stats()
		room(p, &s)
		work(p, &s)
		recordings(p, &s)
	}
}

// room tells who is there.
func room(p *metrics.Page, s *state.Stats) {
	for i, n := range s.Buckets {
		p.Gauge("brigade_state_singers", "Singers heard within the last five seconds, by the bucket that they stand in or nearest to; 1 is the leader's.",
			float64(n), "bucket", strconv.Itoa(i+1))
	}
	p.Gauge("brigade_state_users", "Users that are remembered, those who have left within the last hour included.", float64(s.Users))
	p.Flag("brigade_state_leader_present", "Whether somebody leads.", s.Leader)
	p.Flag("brigade_state_song_on", "Whether a song has begun and not ended.", s.Song)
}

// work tells what the state server does, and how fast.
func work(p *metrics.Page, s *state.Stats) {
	p.Gauge("brigade_state_segments", "Segments of shared memory that are served, one for each shard; none where the state lives in a shard.", float64(s.Segments))
	for code, n := range s.Answers {
		p.Counter("brigade_state_requests_total", "Requests of shards by the status they were answered with; 200 is what was carried out, all others are refusals.",
			float64(n), "code", code)
	}
	p.Counter("brigade_state_faults_total", "Messages that made no sense, or whose answer did not fit: a shard is broken, or of another version.", float64(s.Faults))
	p.Counter("brigade_state_stalls_total", "How often the goroutine that serves stood still for a second or more, or the machine was suspended.", float64(s.Stalls))
	p.Histogram("brigade_state_handle_seconds", "Time to carry out one request in the ring, without the mix of its answer.", s.Handles)
	p.Histogram("brigade_state_mix_seconds", "Time to mix the audio of one answer out of the ring; answers without audio are not counted.", s.Mixes)
	p.Counter("brigade_state_late_writes_total", "Voices that came so late that the next bucket had heard their place in the song already.", float64(s.LateWrites))
}

// recordings tells what becomes of songs.
func recordings(p *metrics.Page, s *state.Stats) {
	p.Flag("brigade_state_recording_enabled", "Whether songs are recorded at all (-recordings).", s.Records)
	p.Flag("brigade_state_recording_on", "Whether a song is being recorded.", s.Recording)
	p.Counter("brigade_state_recorded_seconds_total", "Seconds of songs written to disk.", s.Written.Seconds())
	p.Counter("brigade_state_recording_lost_seconds_total", "Seconds of songs that stay silent in their recordings, because the disk failed or was too slow.", s.Lost.Seconds())
	p.Counter("brigade_state_recording_failures_total", "Pieces of songs that could not be written to disk.", float64(s.Failures))
}
