package singer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
)

// Answer is what a singer was told and heard.
type Answer struct {
	Metadata proto.Metadata
	// Users is the user list; empty if none was asked for.
	Users []proto.SummaryUser
	// PCM is what was heard at the positions up to Metadata.ClientReadClock.
	PCM []float32
	// Packed is the packing that came; nil once it is decoded.
	Packed []byte
}

// Start is the position of the first sample of PCM.
func (a *Answer) Start() proto.Clock { return a.Metadata.ClientReadClock.Add(-len(a.PCM)) }

// HTTPError is an answer that is not 200.
type HTTPError struct {
	Status int
	// Message is what the body says.
	Message string
	// Kill tells whether the answer had the header that ends a client.
	Kill bool
}

func (e *HTTPError) Error() string { return fmt.Sprintf("status %d: %s", e.Status, e.Message) }

// maxAnswer bounds an answer's body: a user list of 2000 and a second of Opus
// are well below.
const maxAnswer = 4 << 20

// askClock asks for the server clock.
func (s *Singer) askClock(ctx context.Context) (proto.Clock, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.cfg.URL, nil)
	if err != nil {
		return 0, fmt.Errorf("singer %d: %w", s.cfg.User, err)
	}
	header, _, err := s.do(req, maxAnswer)
	if err != nil {
		return 0, err
	}
	var clock proto.ClockHeader
	if err := json.Unmarshal([]byte(header.Get("X-Audio-Metadata")), &clock); err != nil {
		return 0, fmt.Errorf("singer %d: clock header: %w", s.cfg.User, err)
	}
	if clock.ServerSampleRate != proto.SampleRate || clock.ServerClock <= 0 {
		return 0, fmt.Errorf("singer %d: the server's clock is %d at %d Hz", s.cfg.User, clock.ServerClock, clock.ServerSampleRate)
	}
	return clock.ServerClock, nil
}

// post sends one request and takes the answer apart.
func (s *Singer) post(ctx context.Context, r *request) (*Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.cfg.URL+"?"+r.query.Encode(), bytes.NewReader(r.body))
	if err != nil {
		return nil, fmt.Errorf("singer %d: %w", s.cfg.User, err)
	}
	header, body, err := s.do(req, maxAnswer)
	if err != nil {
		return nil, err
	}
	a, err := parseAnswer(header, body)
	if err != nil {
		return nil, fmt.Errorf("singer %d: %w", s.cfg.User, err)
	}
	return a, nil
}

// do sends req and reads the answer, up to limit bytes; what is not 200 is an
// *HTTPError.
func (s *Singer) do(req *http.Request, limit int64) (http.Header, []byte, error) {
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, nil, fmt.Errorf("singer %d: %w", s.cfg.User, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit))
	if err != nil {
		return nil, nil, fmt.Errorf("singer %d: %w", s.cfg.User, err)
	}
	if resp.StatusCode != http.StatusOK {
		var kill proto.KillHeader
		_ = json.Unmarshal([]byte(resp.Header.Get("X-Audio-Metadata")), &kill)
		return nil, nil, fmt.Errorf("singer %d: %w", s.cfg.User, &HTTPError{
			Status: resp.StatusCode, Message: string(bytes.TrimSpace(body)), Kill: kill.KillClient,
		})
	}
	return resp.Header, body, nil
}

// parseAnswer splits a body into metadata, user list and packets.
func parseAnswer(header http.Header, body []byte) (*Answer, error) {
	var length proto.LengthHeader
	if err := json.Unmarshal([]byte(header.Get("X-Audio-Metadata")), &length); err != nil {
		return nil, fmt.Errorf("length header: %w", err)
	}
	if length.MetadataLen <= 0 || length.MetadataLen > len(body) {
		return nil, fmt.Errorf("metadata_len %d of a body of %d bytes", length.MetadataLen, len(body))
	}
	a := &Answer{}
	if err := json.Unmarshal(body[:length.MetadataLen], &a.Metadata); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	summary, packed, err := proto.CutSummary(body[length.MetadataLen:])
	if err != nil {
		return nil, err
	}
	if a.Users, err = proto.ParseSummary(summary); err != nil {
		return nil, err
	}
	a.Packed = packed
	return a, nil
}

// decode turns the packets into samples: as many as the metadata says.
func (a *Answer) decode(d *codec.Decoder) error {
	packets, err := proto.ParsePackets(nil, a.Packed)
	if err != nil {
		return err
	}
	a.Packed = nil
	a.PCM = make([]float32, 0, len(packets)*proto.FrameSamples)
	for _, p := range packets {
		if a.PCM, err = d.Decode(a.PCM, p); err != nil {
			return err
		}
	}
	if len(a.PCM) != a.Metadata.Samples {
		return fmt.Errorf("%d samples came, the metadata says %d", len(a.PCM), a.Metadata.Samples)
	}
	return nil
}
