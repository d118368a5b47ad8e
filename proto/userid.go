package proto

import (
	"strconv"
	"strings"
)

// UserID names a singer. On the wire it is decimal without leading zeros, so
// number and text are one to one.
type UserID uint64

// String gives the decimal form.
func (u UserID) String() string { return strconv.FormatUint(uint64(u), 10) }

// ParseUserID reads a decimal userid, 0 to 2^64-1, without sign, blanks or
// leading zeros. what names the parameter in the error.
func ParseUserID(what, s string) (UserID, error) {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, malformed("%s %s is not a decimal number", what, Shown(s))
		}
	}
	if len(s) > 1 && s[0] == '0' {
		return 0, malformed("%s %s has leading zeros", what, Shown(s))
	}
	u, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, malformed("%s %s is not in 0..18446744073709551615", what, Shown(s))
	}
	return UserID(u), nil
}

// Session names the browser that sings as a user. The empty session is the
// anonymous one of peers that know no sessions.
type Session string

const (
	cookiePrefix  = "cookie:"
	addressPrefix = "address:"
)

// CookieSession names a client that brought our cookie.
func CookieSession(token string) Session { return Session(cookiePrefix + token) }

// AddressSession names a client without a cookie.
func AddressSession(addr string) Session { return Session(addressPrefix + addr) }

// MayTakeOver tells whether a request of session s from address addr may be
// given a user that is bound to session bound: the same session, or the first
// cookie that appears at the address that the user is bound to.
func (s Session) MayTakeOver(bound Session, addr string) bool {
	if s == bound {
		return true
	}
	return strings.HasPrefix(string(s), cookiePrefix) && bound == AddressSession(addr)
}
