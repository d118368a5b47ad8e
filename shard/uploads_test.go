package shard

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/upload"
)

// uploadRig is a shard that takes uploads.
type uploadRig struct {
	*Server
	*stub
	dir string
	log bytes.Buffer
}

func newUploadRig(t *testing.T) *uploadRig {
	t.Helper()
	r := &uploadRig{dir: t.TempDir(), stub: &stub{clock: now, upload: func(string) string { return proto.UploadReady }}}
	log := slog.New(slog.NewTextHandler(&r.log, nil))
	store, err := upload.NewStore(r.dir, log)
	if err != nil {
		t.Fatal(err)
	}
	r.Server = newHandlerOnly(r.stub)
	r.Server.cfg.RefusalDelay, r.Server.cfg.Uploads, r.Server.cfg.Log = -1, store, log
	return r
}

// stored are the files in the folder.
func (r *uploadRig) stored(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func pngFile(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func trackFile(t *testing.T) []byte {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("..", "audiofile", "testdata", "cbr-44100-2.mp3"))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func checkCORS(t *testing.T, name string, h http.Header) {
	t.Helper()
	if h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Expose-Headers") != metadataHeader {
		t.Errorf("%s: headers %v", name, h)
	}
}

func TestUpload(t *testing.T) {
	t.Parallel()
	for kind, file := range map[string][]byte{"backingTrack": trackFile(t), "image": pngFile(t)} {
		r := newUploadRig(t)
		var asked []string
		r.stub.upload = func(name string) string {
			if asked = append(asked, name); len(asked) < 3 {
				return proto.UploadPending
			}
			return proto.UploadReady
		}
		w := ask(r.Server, http.MethodPost, "/upload?type="+kind, file)
		if w.Code != 200 || w.Body.String() != "ok" || w.Header().Get("Content-Type") != "text/plain" {
			t.Errorf("%s: %d %q %v", kind, w.Code, w.Body, w.Header())
		}
		checkCORS(t, kind, w.Header())
		names := r.stored(t)
		if len(names) != 1 || len(asked) != 3 || asked[0] != names[0] || asked[2] != names[0] {
			t.Errorf("%s: stored as %q, asked for %q", kind, names, asked)
		}
		if strings.Contains(names[0], testCookie[:8]) {
			t.Errorf("%s: the name %s tells the cookie %s", kind, names[0], testCookie)
		}
	}
}

// Who comes without our cookie gets it here, too.
func TestUploadBelongsToASession(t *testing.T) {
	t.Parallel()
	r := newUploadRig(t)
	req := httptest.NewRequest(http.MethodPost, "/upload?type=image", bytes.NewReader(pngFile(t)))
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, req)
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Set-Cookie"), cookieName+"=") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	ask(r.Server, http.MethodPost, "/upload?type=image", pngFile(t))
	ask(r.Server, http.MethodPost, "/upload?type=image", pngFile(t))
	who := map[string]int{}
	for _, name := range r.stored(t) {
		who[strings.Split(name, "-")[2]]++
	}
	if len(who) != 2 {
		t.Errorf("uploads of %v, want two sessions", who)
	}
}

func TestUploadRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, method, target string
		body                 []byte
		code                 int
		says                 string
	}{
		{"no type", "POST", "/upload", pngFile(t), 400, "type is missing"},
		{"empty type", "POST", "/upload?type=", pngFile(t), 400, "type is missing"},
		{"another type", "POST", "/upload?type=video", pngFile(t), 400, `type "video" is not known`},
		{"type of strange letters", "POST", "/upload?type=%00%FF" + strings.Repeat("x", 500), pngFile(t), 400, "..."},
		{"two types", "POST", "/upload?type=image&type=backingTrack", pngFile(t), 400, "twice"},
		{"no query", "POST", "/upload?image", pngFile(t), 400, `no "="`},
		{"GET", "GET", "/upload?type=image", nil, 405, "only POST, OPTIONS"},
		{"HEAD", "HEAD", "/upload?type=image", nil, 405, "only POST"},
		{"PUT", "PUT", "/upload?type=image", pngFile(t), 405, "only POST"},
		{"DELETE", "DELETE", "/upload?type=image", nil, 405, "only POST"},
		{"empty", "POST", "/upload?type=image", nil, 400, "empty"},
		{"17 MB", "POST", "/upload?type=image", make([]byte, 17_000_000), 413, "larger than 16777216"},
		{"17 MB of sound", "POST", "/upload?type=backingTrack", make([]byte, 17_000_000), 413, "larger than 16777216"},
		{"a page", "POST", "/upload?type=image", []byte("<html><script>alert(1)</script>"), 415, "neither PNG"},
		{"SVG", "POST", "/upload?type=image", []byte("<svg/>"), 415, "neither PNG"},
		{"sound as an image", "POST", "/upload?type=image", trackFile(t), 415, "neither PNG"},
		{"an image as sound", "POST", "/upload?type=backingTrack", pngFile(t), 415, "neither WAV"},
		{"truncated", "POST", "/upload?type=image", pngFile(t)[:20], 415, "damaged"},
	} {
		for _, chunked := range []bool{false, true} {
			r := newUploadRig(t)
			req := httptest.NewRequest(c.method, c.target, bytes.NewReader(c.body))
			if chunked {
				req.ContentLength = -1
			}
			w := httptest.NewRecorder()
			r.Handler().ServeHTTP(w, req)
			if message := killMessage(t, w); w.Code != c.code || !strings.Contains(message, c.says) || len(message) > 400 {
				t.Errorf("%s, chunked %v: %d %q, want %d that says %q", c.name, chunked, w.Code, message, c.code, c.says)
			}
			checkCORS(t, c.name, w.Header())
			if c.code == 405 && w.Header().Get("Allow") != "POST, OPTIONS" {
				t.Errorf("%s: Allow %q", c.name, w.Header().Get("Allow"))
			}
			if names := r.stored(t); len(names) > 0 {
				t.Errorf("%s: stored %q", c.name, names)
			}
		}
	}
}

