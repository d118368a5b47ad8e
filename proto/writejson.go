package proto

import (
	"strconv"
	"unicode/utf8"
)

// AppendRequestJSON appends the JSON of r, raw UTF-8 without a newline: what
// encoding/json makes of r without HTML escapes, byte for byte.
func AppendRequestJSON(dst []byte, r *Request) []byte {
	start := len(dst)
	dst = appendText(dst, `,"request":`, r.Kind)
	dst = appendText(dst, `,"query_string":`, r.QueryString)
	dst = appendText(dst, `,"client_address":`, r.ClientAddress)
	if r.Lyrics != nil {
		dst = appendQuoted(append(dst, `,"lyrics":`...), *r.Lyrics)
	}
	dst = appendText(dst, `,"session":`, string(r.Session))
	if r.ReadEnd != nil {
		dst = strconv.AppendInt(append(dst, `,"read_end":`...), int64(*r.ReadEnd), 10)
	}
	if r.Want != nil {
		dst = appendPair(append(dst, `,"want":`...), r.Want.From, r.Want.To)
	}
	if r.Held != nil {
		dst = r.Held.append(append(dst, `,"held":`...))
	}
	if r.Again {
		dst = append(dst, `,"again":true`...)
	}
	dst = appendText(dst, `,"control_secret":`, string(r.ControlSecret))
	dst = appendText(dst, `,"nonce":`, r.Nonce)
	dst = appendText(dst, `,"upload":`, r.Upload)
	return closeObject(dst, start)
}

// AppendAnswerJSON appends the JSON of a, likewise.
func AppendAnswerJSON(dst []byte, a *Answer) []byte {
	start := len(dst)
	dst = appendText(dst, `,"x-audio-metadata":`, a.Metadata)
	dst = appendText(dst, `,"error":`, a.Error)
	dst = appendNumber(dst, `,"code":`, int64(a.Code))
	dst = appendText(dst, `,"inner_bt":`, a.Backtrace)
	dst = appendNumber(dst, `,"server_clock":`, int64(a.Clock))
	dst = appendText(dst, `,"upload":`, a.Upload)
	if a.Span != nil {
		dst = appendPair(append(dst, `,"pcm":`...), a.Span.From, a.Span.To)
	}
	dst = appendNumber(dst, `,"mix":`, int64(a.Mix))
	dst = appendNumber(dst, `,"keep":`, int64(a.Keep))
	return closeObject(dst, start)
}

// closeObject makes an object of the members that begin at start, each behind a
// comma.
func closeObject(dst []byte, start int) []byte {
	if len(dst) == start {
		return append(dst, "{}"...)
	}
	dst[start] = '{'
	return append(dst, '}')
}

// appendText appends a key and its text; nothing if that is empty.
func appendText(dst []byte, key, text string) []byte {
	if text == "" {
		return dst
	}
	return appendQuoted(append(dst, key...), text)
}

// appendNumber appends a key and its number; nothing if that is 0.
func appendNumber(dst []byte, key string, n int64) []byte {
	if n == 0 {
		return dst
	}
	return strconv.AppendInt(append(dst, key...), n, 10)
}

// appendPair appends [a,b].
func appendPair(dst []byte, a, b Clock) []byte {
	dst = strconv.AppendInt(append(dst, '['), int64(a), 10)
	dst = strconv.AppendInt(append(dst, ','), int64(b), 10)
	return append(dst, ']')
}

// appendQuoted appends text as a JSON string. What is no UTF-8 becomes U+FFFD;
// U+2028 and U+2029 are escaped, for readers that take JSON for JavaScript.
func appendQuoted(dst []byte, text string) []byte {
	dst = append(dst, '"')
	for {
		n := plainLen(bytesOf(text))
		dst = append(dst, text[:n]...)
		if text = text[n:]; text == "" {
			return append(dst, '"')
		}
		if c := text[0]; c < utf8.RuneSelf {
			dst = appendEscape(dst, c)
			text = text[1:]
			continue
		}
		r, n := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && n == 1:
			dst = append(dst, `\ufffd`...)
		case r == '\u2028':
			dst = append(dst, `\u2028`...)
		case r == '\u2029':
			dst = append(dst, `\u2029`...)
		default:
			dst = append(dst, text[:n]...)
		}
		text = text[n:]
	}
}

// appendEscape appends an ASCII character that does not stand for itself.
func appendEscape(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
