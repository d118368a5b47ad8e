package proto

import "unicode/utf8"

// scanner reads the JSON that our own programs write. Its methods give false at
// whatever else may stand there, right or wrong: null, a fraction, a key that
// is not known or comes twice, half a surrogate pair. Then encoding/json has
// the word. What they do read means the same to it.
type scanner struct {
	src []byte
	at  int
	// text takes the strings that had escapes. It has room for all of src, so
	// that it stays where it is.
	text []byte
	seen uint32 // the keys that came
}

// next skips blanks and gives the byte behind them, 0 at the end.
func (s *scanner) next() byte {
	for ; s.at < len(s.src); s.at++ {
		switch c := s.src[s.at]; c {
		case ' ', '\n', '\t', '\r':
		default:
			return c
		}
	}
	return 0
}

// take skips blanks and then c, if it is there.
func (s *scanner) take(c byte) bool {
	if s.next() != c {
		return false
	}
	s.at++
	return true
}

// atEnd tells whether nothing but blanks is left. Messages end in many spaces.
func (s *scanner) atEnd() bool {
	const spaces = "        "
	for s.at+len(spaces) <= len(s.src) && string(s.src[s.at:s.at+len(spaces)]) == spaces {
		s.at += len(spaces)
	}
	return s.next() == 0 && s.at == len(s.src)
}

// once tells whether the key of that bit comes for the first time.
func (s *scanner) once(bit int) bool {
	first := s.seen&(1<<bit) == 0
	s.seen |= 1 << bit
	return first
}

// object reads an object; member reads the value of each key.
func (s *scanner) object(member func(key string) bool) bool {
	if !s.take('{') {
		return false
	}
	if s.take('}') {
		return true
	}
	for {
		key, ok := s.string()
		if !ok || !s.take(':') || !member(key) {
			return false
		}
		if !s.take(',') {
			return s.take('}')
		}
	}
}

// string reads a string. It lies in src, or in text if it has escapes.
func (s *scanner) string() (string, bool) {
	if !s.take('"') {
		return "", false
	}
	from, ascii := s.at, true
	for i := from; ; i++ {
		i += plainLen(s.src[i:])
		switch {
		case i == len(s.src):
			return "", false
		case s.src[i] == '"':
			s.at = i + 1
			return view(s.src[from:i]), ascii || utf8.Valid(s.src[from:i])
		case s.src[i] == '\\':
			return s.escaped(from)
		case s.src[i] < ' ':
			return "", false
		}
		ascii = false
	}
}

// escaped reads a string, the first character of which stands at from.
func (s *scanner) escaped(from int) (string, bool) {
	start := len(s.text)
	for i := from; ; {
		n := plainLen(s.src[i:])
		s.text = append(s.text, s.src[i:i+n]...)
		if i += n; i == len(s.src) {
			return "", false
		}
		switch c := s.src[i]; {
		case c == '"':
			s.at = i + 1
			out := s.text[start:]
			return view(out), utf8.Valid(out)
		case c == '\\':
			r, n := unescapeJSON(s.src[i:])
			if n == 0 {
				return "", false
			}
			s.text = utf8.AppendRune(s.text, r)
			i += n
		case c < ' ':
			return "", false
		default: // a part of a character: what it is part of is judged at the end
			s.text = append(s.text, c)
			i++
		}
	}
}

// unescapeJSON reads the escape at the start of b, which begins with \, and
// gives its length; 0 if it is half a surrogate pair, or none at all.
func unescapeJSON(b []byte) (r rune, n int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch c := b[1]; c {
	case '"', '\\', '/':
		return rune(c), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		if len(b) < 6 {
			return 0, 0
		}
		for _, c := range b[2:6] {
			d := hexDigit(c)
			if d < 0 {
				return 0, 0
			}
			r = r<<4 | rune(d)
		}
		if utf8.ValidRune(r) {
			return r, 6
		}
	}
	return 0, 0
}

// integer reads an integer of at most 18 digits, all of which fit 64 bits.
func (s *scanner) integer() (n int64, ok bool) {
	minus := s.take('-')
	if minus && (s.at == len(s.src) || s.src[s.at] < '0') {
		return 0, false // a blank behind the sign
	}
	s.next()
	from := s.at
	for ; s.at < len(s.src) && s.src[s.at] >= '0' && s.src[s.at] <= '9'; s.at++ {
		if s.at-from == 18 {
			return 0, false
		}
		n = n*10 + int64(s.src[s.at]-'0')
	}
	if s.at == from || s.at > from+1 && s.src[from] == '0' {
		return 0, false
	}
	if minus {
		n = -n
	}
	return n, true
}

// pair reads [a, b].
func (s *scanner) pair() (a, b Clock, ok bool) {
	if !s.take('[') {
		return 0, 0, false
	}
	x, okX := s.integer()
	if !okX || !s.take(',') {
		return 0, 0, false
	}
	y, okY := s.integer()
	return Clock(x), Clock(y), okY && s.take(']')
}

// true reads the word.
func (s *scanner) true() bool {
	const word = "true"
	s.next()
	if len(s.src)-s.at < len(word) || string(s.src[s.at:s.at+len(word)]) != word {
		return false
	}
	s.at += len(word)
	return true
}

// scanText reads a string into dst.
func scanText[T ~string](s *scanner, dst *T) bool {
	text, ok := s.string()
	*dst = T(text)
	return ok
}

// scanInteger reads an integer into dst.
func scanInteger[T ~int | ~int64](s *scanner, dst *T) bool {
	n, ok := s.integer()
	*dst = T(n)
	return ok && int64(*dst) == n
}
