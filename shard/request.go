package shard

import (
	"bucketbrigade/proto"
)

// song is a singer's request, parsed whole and found sound. Nothing of the
// singer has been touched yet.
type song struct {
	query   proto.Query
	raw     string // the query string
	samples int    // of audio, coming and going
	packets [][]byte
	lyrics  *string
}

// start is the first position that the singer wants to hear.
func (s *song) start() proto.Clock { return s.query.Read.Add(-s.samples) }

// parseSong checks all that can be checked without asking anybody. packets is
// memory to use. The song shares memory with body.
func parseSong(raw string, v proto.Values, q proto.Query, body []byte, packets [][]byte) (*song, error) {
	if err := checkForeign(v); err != nil {
		return nil, err
	}
	if !q.HasRead {
		return nil, bad("read_clock is missing: it says which audio is wanted")
	}
	s := &song{query: q, raw: raw}
	if q.HasJSONLen {
		if q.JSONLen > len(body) {
			return nil, bad("json_len %d is more than the body of %d bytes", q.JSONLen, len(body))
		}
		var err error
		if s.lyrics, err = proto.ParsePrefix(body[:q.JSONLen]); err != nil {
			return nil, err
		}
		body = body[q.JSONLen:]
	}
	var err error
	if s.packets, err = proto.ParsePackets(packets, body); err != nil {
		return nil, err
	}
	return s, s.checkLength()
}

// checkForeign refuses what only a shard may say.
func checkForeign(v proto.Values) error {
	if v.Has("rms_volume") {
		return bad("rms_volume %s is not for clients to send: the server measures it", proto.Shown(v.Get("rms_volume")))
	}
	return nil
}

// checkLength finds out how much audio the request carries and asks for.
func (s *song) checkLength() error {
	if len(s.packets) == 0 {
		if s.samples = s.query.Samples; s.samples == 0 {
			return bad("n_samples is missing: a request without audio has to say how much it wants")
		}
		return nil
	}
	for _, p := range s.packets {
		n, err := proto.PacketSamples(p)
		if err != nil {
			return err
		}
		s.samples += n
	}
	switch n := s.query.Samples; {
	case s.samples > proto.MaxSamples:
		return bad("the packets last %d samples, at most %d are taken", s.samples, proto.MaxSamples)
	case s.samples%proto.FrameSamples != 0:
		return bad("the packets last %d samples, not a multiple of %d", s.samples, proto.FrameSamples)
	case n != 0 && n != s.samples:
		return bad("n_samples %d does not agree with the packets, which last %d samples", n, s.samples)
	}
	return nil
}

func bad(format string, args ...any) error {
	return proto.Refuse(400, format, args...)
}
