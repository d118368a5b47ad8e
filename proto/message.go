package proto

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// What a request may ask besides singing.
const (
	KindClock     = "get_clock"
	KindTelemetry = "get_telemetry"
	// KindUploaded asks whether the file Request.Upload can be used yet.
	KindUploaded = "uploaded"
)

// What Answer.Upload says.
const (
	UploadReady   = "ready"
	UploadPending = "pending"  // ask again soon
	UploadFailed  = "failed: " // and why
)

// Request is what a shard asks of the state server. The first generation knows
// the query string, the client's address, lyrics and [KindTelemetry]; the rest
// is absent then.
type Request struct {
	// Kind is "" for a singer's request.
	Kind          string  `json:"request,omitempty"`
	QueryString   string  `json:"query_string,omitempty"`
	ClientAddress string  `json:"client_address,omitempty"`
	Lyrics        *string `json:"lyrics,omitempty"`
	Session       Session `json:"session,omitempty"`
	// ReadEnd is the end of the interval that the client will be told it
	// hears; continuity is still kept on the requested clock.
	ReadEnd *Clock `json:"read_end,omitempty"`
	// Want says which samples the shard lacks; nil asks for the whole interval.
	Want *Span `json:"want,omitempty"`
	// Held says what else of the interval the shard has encoded already, for
	// somebody else, so that the state server can say whether it still holds.
	Held *Held `json:"held,omitempty"`
	// Again marks a request that may have been carried out before.
	Again bool `json:"again,omitempty"`
	// ControlSecret is the secret that came with a request without userid
	// outside of its query.
	ControlSecret Secret `json:"control_secret,omitempty"`
	// Nonce is a name that the shard gives to each request without userid, so
	// that one that comes again is known: it has no clocks. It is carried out
	// once.
	Nonce string `json:"nonce,omitempty"`
	// Upload is the name of a file in the folder of uploads; for KindUploaded.
	Upload string `json:"upload,omitempty"`

	// PCM is the decoded audio, mono, 48 kHz.
	PCM []float32 `json:"-"`
}

// Answer is what the state server says to one Request.
type Answer struct {
	// Metadata is the JSON that goes to the client.
	Metadata string `json:"x-audio-metadata,omitempty"`
	// Error tells why the request is refused; "" if it is not. Code is the HTTP
	// status that fits, 0 from peers that do not say.
	Error string `json:"error,omitempty"`
	Code  int    `json:"code,omitempty"`
	// Backtrace is what peers of the first generation send with an error.
	Backtrace string `json:"inner_bt,omitempty"`
	// Clock answers KindClock. With PCM it is when that was mixed.
	Clock Clock `json:"server_clock,omitempty"`
	// Upload answers KindUploaded.
	Upload string `json:"upload,omitempty"`
	// Span says which samples the PCM holds; nil means the whole interval that
	// the query asked for.
	Span *Span `json:"pcm,omitempty"`
	// Mix names what this singer hears: whoever is told the same name hears the
	// same samples. 0 is what nobody else hears.
	Mix Mix `json:"mix,omitempty"`
	// Keep says how far the samples of Request.Held are as they would be mixed
	// now: those before it are. What follows, up to the end of the interval, is
	// in the PCM then, wanted or not. 0: none are.
	Keep Clock `json:"keep,omitempty"`

	// Summary is the user summary, complete with its count.
	Summary []byte `json:"-"`
	// PCM is the audio, mono, 48 kHz.
	PCM []float32 `json:"-"`

	// Scratch, if there is one, is where whoever fetches an answer puts its
	// strings and its span: they are gone when the next one is fetched. Without
	// it they are memory of their own.
	Scratch *Scratch `json:"-"`
}

// Refusal gives the refusal that the answer carries, or nil. A peer that names
// no status is taken to mean 500. Peers of the first generation may fail with an
// empty Error; their Backtrace tells it from success.
func (a *Answer) Refusal() *Refusal {
	if a.Error == "" && a.Backtrace == "" && a.Code < 400 {
		return nil
	}
	// A refusal outlives the answer, whose text may lie in memory that is used
	// again.
	r := &Refusal{Code: a.Code, Reason: strings.Clone(a.Error)}
	if r.Code < 400 || r.Code > 599 {
		r.Code = http.StatusInternalServerError
	}
	if r.Reason == "" {
		r.Reason = "the state server refused without a reason"
	}
	return r
}

// SetRefusal makes a the answer to a request that is refused.
func (a *Answer) SetRefusal(r *Refusal) { *a = Answer{Error: r.Reason, Code: r.Code} }

// appendJSON appends the JSON of v, raw UTF-8 without a newline.
func appendJSON(dst []byte, v any) []byte {
	b := bytes.NewBuffer(dst)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("proto: a message is no JSON: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// checkControl bounds what comes with a request without userid.
func checkControl(r *Request) error {
	if n := len(r.ControlSecret); n > MaxSecretBytes {
		return Refuse(http.StatusRequestEntityTooLarge, "a secret of %d bytes, at most %d are taken", n, MaxSecretBytes)
	}
	if n := len(r.Nonce); n > MaxNonceBytes {
		return Refuse(http.StatusRequestEntityTooLarge, "nonce %s has %d bytes, at most %d are taken",
			Shown(r.Nonce), n, MaxNonceBytes)
	}
	return nil
}

// jsonFault says what is wrong with JSON that came from outside: the key, if it
// is known, and the value.
func jsonFault(err error) string {
	var wrong *json.UnmarshalTypeError
	var refused *Refusal
	switch {
	case errors.As(err, &refused):
		return refused.Reason
	case errors.As(err, &wrong) && wrong.Field != "":
		return wrong.Field + " cannot be " + Shown(wrong.Value)
	default:
		return Shown(err.Error())
	}
}

// ParsePrefix reads the JSON object that may stand before the packed Opus of a
// request body. Only its lyrics matter; nil if it has none.
func ParsePrefix(data []byte) (lyrics *string, err error) {
	var prefix struct {
		Lyrics *string `json:"lyrics"`
	}
	if unmarshalObject(data, &prefix) != nil {
		return nil, malformed("the %d bytes before the audio are no JSON object with lyrics: %s", len(data), Shown(string(data)))
	}
	return prefix.Lyrics, CheckLyrics(prefix.Lyrics)
}

// MarshalJSON gives [from, to].
func (s Span) MarshalJSON() ([]byte, error) {
	return appendPair(make([]byte, 0, 40), s.From, s.To), nil
}

// UnmarshalJSON reads [from, to] with 0 <= from <= to and at most MaxSamples
// between them, or [].
func (s *Span) UnmarshalJSON(data []byte) error {
	var pair []Clock
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	*s = Span{}
	switch {
	case len(pair) == 0:
		return nil
	case len(pair) != 2 || !(Span{pair[0], pair[1]}).ordered():
		return malformed("%s is not [from, to] with 0 <= from <= to", Shown(string(data)))
	}
	*s = Span{pair[0], pair[1]}
	if s.Len() > MaxSamples {
		return malformed("[%d, %d] holds %d samples, at most %d are taken", s.From, s.To, s.Len(), MaxSamples)
	}
	return nil
}

// ordered tells whether 0 <= from <= to, and both are possible clocks.
func (s Span) ordered() bool { return s.From >= 0 && s.From <= s.To && s.To <= maxClock }
