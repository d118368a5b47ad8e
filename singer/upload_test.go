package singer

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestUploadAndFetch(t *testing.T) {
	t.Parallel()
	var seen []string
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		cookie, err := r.Cookie("brigade")
		if err != nil {
			http.SetCookie(w, &http.Cookie{Name: "brigade", Value: "of-the-site", Path: "/"})
			cookie = &http.Cookie{}
		}
		seen = append(seen, fmt.Sprintf("%s %s %q %s", r.Method, r.URL, body, cookie.Value))
		switch {
		case strings.Contains(r.URL.RawQuery, "refused"):
			http.Error(w, "no such kind", http.StatusBadRequest)
		case strings.Contains(r.URL.RawQuery, "odd"):
			io.WriteString(w, "fine")
		case r.Method == http.MethodGet:
			w.Header().Set("Content-Type", "image/png")
			io.WriteString(w, strings.Repeat("x", maxAnswer+1))
		default:
			io.WriteString(w, "ok")
		}
	}))
	t.Cleanup(site.Close)
	s := New(Config{URL: site.URL + "/api/01", User: 7})
	if err := s.Upload(t.Context(), "image", []byte("png")); err != nil {
		t.Error(err)
	}
	header, file, err := s.Fetch(t.Context(), "/user-upload-image?ABCDEFGHIJ")
	if err != nil || len(file) != maxAnswer+1 || header.Get("Content-Type") != "image/png" {
		t.Errorf("%d bytes, %v, %v", len(file), header, err)
	}
	var status *HTTPError
	if err := s.Upload(t.Context(), "refused", nil); !errors.As(err, &status) || status.Status != 400 {
		t.Errorf("refused: %v", err)
	}
	if err := s.Upload(t.Context(), "odd", nil); err == nil || !strings.Contains(err.Error(), `"fine"`) {
		t.Errorf("odd: %v", err)
	}
	want := []string{
		`POST /upload?type=image "png" `, `GET /user-upload-image?ABCDEFGHIJ "" of-the-site`,
		`POST /upload?type=refused "" of-the-site`, `POST /upload?type=odd "" of-the-site`,
	}
	if strings.Join(seen, "\n") != strings.Join(want, "\n") {
		t.Errorf("asked\n%s\nwant\n%s", strings.Join(seen, "\n"), strings.Join(want, "\n"))
	}
	if err := New(Config{URL: "http://[::1", User: 7}).Upload(t.Context(), "image", nil); err == nil {
		t.Error("no error for an address that is none")
	}
}
