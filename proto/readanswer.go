package proto

// ParseAnswerJSON reads the JSON of an answer into a, which keeps nothing of
// what it held but its Scratch. Unknown keys are ignored. Errors are refusals
// of status 502.
func ParseAnswerJSON(data []byte, a *Answer) error {
	var m Scratch
	m.Load(data)
	return m.ParseAnswer(a)
}

// ParseAnswer is [ParseAnswerJSON] of what was loaded. The strings and pointers
// of a lie in m.
func (m *Scratch) ParseAnswer(a *Answer) error {
	if !m.scanAnswer(a) {
		*a = Answer{Scratch: a.Scratch}
		if err := m.unmarshal(a); err != nil {
			*a = Answer{Scratch: a.Scratch}
			return broken("answer JSON: %s", jsonFault(err))
		}
	}
	if a.Clock < 0 || a.Clock > maxClock {
		return broken("server_clock %d of the answer is not in 0..%d", a.Clock, maxClock)
	}
	if a.Keep < 0 || a.Keep > maxClock {
		return broken("keep %d of the answer is not in 0..%d", a.Keep, maxClock)
	}
	return nil
}

// scanAnswer reads what was loaded, if it is as our own programs write it.
func (m *Scratch) scanAnswer(a *Answer) bool {
	*a = Answer{Scratch: a.Scratch}
	s := m.scan()
	return s.object(func(key string) bool { return m.answerKey(&s, key, a) }) && s.atEnd()
}

func (m *Scratch) answerKey(s *scanner, key string, a *Answer) bool {
	switch key {
	case "x-audio-metadata":
		return s.once(0) && scanText(s, &a.Metadata)
	case "error":
		return s.once(1) && scanText(s, &a.Error)
	case "code":
		return s.once(2) && scanInteger(s, &a.Code)
	case "inner_bt":
		return s.once(3) && scanText(s, &a.Backtrace)
	case "server_clock":
		return s.once(4) && scanInteger(s, &a.Clock)
	case "upload":
		return s.once(5) && scanText(s, &a.Upload)
	case "pcm":
		a.Span = &m.span
		return s.once(6) && s.span(a.Span)
	case "mix":
		return s.once(7) && scanInteger(s, &a.Mix)
	case "keep":
		return s.once(8) && scanInteger(s, &a.Keep)
	}
	return false
}
