package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"bucketbrigade/proto"
	"bucketbrigade/singer"
)

// fault is why a request or an answer was no good.
type fault struct {
	kind string
	err  error
}

func (f *fault) Error() string { return f.kind + ": " + f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

func faultf(kind, format string, args ...any) *fault {
	return &fault{kind, fmt.Errorf(format, args...)}
}

// browser is what one singer has of a browser: connections and cookies.
type browser struct {
	transport http.RoundTripper
	target    *url.URL
	// cookies is the header's value, as the site has set them.
	mu      sync.Mutex
	cookies string
}

// told is what of the metadata is looked at. What must be there is a pointer.
type told struct {
	ServerClock     *proto.Clock      `json:"server_clock"`
	ClientReadClock *proto.Clock      `json:"client_read_clock"`
	Samples         *int              `json:"n_samples"`
	ConnectedUsers  *int              `json:"n_connected_users"`
	SongStart       *proto.Clock      `json:"song_start_clock"`
	SongEnd         proto.Clock       `json:"song_end_clock"`
	Events          []json.RawMessage `json:"events"`
	Chats           []json.RawMessage `json:"chats"`
	DelaySeconds    *int              `json:"delay_seconds"`
	// SampleRate must not be there: clients in the field stumble over it.
	SampleRate json.RawMessage `json:"sample_rate"`
}

func (t *told) check() error {
	switch {
	case t.ServerClock == nil || t.ClientReadClock == nil || t.Samples == nil || t.ConnectedUsers == nil || t.SongStart == nil:
		return errors.New("metadata lacks server_clock, client_read_clock, n_samples, n_connected_users or song_start_clock")
	case t.Events == nil || t.Chats == nil:
		return errors.New("metadata lacks the list events or chats")
	case t.SampleRate != nil:
		return errors.New("metadata has a key sample_rate")
	}
	return nil
}

// buffers are for bodies of answers.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxAnswer bounds an answer: a list of 2000 users and a second of Opus are far
// below.
const maxAnswer = 4 << 20

// do sends a request and hands header and body of a good answer to take; body is
// valid during the call only. It returns how long the body was.
func (b *browser) do(ctx context.Context, method, query string, body []byte, take func(header http.Header, body []byte) error) (int, error) {
	u := *b.target
	u.RawQuery = query
	req := &http.Request{
		Method: method, URL: &u, Host: u.Host, Header: make(http.Header, 2),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if method == http.MethodPost {
		req.ContentLength = int64(len(body))
		req.Body = http.NoBody
		if len(body) > 0 {
			req.Body = io.NopCloser(bytes.NewReader(body))
			// For a connection that the server closed while it was idle.
			req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		}
	}
	if c := b.cookie(); c != "" {
		req.Header["Cookie"] = []string{c}
	}
	resp, err := b.transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return 0, &fault{KindConnection, err}
	}
	defer resp.Body.Close()
	if set := resp.Header["Set-Cookie"]; len(set) > 0 {
		b.keep(resp)
	}
	buffer := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buffer)
	buffer.Reset()
	if _, err := buffer.ReadFrom(io.LimitReader(resp.Body, maxAnswer)); err != nil {
		return buffer.Len(), &fault{KindConnection, err}
	}
	if resp.StatusCode != http.StatusOK {
		return buffer.Len(), refusal(resp, buffer.Bytes())
	}
	return buffer.Len(), take(resp.Header, buffer.Bytes())
}

// refusal is an answer that is not 200. A 409 is for clocks that do not join.
func refusal(resp *http.Response, body []byte) error {
	kind := fmt.Sprintf("status %d", resp.StatusCode)
	if resp.StatusCode == http.StatusConflict {
		kind = KindDesync
	}
	text := string(bytes.TrimSpace(body[:min(len(body), 200)]))
	return &fault{kind, &singer.HTTPError{Status: resp.StatusCode, Message: text}}
}

func (b *browser) cookie() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cookies
}

// keep takes cookies; a later one of the same name replaces the earlier.
func (b *browser) keep(resp *http.Response) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range resp.Cookies() {
		var kept []string
		for _, pair := range strings.Split(b.cookies, "; ") {
			if name, _, _ := strings.Cut(pair, "="); name != c.Name && pair != "" {
				kept = append(kept, pair)
			}
		}
		b.cookies = strings.Join(append(kept, c.Name+"="+c.Value), "; ")
	}
}

// clock asks for the server's clock.
func (b *browser) clock(ctx context.Context) (clock proto.Clock, err error) {
	_, err = b.do(ctx, http.MethodGet, "", nil, func(header http.Header, _ []byte) error {
		var h proto.ClockHeader
		if err := json.Unmarshal([]byte(header.Get("X-Audio-Metadata")), &h); err != nil {
			return fmt.Errorf("the header with the clock: %w", err)
		}
		if h.ServerSampleRate != proto.SampleRate || h.ServerClock <= 0 {
			return fmt.Errorf("the server's clock is %d at %d Hz", h.ServerClock, h.ServerSampleRate)
		}
		clock = h.ServerClock
		return nil
	})
	if err != nil {
		return 0, &fault{KindClock, err}
	}
	return clock, nil
}

// answer is what came for one request.
type answer struct {
	told
	// packed is the audio, kept only for who listens.
	packed []byte
}

// metadataLength reads the header that says how long the metadata is.
func metadataLength(header http.Header, body []byte) (int, error) {
	text := []byte(header.Get("X-Audio-Metadata"))
	n, ok := numberAt(text, `"metadata_len":`)
	if !ok {
		var length proto.LengthHeader
		if err := json.Unmarshal(text, &length); err != nil {
			return 0, faultf(KindMalformed, "the header with the length: %w", err)
		}
		n = int64(length.MetadataLen)
	}
	if n <= 0 || n > int64(len(body)) {
		return 0, faultf(KindMalformed, "metadata_len %d of a body of %d bytes", n, len(body))
	}
	return int(n), nil
}

// parse takes a body apart: metadata, user list, packets whose lengths add up.
// full reads all of the metadata, keep keeps the packets.
func (a *answer) parse(header http.Header, body []byte, full, keep bool) error {
	length, err := metadataLength(header, body)
	if err != nil {
		return err
	}
	if full || !a.told.quick(body[:length]) {
		a.told = told{}
		if err := json.Unmarshal(body[:length], &a.told); err != nil {
			return faultf(KindMalformed, "metadata: %w", err)
		}
		if err := a.told.check(); err != nil {
			return &fault{KindMalformed, err}
		}
	}
	_, packed, err := proto.CutSummary(body[length:])
	if err != nil {
		return &fault{KindMalformed, err}
	}
	var room [16][]byte
	packets, err := proto.ParsePackets(room[:0], packed)
	if err != nil {
		return &fault{KindMalformed, err}
	}
	samples := 0
	for _, p := range packets {
		n, err := proto.PacketSamples(p)
		if err != nil {
			return &fault{KindMalformed, err}
		}
		samples += n
	}
	if samples != *a.Samples {
		return faultf(KindMalformed, "packets of %d samples came, the metadata says %d", samples, *a.Samples)
	}
	if keep {
		a.packed = bytes.Clone(packed)
	}
	return nil
}
