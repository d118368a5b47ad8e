package proto

import "net/http"

// ParseRequestJSON reads the JSON of a request into r, which keeps nothing of
// what it held but the PCM. Unknown keys are ignored. Errors are refusals.
func ParseRequestJSON(data []byte, r *Request) error {
	var m Scratch
	m.Load(data)
	return m.ParseRequest(r)
}

// ParseRequest is [ParseRequestJSON] of what was loaded. The strings and
// pointers of r lie in m.
func (m *Scratch) ParseRequest(r *Request) error {
	if !m.scanRequest(r) {
		*r = Request{PCM: r.PCM}
		if err := m.unmarshal(r); err != nil {
			*r = Request{PCM: r.PCM}
			return malformed("request JSON: %s", jsonFault(err))
		}
	}
	return checkRequest(r)
}

// checkRequest bounds what a request holds.
func checkRequest(r *Request) error {
	if r.ReadEnd != nil && (*r.ReadEnd < 0 || *r.ReadEnd > maxClock) {
		return malformed("read_end %d is not in 0..%d", *r.ReadEnd, maxClock)
	}
	if len(r.Session) > MaxSessionBytes {
		return Refuse(http.StatusRequestEntityTooLarge,
			"session %s has %d bytes, at most %d are taken", Shown(string(r.Session)), len(r.Session), MaxSessionBytes)
	}
	if err := checkControl(r); err != nil {
		return err
	}
	if len(r.Upload) > MaxTrackBytes {
		return Refuse(http.StatusRequestEntityTooLarge,
			"upload %s has %d bytes, at most %d are taken", Shown(r.Upload), len(r.Upload), MaxTrackBytes)
	}
	if err := checkHeld(r.Held); err != nil {
		return err
	}
	return CheckLyrics(r.Lyrics)
}

// scanRequest reads what was loaded, if it is as our own programs write it.
func (m *Scratch) scanRequest(r *Request) bool {
	*r = Request{PCM: r.PCM}
	s := m.scan()
	return s.object(func(key string) bool { return m.requestKey(&s, key, r) }) && s.atEnd()
}

func (m *Scratch) requestKey(s *scanner, key string, r *Request) bool {
	switch key {
	case "request":
		return s.once(0) && scanText(s, &r.Kind)
	case "query_string":
		return s.once(1) && scanText(s, &r.QueryString)
	case "client_address":
		return s.once(2) && scanText(s, &r.ClientAddress)
	case "lyrics":
		r.Lyrics = &m.lyrics
		return s.once(3) && scanText(s, r.Lyrics)
	case "session":
		return s.once(4) && scanText(s, &r.Session)
	case "read_end":
		r.ReadEnd = &m.readEnd
		return s.once(5) && scanInteger(s, r.ReadEnd)
	case "want":
		r.Want = &m.span
		return s.once(6) && s.span(r.Want)
	case "held":
		r.Held = &m.held
		return s.once(7) && m.scanHeld(s)
	case "again":
		r.Again = true
		return s.once(8) && s.true()
	case "control_secret":
		return s.once(9) && scanText(s, &r.ControlSecret)
	case "nonce":
		return s.once(10) && scanText(s, &r.Nonce)
	case "upload":
		return s.once(11) && scanText(s, &r.Upload)
	}
	return false
}

// scanHeld reads the value of held into m.held.
func (m *Scratch) scanHeld(s *scanner) bool {
	m.held = Held{}
	return s.object(func(key string) bool {
		switch key {
		case "mix":
			return s.once(12) && scanInteger(s, &m.held.Mix)
		case "read":
			return s.once(13) && m.scanReads(s)
		}
		return false
	})
}

// scanReads reads the value of read into m.held.Reads.
func (m *Scratch) scanReads(s *scanner) bool {
	m.held.Reads = m.reads[:0]
	if !s.take('[') {
		return false
	}
	if s.take(']') {
		return true
	}
	for len(m.held.Reads) < len(m.reads) {
		to, at, ok := s.pair()
		r := HeldRead{to, at}
		if !ok || !r.possible() {
			return false
		}
		m.held.Reads = append(m.held.Reads, r)
		if !s.take(',') {
			return s.take(']')
		}
	}
	return false
}

// span reads [from, to] into dst.
func (s *scanner) span(dst *Span) bool {
	from, to, ok := s.pair()
	*dst = Span{from, to}
	return ok && dst.ordered() && dst.Len() <= MaxSamples
}
