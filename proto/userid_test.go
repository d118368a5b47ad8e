package proto_test

import (
	"math"
	"strings"
	"testing"

	"bucketbrigade/proto"
)

func TestParseUserID(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]proto.UserID{
		"0": 0, "1": 1, "10": 10, "12345678901": 12345678901,
		"18446744073709551614": math.MaxUint64 - 1, "18446744073709551615": math.MaxUint64,
	} {
		u, err := proto.ParseUserID("userid", s)
		if err != nil || u != want || u.String() != s {
			t.Errorf("%s: %d, %v", s, u, err)
		}
	}
	for _, s := range []string{
		"", " ", "00", "01", "007", "-1", "+1", "1.0", "1e3", "0x1", "1_0", " 1", "1 ", "1\x00", "a", "\u0661", "\xff",
		"18446744073709551616", "99999999999999999999", strings.Repeat("9", 1000),
	} {
		_, err := proto.ParseUserID("monitor", s)
		wantRefusal(t, s, err, 400, "monitor "+proto.Shown(s))
	}
}

func TestMayTakeOver(t *testing.T) {
	t.Parallel()
	cookie, other, home, away := proto.CookieSession("f00"), proto.CookieSession("ba4"),
		proto.AddressSession("192.0.2.1"), proto.AddressSession("192.0.2.2")
	for _, c := range []struct {
		name     string
		session  proto.Session
		bound    proto.Session
		fromHome bool
		want     bool
	}{
		{"same cookie", cookie, cookie, true, true},
		{"same cookie, moved", cookie, cookie, false, true},
		{"same address", home, home, true, true},
		{"both anonymous", "", "", true, true},
		{"first cookie at the address", cookie, home, true, true},
		{"cookie from elsewhere", cookie, home, false, false},
		{"another cookie", other, cookie, true, false},
		{"address after cookie", home, cookie, true, false},
		{"another address", away, home, false, false},
		{"another address with the address of the first", away, home, true, false},
		{"anonymous for an address", "", home, true, false},
		{"cookie for the anonymous", cookie, "", true, false},
		{"cookie that looks like an address", proto.CookieSession("address:192.0.2.1"), home, false, false},
		{"address that looks like a cookie", proto.AddressSession("cookie:f00"), cookie, true, false},
	} {
		addr := "192.0.2.2"
		if c.fromHome {
			addr = "192.0.2.1"
		}
		if got := c.session.MayTakeOver(c.bound, addr); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

func FuzzParseUserID(f *testing.F) {
	for _, s := range []string{"", "0", "00", "18446744073709551615", "18446744073709551616", "-1", "1 ", "\u0661"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := proto.ParseUserID("userid", s)
		if err != nil {
			wantRefusal(t, s, err, 400, "userid "+proto.Shown(s))
			return
		}
		if u.String() != s {
			t.Errorf("%q became %s", s, u)
		}
	})
}
