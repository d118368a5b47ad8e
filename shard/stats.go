package shard

// Stats are what a shard tells operators of its work.
type Stats struct {
	// Singers is how many singers have codecs here, Streams how many mixes are
	// shared.
	Singers, Streams int
	// SharedEncodes is how many frames were encoded for all who hear them,
	// SharedFrames how many more were answered with such packets, PrivateEncodes
	// how many were encoded for one singer. All count since the start.
	SharedEncodes, SharedFrames, PrivateEncodes int64
}

// Stats gives them as they are now; any goroutine may ask.
func (s *Server) Stats() Stats {
	return Stats{
		Singers:        s.roster.len(),
		Streams:        s.streams.len(),
		SharedEncodes:  s.counts.shared.Load(),
		SharedFrames:   s.counts.kept.Load(),
		PrivateEncodes: s.counts.private.Load(),
	}
}
