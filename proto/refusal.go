package proto

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"unicode/utf8"
)

// Refusal is the answer to a request that is at fault: a sentence for people
// and an HTTP status for programs.
//
//	400 malformed                      409 clocks that do not join, or too old
//	403 not this session's singer      413 too large
//	429 too many                       502 the state server answers nonsense
//	                                   503 the state server is away
type Refusal struct {
	Code   int
	Reason string
}

// Error gives the reason.
func (r *Refusal) Error() string { return r.Reason }

// Refuse makes a refusal. Values that came from outside belong through [Shown].
func Refuse(code int, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Reason: fmt.Sprintf(format, args...)}
}

func malformed(format string, args ...any) *Refusal {
	return Refuse(http.StatusBadRequest, format, args...)
}

// broken refuses what the state server sent: its fault, not the singer's.
func broken(format string, args ...any) *Refusal {
	return Refuse(http.StatusBadGateway, format, args...)
}

// AsRefusal finds the refusal in err; any other error becomes one of status
// 500 with err's text.
func AsRefusal(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return Refuse(http.StatusInternalServerError, "%v", err)
}

// Heals tells whether the same client may succeed if it starts afresh: clocks
// that do not join do after a reset, a server that is away comes back. A
// malformed request stays malformed.
func (r *Refusal) Heals() bool {
	return r.Code == http.StatusConflict || r.Code == http.StatusServiceUnavailable
}

// shownChars is how much of a foreign value an error repeats.
const shownChars = 60

// Shown quotes a value that came from outside: ASCII only, cut to 60
// characters, so that it can stand in a header and in a log.
func Shown(value string) string {
	cut := false
	if utf8.RuneCountInString(value) > shownChars {
		cut = true
		n := 0
		for i := range value {
			if n == shownChars {
				value = value[:i]
				break
			}
			n++
		}
	}
	q := strconv.QuoteToASCII(validUTF8(value))
	if cut {
		q += "..."
	}
	return q
}
