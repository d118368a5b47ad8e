package secrets

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"bucketbrigade/proto"
)

// open takes a token apart without the library that made it: RFC 7515 says
// base64url(header).base64url(payload).base64url(HMAC-SHA-256 of both).
func open(t *testing.T, token, secret string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts: %s", len(parts), token)
	}
	decode := func(part string) []byte {
		b, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil {
			t.Fatalf("%s: %v", part, err)
		}
		return b
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(parts[0] + "." + parts[1]))
	if !hmac.Equal(mac.Sum(nil), decode(parts[2])) {
		t.Errorf("the signature is another: %s", token)
	}
	for i, dst := range []*map[string]any{&header, &claims} {
		if err := json.Unmarshal(decode(parts[i]), dst); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}

func TestToken(t *testing.T) {
	t.Parallel()
	c := call{accountSid: "AC0", apiKey: "SK0", apiSecret: "hush-hush", room: `the "room"`}
	now := time.Unix(1_800_000_000, 0)
	for _, user := range []proto.UserID{0, 12345678901, math.MaxUint64} {
		token := c.token(user, now)
		header, claims := open(t, token, c.apiSecret)
		if header["alg"] != "HS256" || header["typ"] != "JWT" || header["cty"] != "twilio-fpa;v=1" || len(header) != 3 {
			t.Errorf("header %v", header)
		}
		jti, _ := claims["jti"].(string)
		if claims["iss"] != "SK0" || claims["sub"] != "AC0" || !strings.HasPrefix(jti, "SK0-") || len(claims) != 6 {
			t.Errorf("claims %v", claims)
		}
		if claims["nbf"] != float64(now.Unix()-60) || claims["exp"] != float64(now.Unix()+12*3600) {
			t.Errorf("good from %v to %v at %d", claims["nbf"], claims["exp"], now.Unix())
		}
		grants := claims["grants"].(map[string]any)
		video, _ := grants["video"].(map[string]any)
		if grants["identity"] != user.String() || video["room"] != c.room || len(grants) != 2 || len(video) != 1 {
			t.Errorf("grants %v", grants)
		}
		if strings.Contains(token, "hush") || strings.ContainsAny(token, "\"\\ ") {
			t.Errorf("token %s", token)
		}
	}
}

func TestTokenOfAFile(t *testing.T) {
	t.Parallel()
	s, err := read(write(t, whole, 0o600), "")
	if err != nil {
		t.Fatal(err)
	}
	_, claims := open(t, s.VideoToken(7), "hush-hush")
	exp, _ := claims["exp"].(float64)
	if left := time.Until(time.Unix(int64(exp), 0)); left < 11*time.Hour || left > 24*time.Hour {
		t.Errorf("good for %v", left)
	}
}

// BenchmarkToken is what a newcomer costs the brigade's owner.
func BenchmarkToken(b *testing.B) {
	c := call{accountSid: "AC" + strings.Repeat("0", 32), apiKey: "SK" + strings.Repeat("0", 32), apiSecret: strings.Repeat("s", 32), room: "room"}
	b.ReportAllocs()
	for b.Loop() {
		c.token(12345678901, time.Now())
	}
}
