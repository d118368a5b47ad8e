package nginx

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRouteUploads(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil)
	for range 12 {
		for method, path := range map[string]string{"POST": "/upload?type=image", "OPTIONS": "/upload", "GET": "/user-upload-image?ABCDEFGHIJ", "HEAD": "/user-upload-image?ABCDEFGHIJ"} {
			resp, _ := r.ask(method, path, "")
			shard := resp.Header.Get("Shard")
			if resp.StatusCode != http.StatusOK || shard == "" {
				t.Fatalf("%s %s: %s of shard %q", method, path, resp.Status, shard)
			}
			got := r.shards[shard[1]-'1'].last(t)
			if got.URI != path || got.Method != method || got.Header.Get("X-Forwarded-For") != "127.0.0.1" || got.Header.Get("X-Forwarded-Proto") != "http" {
				t.Errorf("%s %s reached the shard as %s %s, %v", method, path, got.Method, got.URI, got.Header)
			}
		}
	}
	for _, s := range r.shards {
		if s.count() == 0 {
			t.Errorf("shard %02d got none of 48 requests", s.number)
		}
	}
	for _, path := range []string{"/upload/", "/uploads", "/upload/x", "/user-upload-image/", "/user-upload-images"} {
		if resp, _ := r.ask("GET", path, ""); resp.StatusCode != http.StatusNotFound || resp.Header.Get("Shard") != "" {
			t.Errorf("GET %s: %s of shard %q, want 404 of nginx", path, resp.Status, resp.Header.Get("Shard"))
		}
	}
}

// 16 MiB pass, whole; one byte more does not.
func TestUploadLimit(t *testing.T) {
	t.Parallel()
	const most = 16 << 20
	r := newRig(t, 1, nil)
	resp, _ := r.ask("POST", "/upload?type=image", strings.Repeat("o", most))
	if resp.StatusCode != 200 || r.shards[0].last(t).Body != most {
		t.Errorf("16 MiB: %s, %d bytes reached the shard", resp.Status, r.shards[0].last(t).Body)
	}
	req, err := http.NewRequestWithContext(t.Context(), "POST", r.url+"/upload?type=image", strings.NewReader(strings.Repeat("o", most+1)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Expect", "100-continue") // as TestBodyLimit says
	resp, err = r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	checkRefusal(t, resp, http.StatusRequestEntityTooLarge, "")
	if err != nil || !strings.Contains(string(text), "larger than 16 MB") {
		t.Errorf("%q, %v", text, err)
	}
	if got := r.shards[0].count(); got != 1 {
		t.Errorf("%d requests reached the shard, want the one that fits", got)
	}
}

func TestUploadToDeadShards(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, nil)
	r.shards[1].Close()
	lost := 0
	for range 10 {
		if resp, _ := r.ask("POST", "/upload?type=image", "o"); resp.StatusCode != 200 {
			checkRefusal(t, resp, http.StatusBadGateway, "1")
			lost++
		}
	}
	if lost > 2 { // each of nginx's workers has to find out
		t.Errorf("%d of 10 uploads were lost with one of two shards dead", lost)
	}
	r.shards[0].Close()
	for range 3 {
		resp, _ := r.ask("POST", "/upload?type=image", "o")
		checkRefusal(t, resp, http.StatusBadGateway, "1")
	}
}

// What a shard says of an upload, and how it serves an image, comes through as it
// is.
func TestUploadAnswersPassUntouched(t *testing.T) {
	t.Parallel()
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<20) // 16 MiB
	headers := map[string]string{
		"Content-Type": "image/png", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
		"Cache-Control": "private, max-age=31536000, immutable", "Cross-Origin-Resource-Policy": "same-origin", "Etag": `"x"`,
	}
	r := newRig(t, 1, func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodPost {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.Header().Set("X-Audio-Metadata", `{"kill_client": true, "message": "mine"}`)
			w.WriteHeader(http.StatusUnsupportedMediaType)
			io.WriteString(w, "no image")
			return
		}
		for key, value := range headers {
			w.Header().Set(key, value)
		}
		w.Write(big)
	})
	resp, text := r.ask("POST", "/upload?type=image", "<svg/>")
	if resp.StatusCode != 415 || text != "no image" || resp.Header.Get("X-Audio-Metadata") == "" || len(resp.Header.Values("Access-Control-Allow-Origin")) != 1 {
		t.Errorf("%s %q %v", resp.Status, text, resp.Header)
	}
	resp, text = r.ask("GET", "/user-upload-image?ABCDEFGHIJ", "")
	if text != string(big) {
		t.Errorf("%d bytes of %d", len(text), len(big))
	}
	for key, want := range headers {
		if got := resp.Header.Values(key); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q alone", key, got, want)
		}
	}
}

func TestRecordings(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1, nil)
	for name, text := range map[string]string{
		"index.html": "<ul></ul>", "index.json": "[]", "2026-01-02-030405.wav": "RIFF", "song.flac": "fLaC", ".song.wav-1.tmp": "half",
	} {
		if err := os.WriteFile(filepath.Join(r.recordings, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		path              string
		status            int
		contentType, says string
		cache             string
	}{
		{"", 200, "text/html", "<ul></ul>", "no-cache"},
		{"index.html", 200, "text/html", "<ul></ul>", "no-cache"},
		{"index.json", 200, "application/json", "[]", "no-cache"},
		{"2026-01-02-030405.wav", 200, "audio/wav", "RIFF", ""},
		{"song.flac", 200, "audio/flac", "fLaC", ""},
		{".song.wav-1.tmp", 404, "text/html", "404", ""},
		{"none.wav", 404, "text/html", "404", ""},
		{"../../access.log", 400, "text/html", "400", ""},
		{"%2e%2e/nginx.conf", 404, "text/html", "404", ""},
	} {
		resp, text := r.ask("GET", "/recordings/"+c.path, "")
		if resp.StatusCode != c.status || resp.Header.Get("Content-Type") != c.contentType || !strings.Contains(text, c.says) {
			t.Errorf("%q: %s %q %.40q", c.path, resp.Status, resp.Header.Get("Content-Type"), text)
		}
		if c.status != 200 {
			continue
		}
		if got := strings.Join(resp.Header.Values("Cache-Control"), "|"); got != c.cache || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q: Cache-Control %q, want %q; %v", c.path, got, c.cache, resp.Header)
		}
	}
	r.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if resp, _ := r.ask("GET", "/recordings", ""); resp.StatusCode != 301 || resp.Header.Get("Location") != "/recordings/" {
		t.Errorf("GET /recordings: %s to %q", resp.Status, resp.Header.Get("Location"))
	}
}
