package nginx

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// ofClient are the headers that a client of our own gets with each of its files.
var ofClient = map[string]string{
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Embedder-Policy": "require-corp",
	"Cross-Origin-Resource-Policy": "same-origin",
}

// ofPages are the headers of each page, whoever wrote it.
var ofPages = map[string]string{
	"X-Content-Type-Options": "nosniff",
	"Referrer-Policy":        "same-origin",
	"Permissions-Policy":     "microphone=(self), camera=(self), geolocation=()",
}

// wantHeaders wants each header once, with this value; or not at all, where it
// is empty.
func wantHeaders(t *testing.T, what string, h http.Header, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got := strings.Join(h.Values(name), "|"); got != value {
			t.Errorf("%s: %s %q, want %q", what, name, got, value)
		}
	}
}

// none has the same keys without values.
func none(headers map[string]string) map[string]string {
	empty := map[string]string{}
	for name := range headers {
		empty[name] = ""
	}
	return empty
}

// A worker needs the headers as its page does, and a missing file has them too.
func TestClientHeaders(t *testing.T) {
	t.Parallel()
	own, foreign := newRig(t, 1, nil), newRig(t, 1, nil, "--foreign-client")
	secured, _ := newTLSRig(t, nil)
	for _, path := range []string{"/", "/index.html", "/worker.js", "/none.wasm"} {
		for _, r := range []*rig{own, secured} {
			resp, _ := r.ask("GET", path, "")
			wantHeaders(t, path, resp.Header, ofPages)
			wantHeaders(t, path, resp.Header, ofClient)
			policy := resp.Header.Values("Content-Security-Policy")
			for _, rule := range []string{"default-src 'none'; ", "script-src 'self' 'wasm-unsafe-eval'; ", "worker-src 'self' blob:; ", "connect-src 'self'; ", "frame-ancestors 'none'"} {
				if len(policy) != 1 || !strings.Contains(policy[0], rule) {
					t.Errorf("%s: Content-Security-Policy %q has no %q", path, policy, rule)
				}
			}
		}
		resp, _ := foreign.ask("GET", path, "")
		wantHeaders(t, path, resp.Header, ofPages)
		wantHeaders(t, path+" of a foreign client", resp.Header, none(ofClient))
		wantHeaders(t, path+" of a foreign client", resp.Header, map[string]string{"Content-Security-Policy": ""})
	}
}

func TestStrictTransport(t *testing.T) {
	t.Parallel()
	year, _ := newTLSRig(t, nil)
	off, _ := newTLSRig(t, nil, "--hsts", "0")
	for r, want := range map[*rig]string{year: "max-age=31536000", off: "", newRig(t, 1, nil): ""} {
		for _, path := range []string{"/", "/recordings/"} {
			resp, _ := r.ask("GET", path, "")
			wantHeaders(t, r.url+path, resp.Header, map[string]string{"Strict-Transport-Security": want})
		}
	}
}

func TestRecordingsHeaders(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1, nil)
	resp, _ := r.ask("GET", "/recordings/", "")
	wantHeaders(t, "/recordings/", resp.Header, map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
	})
	policy := resp.Header.Get("Content-Security-Policy")
	for _, rule := range []string{"default-src 'none'", "style-src 'unsafe-inline'", "media-src 'self'"} {
		if !strings.Contains(policy, rule) {
			t.Errorf("the list of recordings: Content-Security-Policy %q has no %q", policy, rule)
		}
	}
}

// Of the API every header is the shard's: clients of other origins live by them.
func TestAnswersOfShardsGetNoHeaders(t *testing.T) {
	t.Parallel()
	cors := map[string]string{
		"Access-Control-Allow-Origin":   "*",
		"Access-Control-Max-Age":        "86400",
		"Access-Control-Expose-Headers": "X-Audio-Metadata",
		"X-Audio-Metadata":              `{"server_clock": 1}`,
		"Cross-Origin-Resource-Policy":  "same-origin", // as of an image
	}
	r := newRig(t, 1, func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range cors {
			w.Header().Set(name, value)
		}
		io.WriteString(w, "ok")
	})
	for _, path := range []string{"/api", "/api/01?userid=1", "/user-upload-image?ABCDEFGHIJ", "/upload"} {
		resp, _ := r.ask("GET", path, "")
		wantHeaders(t, path, resp.Header, cors)
		wantHeaders(t, path, resp.Header, none(ofPages))
		wantHeaders(t, path, resp.Header, map[string]string{
			"Content-Security-Policy": "", "Cross-Origin-Opener-Policy": "", "Cross-Origin-Embedder-Policy": "", "Cache-Control": "",
		})
	}
}

// What the Content-Security-Policy forbids, our own pages do not have.
func TestOwnPagesKeepTheirPolicy(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../web/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages in web: %v", err)
	}
	forbidden := regexp.MustCompile(`(?i)<style|<script(\s+(type|defer|async)\S*)*\s*>|<[^>]*\s(style|on[a-z]+)\s*=|(src|href)\s*=\s*"?(https?:|//)`)
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if found := forbidden.Find(text); found != nil {
			t.Errorf("%s has %q, which no browser will take: put it into a file of its own", page, found)
		}
	}
}
