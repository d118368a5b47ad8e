package proto

import (
	"net/http"
	"slices"
	"strings"
)

// Values is a parsed query string: pairs in the order they came.
type Values struct {
	pairs []pair
}

type pair struct{ key, value string }

// ParseValues splits a query string by the strict rules of this protocol:
//
//   - items are split at "&"; an item without "=" is an error, an empty one too;
//   - "+" is a space; %XX is a byte; bytes that are not UTF-8 become U+FFFD;
//     a "%" without two hexadecimal digits stands for itself;
//   - an item with an empty value is dropped as if it were absent;
//   - a key that comes twice is an error.
//
// The empty string has no items. Errors are refusals of status 400, or 413
// beyond MaxQueryBytes and MaxQueryItems.
func ParseValues(query string) (Values, error) {
	return parseValues(nil, query, MaxQueryBytes, MaxQueryItems)
}

// parseValues parses query into the memory of pairs, as far as that goes.
func parseValues(pairs []pair, query string, maxBytes, maxItems int) (Values, error) {
	if len(query) > maxBytes {
		return Values{}, Refuse(http.StatusRequestEntityTooLarge,
			"query of %d bytes is longer than %d", len(query), maxBytes)
	}
	if query == "" {
		return Values{}, nil
	}
	n := strings.Count(query, "&") + 1
	if n > maxItems {
		return Values{}, Refuse(http.StatusRequestEntityTooLarge,
			"query has %d parameters, at most %d are taken", n, maxItems)
	}
	v := Values{pairs: slices.Grow(pairs[:0], n)}
	for item := range strings.SplitSeq(query, "&") {
		k, val, ok := strings.Cut(item, "=")
		if !ok {
			return Values{}, malformed("query item %s has no \"=\"", Shown(item))
		}
		if val == "" {
			continue
		}
		k = unescape(k)
		if v.Has(k) {
			return Values{}, malformed("parameter %s is given twice", Shown(k))
		}
		v.pairs = append(v.pairs, pair{k, unescape(val)})
	}
	return v, nil
}

// Get gives the value of a key; "" if it is absent (a present value is never
// empty).
func (v Values) Get(key string) string {
	for i := range v.pairs {
		if v.pairs[i].key == key {
			return v.pairs[i].value
		}
	}
	return ""
}

// Has tells whether the key is present.
func (v Values) Has(key string) bool { return v.Get(key) != "" }

// unescape decodes + and %XX. Text without either is returned as it is.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return validUTF8(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			b.WriteByte(' ')
		case c == '%' && i+2 < len(s) && hexDigit(s[i+1]) >= 0 && hexDigit(s[i+2]) >= 0:
			b.WriteByte(byte(hexDigit(s[i+1])<<4 | hexDigit(s[i+2])))
			i += 2
		default:
			b.WriteByte(c)
		}
	}
	return validUTF8(b.String())
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