func TestUploadsSwitchedOff(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, &stub{clock: now}, nil)
	for _, c := range []struct{ method, target string }{
		{"POST", "/upload?type=image"}, {"GET", "/user-upload-image?ABCDEFGHIJ"}, {"HEAD", "/user-upload-image"},
	} {
		w := ask(s, c.method, c.target, pngFile(t))
		if w.Code != 404 || !strings.Contains(killMessage(t, w), "-uploads DIR") {
			t.Errorf("%s %s: %d %q", c.method, c.target, w.Code, w.Body)
		}
	}
	// As before on all other paths, and for preflights.
	for _, path := range []string{"/upload/", "/uploads", "/api/upload", "/user-upload-image/ABCDEFGHIJ", "/user-upload"} {
		if w := ask(s, http.MethodGet, path, nil); w.Code != 200 || w.Body.String() != "ok" {
			t.Errorf("GET %s: %d %q, want the clock", path, w.Code, w.Body)
		}
	}
	for _, path := range []string{"/upload", "/user-upload-image"} {
		if w := ask(s, http.MethodOptions, path, nil); w.Code != 200 || w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Body.Len() > 0 {
			t.Errorf("OPTIONS %s: %d %v", path, w.Code, w.Header())
		}
	}
}

func TestUploadThatTheStateServerDoesNotTake(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		stub  *stub
		code  int
		says  string
		after time.Duration
	}{
		{"no memory", &stub{upload: func(string) string { return proto.UploadFailed + "no memory left" }}, 500, "cannot be used: no memory left", 0},
		{"never", &stub{upload: func(string) string { return proto.UploadPending }}, 503, "after 10s", readyTime},
		{"nonsense", &stub{upload: func(string) string { return "" }}, 503, "after 10s", readyTime},
		{"away", &stub{fail: func() error { return proto.Refuse(503, "the state server is away") }}, 503, "is away", readyTime},
		{"refuses", &stub{upload: func(string) string { panic(proto.Refuse(400, "no such thing")) }}, 400, "no such thing", 0},
		{"first generation", &stub{upload: func(string) string { panic(proto.Refuse(500, "unknown request uploaded")) }}, 200, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newUploadRig(t)
				r.Server.backend.Backend = backendFunc(func(req *proto.Request, ans *proto.Answer) (err error) {
					defer func() {
						if refusal, ok := recover().(*proto.Refusal); ok {
							ans.SetRefusal(refusal)
						}
					}()
					return c.stub.Call(t.Context(), req, ans)
				})
				began := time.Now()
				w := ask(r.Server, http.MethodPost, "/upload?type=image", pngFile(t))
				if took := time.Since(began); w.Code != c.code || took != c.after {
					t.Errorf("%d after %v, want %d after %v", w.Code, took, c.code, c.after)
				}
				if c.code != 200 && !strings.Contains(killMessage(t, w), c.says) {
					t.Errorf("%q does not say %q", w.Body, c.says)
				}
			})
		})
	}
}

// What is wrong with the folder is for the operator only.
func TestFolderOfUploadsThatFails(t *testing.T) {
	t.Parallel()
	r := newUploadRig(t)
	if err := os.RemoveAll(r.dir); err != nil {
		t.Fatal(err)
	}
	for method, target := range map[string]string{"POST": "/upload?type=image", "GET": "/user-upload-image?ABCDEFGHIJ"} {
		w := ask(r.Server, method, target, pngFile(t))
		if w.Code != 500 || strings.Contains(w.Body.String(), r.dir) {
			t.Errorf("%s: %d %q", method, w.Code, w.Body)
		}
	}
	if n := strings.Count(r.log.String(), r.dir); n != 2 {
		t.Errorf("%d lines logged:\n%s", n, &r.log)
	}
}

