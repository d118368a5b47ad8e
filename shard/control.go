package shard

import (
	"crypto/rand"
	"net/http"
	"strings"

	"bucketbrigade/proto"
)

// control carries a POST without userid out: an order to the room, from who has
// its secret. The shared state judges that; it may not even take orders.
func (s *Server) control(w http.ResponseWriter, r *http.Request, v proto.Values, q proto.Query, m *scratch) error {
	if err := checkForeign(v); err != nil {
		return err
	}
	if len(m.body) != 0 || q.Samples != 0 || q.HasJSONLen {
		return bad("userid is missing: whoever sends or wants audio names the singer")
	}
	secret := bearer(r)
	if n := len(secret); n > proto.MaxSecretBytes {
		return proto.Refuse(http.StatusRequestEntityTooLarge, "a secret of %d bytes, at most %d are taken", n, proto.MaxSecretBytes)
	}
	req := proto.Request{QueryString: r.URL.RawQuery, ControlSecret: secret, Nonce: rand.Text()}
	if err := s.call(r.Context(), &req, &m.ans); err != nil {
		return err
	}
	s.writeMetadata(w, r, m)
	return nil
}

// bearer is the secret of the Authorization header, if it has one.
func bearer(r *http.Request) proto.Secret {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return proto.Secret(strings.TrimSpace(secret))
}
