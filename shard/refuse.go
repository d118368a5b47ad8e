package shard

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"bucketbrigade/proto"
)

const metadataHeader = "X-Audio-Metadata"

// retryAfter is when to try again after a 503, in seconds: the state server is
// back within one if it was restarted.
const retryAfter = 1

// maxReason bounds the text of a refusal, in bytes: proxies take headers of 4 kB
// and more, and escapes can make it six times as long.
const maxReason = 1000

// allowOrigin sets what lets pages of any origin read our answers.
func allowOrigin(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Max-Age", "86400")
	h.Set("Access-Control-Expose-Headers", metadataHeader)
}

// setMetadata puts v into the header, ASCII only.
func setMetadata(h http.Header, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic("shard: a header is no JSON: " + err.Error())
	}
	h.Set(metadataHeader, asciiJSON(b))
}

// asciiJSON escapes what is not ASCII: a header carries nothing else.
func asciiJSON(b []byte) string {
	var s strings.Builder
	for _, r := range string(b) {
		switch {
		case r < 0x7F: // DEL is ASCII, but no header may hold it
			s.WriteRune(r)
		case r < 0x10000:
			writeEscape(&s, r)
		default:
			r -= 0x10000
			writeEscape(&s, 0xD800+r>>10)
			writeEscape(&s, 0xDC00+r&0x3FF)
		}
	}
	return s.String()
}

func writeEscape(s *strings.Builder, unit rune) {
	hex := strconv.FormatInt(int64(unit), 16)
	s.WriteString(`\u` + strings.Repeat("0", 4-len(hex)) + hex)
}

// refuse answers err. A refusal that a retry cannot heal waits first.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && errors.Is(err, r.Context().Err()) {
		s.measures.answered(unanswered)
		panic(http.ErrAbortHandler) // nobody is there to read it; an empty answer would say 200
	}
	refusal := proto.AsRefusal(err)
	s.measures.refused(refusal)
	s.tally.refused(refusal)
	if !refusal.Heals() {
		pause(r.Context(), s.cfg.RefusalDelay)
	}
	h := w.Header()
	allowOrigin(h)
	reason := refusal.Reason
	if len(reason) > maxReason { // not one of ours: a foreign state server's
		reason = strings.ToValidUTF8(reason[:maxReason], "") + " ..."
	}
	setMetadata(h, proto.KillHeader{KillClient: true, Message: reason})
	h.Set("Content-Type", "text/plain; charset=utf-8")
	if refusal.Code == http.StatusServiceUnavailable && h.Get("Retry-After") == "" {
		h.Set("Retry-After", strconv.Itoa(retryAfter))
	}
	w.WriteHeader(refusal.Code)
	_, _ = w.Write([]byte(reason + "\n"))
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