// serve lets a rig listen.
func (r *uploadRig) serve(t *testing.T, readTimeout time.Duration) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(r.Handler())
	srv.Config.ReadTimeout, srv.Config.WriteTimeout = readTimeout, writeTimeout
	srv.Start()
	t.Cleanup(srv.Close)
	return srv.URL
}

// A body that is refused is read all the same: a client that sends all of it
// before it looks at the answer would find a broken connection.
func TestClientSeesTheRefusalOfALargeUpload(t *testing.T) {
	t.Parallel()
	addr := strings.TrimPrefix(newUploadRig(t).serve(t, readTimeout), "http://")
	body := make([]byte, 17_000_000)
	for query, status := range map[string]string{"type=image": "413", "type=backingTrack": "413", "type=none": "400"} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(c, "POST /upload?%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", query, len(body)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(body); err != nil {
			t.Errorf("%s: %v", query, err)
		}
		answer, err := io.ReadAll(c)
		if err := errors.Join(err, c.Close()); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 "+status) {
			t.Errorf("%s: %.100q, %v; want %s", query, answer, err, status)
		}
	}
}

// Time to send and time to wait are an upload's own: the server's time-out of a
// request must not cut either off.
func TestUploadOutlivesTheTimeOutOfARequest(t *testing.T) {
	t.Parallel()
	const timeout, sendTime = 100 * time.Millisecond, time.Second
	r := newUploadRig(t)
	r.Server.cfg.SendTime = sendTime
	var first time.Time
	r.stub.upload = func(string) string {
		if first.IsZero() {
			first = time.Now()
		}
		if time.Since(first) < sendTime {
			return proto.UploadPending
		}
		return proto.UploadReady
	}
	url := r.serve(t, timeout)
	file := pngFile(t)
	body, send := io.Pipe()
	go func() {
		_, _ = send.Write(file[:10])
		<-time.After(3 * timeout)
		_, _ = send.Write(file[10:])
		send.Close()
	}()
	resp, err := http.Post(url+"/upload?type=image", "", body)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("%s", resp.Status)
	}
}

// A client that breaks off in the middle leaves nothing behind.
func TestUploadThatBreaksOff(t *testing.T) {
	t.Parallel()
	r := newUploadRig(t)
	url := r.serve(t, readTimeout)
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "POST /upload?type=image HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nonly this"); err != nil {
		t.Fatal(err)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if err := errors.Join(err, c.Close()); err != nil {
		t.Fatal(err)
	}
	if names := r.stored(t); len(names) > 0 || strings.Contains(string(answer), "200 OK") {
		t.Errorf("stored %q, answered %q", names, answer)
	}
}

func TestImage(t *testing.T) {
	t.Parallel()
	r := newUploadRig(t)
	file := append(pngFile(t), "<script>alert(1)</script>"...)
	ask(r.Server, http.MethodPost, "/upload?type=image", file)
	name := r.stored(t)[0]
	value := strings.TrimSuffix(name[strings.LastIndexByte(name, '-')+1:], ".png")
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		w := ask(r.Server, method, "/user-upload-image?"+value, nil)
		if w.Code != 200 || method == http.MethodGet && !bytes.Equal(w.Body.Bytes(), file) {
			t.Errorf("%s: %d, %d bytes of %d", method, w.Code, w.Body.Len(), len(file))
		}
		for key, want := range map[string]string{
			"Content-Type":                 "image/png",
			"X-Content-Type-Options":       "nosniff",
			"Content-Security-Policy":      "default-src 'none'; sandbox",
			"Content-Disposition":          "inline",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Cache-Control":                "private, max-age=31536000, immutable",
		} {
			if got := w.Header().Values(key); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s is %q, want %q", method, key, got, want)
			}
		}
		if strings.Contains(strings.Join(w.Header()["Etag"], ""), name) {
			t.Errorf("the answer tells the name %s: %v", name, w.Header())
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		if w := ask(r.Server, method, "/user-upload-image?"+value, nil); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("%s: %d %v", method, w.Code, w.Header())
		}
	}
	for _, query := range []string{
		"", "?", "?AAAAAAAAAA", "?" + strings.ToLower(value), "?" + value + "&x", "?" + value[:9], "?" + name, "?../" + name,
		"?..%2F" + name, "?%2e%2e/", "?*", "?/etc/passwd", "?" + value + "%00", "?" + strings.Repeat("A", 5000),
	} {
		w := ask(r.Server, http.MethodGet, "/user-upload-image"+query, nil)
		if w.Code != 404 || strings.HasPrefix(w.Header().Get("Content-Type"), "image") || w.Header().Get("Cache-Control") != "" {
			t.Errorf("%.40q: %d %v", query, w.Code, w.Header())
		}
		killMessage(t, w)
	}
}
