package proto

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// parseInt reads an integer as clients of the first generation may write it:
// surrounding blanks, a sign, and single underscores between digits are taken.
func parseInt(what, s string) (int64, error) {
	t := strings.TrimSpace(s)
	sign, digits := "", t
	if t != "" && (t[0] == '-' || t[0] == '+') {
		sign, digits = t[:1], t[1:]
	}
	last := byte('_')
	for i := 0; i < len(digits); i++ {
		c := digits[i]
		if (c < '0' || c > '9') && (c != '_' || last == '_') {
			return 0, malformed("%s %s is not an integer", what, Shown(s))
		}
		last = c
	}
	if last == '_' {
		return 0, malformed("%s %s is not an integer", what, Shown(s))
	}
	n, err := strconv.ParseInt(sign+strings.ReplaceAll(digits, "_", ""), 10, 64)
	if err != nil {
		return 0, malformed("%s %s does not fit 64 bits", what, Shown(s))
	}
	return n, nil
}

// parseBounded reads an integer in lo..hi.
func parseBounded(what, s string, lo, hi int64) (int64, error) {
	n, err := parseInt(what, s)
	if err != nil {
		return 0, err
	}
	if n < lo || n > hi {
		return 0, malformed("%s %s is not in %d..%d", what, Shown(s), lo, hi)
	}
	return n, nil
}

// parseFloat reads a finite number in 0..hi; "inf" and what overflows lie above
// any hi.
func parseFloat(what, s string, hi float64) (float64, error) {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, malformed("%s %s is not a number", what, Shown(s))
	}
	if math.IsNaN(f) || f < 0 || f > hi {
		return 0, malformed("%s %s is not in 0..%g", what, Shown(s), hi)
	}
	return f, nil
}
