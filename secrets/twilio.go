package secrets

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/twilio/twilio-go/client/jwt"

	"bucketbrigade/proto"
)

const (
	// tokenLife is how long a token is good. A user is given one when he is
	// seen first, and joins the call again with the same one whenever he loses
	// it: it must outlast an evening. Twilio takes at most 24 hours.
	tokenLife = 12 * time.Hour
	// clockSkew is how far Twilio's clock may be behind ours: a token that is
	// good from now on only would be refused there.
	clockSkew = time.Minute
)

// call is what opens the door of a video call.
type call struct {
	accountSid, apiKey, apiSecret, room string
}

// readCall reads the object "twilio".
func readCall(raw json.RawMessage) (c call, err error) {
	fields := []struct {
		key string
		dst *string
	}{
		{"account_sid", &c.accountSid}, {"api_key", &c.apiKey}, {"api_secret", &c.apiSecret}, {"room", &c.room},
	}
	var known []string
	for _, f := range fields {
		known = append(known, f.key)
	}
	const within = "twilio"
	object, err := readObject(within, raw, known...)
	if err != nil {
		return c, err
	}
	for _, f := range fields {
		value, ok := object[f.key]
		if !ok {
			return c, fmt.Errorf("%s is missing", path(within, f.key))
		}
		if *f.dst, err = readText(path(within, f.key), value); err != nil {
			return c, err
		}
	}
	return c, nil
}

// token makes the token of one user at a moment.
func (c *call) token(user proto.UserID, now time.Time) string {
	t := jwt.CreateAccessToken(jwt.AccessTokenParams{
		AccountSid:    c.accountSid,
		SigningKeySid: c.apiKey,
		Secret:        c.apiSecret,
		Identity:      user.String(),
		Nbf:           float64(now.Add(-clockSkew).Unix()),
		ValidUntil:    float64(now.Add(tokenLife).Unix()),
		Grants:        []jwt.BaseGrant{&jwt.VideoGrant{Room: c.room}},
	})
	text, err := t.ToJwt()
	if err != nil {
		panic("secrets: a token cannot be signed: " + err.Error())
	}
	return text
}
