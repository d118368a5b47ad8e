package shard

import (
	"crypto/rand"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"bucketbrigade/proto"
)

const (
	cookieName  = "brigade"
	tokenBytes  = 16 // 128 bits
	tokenLength = 2 * tokenBytes
)

// visitor is who asks: from where, and in which session.
type visitor struct {
	address string
	session proto.Session
}

// identify tells who asks. A visitor without our cookie is given one with
// whatever answer this becomes; until it comes back the address stands for the
// session. Nothing is kept here: every shard takes every shard's cookie.
func identify(w http.ResponseWriter, r *http.Request) visitor {
	v := visitor{address: clientAddress(r)}
	if c, err := r.Cookie(cookieName); err == nil && isToken(c.Value) {
		v.session = proto.CookieSession(c.Value)
		return v
	}
	v.session = proto.AddressSession(v.address)
	http.SetCookie(w, &http.Cookie{
		Name:     cookieName,
		Value:    newToken(),
		Path:     "/",
		HttpOnly: true,
		SameSite: http.SameSiteStrictMode,
		Secure:   behindTLS(r),
	})
	return v
}

// clientAddress is the peer's address, or the one that a proxy on this machine
// vouches for: the last entry of X-Forwarded-For, the only one it has seen.
func clientAddress(r *http.Request) string {
	peer := peerAddress(r)
	if !peer.IsLoopback() {
		return peer.String()
	}
	// A proxy may add a line of its own to those that the client made up.
	forwarded := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
	last := strings.TrimSpace(forwarded[strings.LastIndexByte(forwarded, ',')+1:])
	if a, err := netip.ParseAddr(last); err == nil {
		return a.Unmap().String()
	}
	return peer.String()
}

// behindTLS tells whether a proxy on this machine says that the client came by
// TLS.
func behindTLS(r *http.Request) bool {
	return peerAddress(r).IsLoopback() && r.Header.Get("X-Forwarded-Proto") == "https"
}

func peerAddress(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil { // a Unix socket's peer has no address, and is on this machine
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	a, _ := netip.ParseAddr(host)
	return a.Unmap()
}

func newToken() string {
	var b [tokenBytes]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func isToken(s string) bool {
	if len(s) != tokenLength {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
