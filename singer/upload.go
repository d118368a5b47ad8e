package singer

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// maxFile bounds what Fetch takes.
const maxFile = 32 << 20

// Upload posts a file as the web client does, to /upload of the site that the API
// belongs to. kind is "backingTrack" or "image". The next request may use the
// file. An answer other than 200 "ok" is an error, an *HTTPError if it is not 200.
func (s *Singer) Upload(ctx context.Context, kind string, file []byte) error {
	req, err := s.siteRequest(ctx, http.MethodPost, "/upload?"+url.Values{"type": {kind}}.Encode(), file)
	if err != nil {
		return err
	}
	_, body, err := s.do(req, maxAnswer)
	if err != nil {
		return err
	}
	if string(body) != "ok" {
		return fmt.Errorf("singer %d: upload: the answer is %.100q, want \"ok\"", s.cfg.User, body)
	}
	return nil
}

// Fetch gets a file of the site, by its path and query from the root on: for an
// uploaded image "/user-upload-image?" and the value that the metadata told.
func (s *Singer) Fetch(ctx context.Context, path string) (http.Header, []byte, error) {
	req, err := s.siteRequest(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, nil, err
	}
	return s.do(req, maxFile)
}

func (s *Singer) siteRequest(ctx context.Context, method, path string, body []byte) (*http.Request, error) {
	api, err := url.Parse(s.cfg.URL)
	if err == nil {
		var target *url.URL
		if target, err = api.Parse(path); err == nil {
			return http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body))
		}
	}
	return nil, fmt.Errorf("singer %d: %w", s.cfg.User, err)
}
