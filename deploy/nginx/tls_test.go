package nginx

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/shard"
)

// newTLSRig is newRig with a certificate where certbot would have put it, a
// client that trusts it, and plain is where plain HTTP is redirected.
func newTLSRig(t *testing.T, say answer, options ...string) (r *rig, plain string) {
	t.Helper()
	cert, key := selfSigned(t)
	plain = fmt.Sprintf("127.0.0.1:%d", freePort(t))
	r = newRig(t, 1, say, append([]string{
		"--certbot", "sing.example.org", "--certbot-dir", certbotDir(t, cert, key), "--http", plain,
	}, options...)...)
	r.url = strings.Replace(r.url, "http:", "https:", 1)
	pool := x509.NewCertPool()
	text, err := os.ReadFile(cert)
	if err != nil || !pool.AppendCertsFromPEM(text) {
		t.Fatal("no certificate", err)
	}
	transport := r.client.Transport.(*http.Transport)
	transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	transport.ForceAttemptHTTP2 = true
	return r, "http://" + plain
}

// 20 singers over one connection of HTTP/2, each with the sound of 600 ms in
// every request.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	r, _ := newTLSRig(t, nil)
	r.shardOf("GET", "/api") // the connection that all will share
	var wg sync.WaitGroup
	for singer := range 20 {
		wg.Go(func() {
			for range 10 {
				resp, _, err := r.do("POST", fmt.Sprintf("/api/01?userid=%d", singer), strings.Repeat("o", 4000), nil)
				if err != nil || resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 {
					t.Errorf("singer %d: %v %v", singer, resp, err)
					return
				}
			}
		})
	}
	wg.Wait()
	last := r.shards[0].last(t)
	if got := r.shards[0].count(); got != 201 || last.Body != 4000 {
		t.Errorf("%d requests reached the shard, the last with %d bytes, want 201 and 4000", got, last.Body)
	}
	if got := last.Header.Get("X-Forwarded-Proto"); got != "https" {
		t.Errorf("the shard was told protocol %q, want https", got)
	}
}

// A clock that is refused has no status in HTTP/2 either: its stream breaks. Go's
// client then tries again over another connection, which ends the test.
func TestHTTP2ClockOfADeadShard(t *testing.T) {
	t.Parallel()
	r, _ := newTLSRig(t, nil)
	r.shards[0].Close()
	for _, path := range []string{"/api", "/api/01"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		again := errors.New("the stream broke")
		tries := 0
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
			if tries++; tries == 2 {
				cancel(again)
			}
		}})
		req, err := http.NewRequestWithContext(ctx, "GET", r.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := r.client.Do(req); err == nil {
			resp.Body.Close()
			t.Errorf("GET %s of a dead shard: %s, want a broken stream", path, resp.Status)
		} else if context.Cause(ctx) != again {
			t.Errorf("GET %s of a dead shard: %v, want a broken stream", path, err)
		}
		cancel(nil)
		resp, _ := r.ask("POST", path+"?userid=1", "o")
		checkRefusal(t, resp, http.StatusBadGateway, "1")
	}
}

// noState is a state server that is away.
type noState struct{}

func (noState) Call(context.Context, *proto.Request, *proto.Answer) error {
	return errors.New("away")
}

// A real shard behind TLS marks its cookie, so that no browser ever sends it
// without; behind plain HTTP it must not, or it would never come back.
func TestCookieIsSecureBehindTLS(t *testing.T) {
	t.Parallel()
	s, err := shard.New(shard.Config{Backend: noState{}, RefusalDelay: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	secured, _ := newTLSRig(t, s.Handler().ServeHTTP)
	for r, want := range map[*rig]bool{secured: true, newRig(t, 1, s.Handler().ServeHTTP): false} {
		resp, _ := r.ask("POST", "/api?userid=x", "")
		cookies := resp.Cookies()
		if len(cookies) != 1 || cookies[0].Secure != want || !cookies[0].HttpOnly {
			t.Errorf("%s: cookies %v, want one, Secure: %v", r.url, cookies, want)
		}
	}
}

func TestRedirectToTLS(t *testing.T) {
	t.Parallel()
	webroot := challenge(t)
	r, plain := newTLSRig(t, nil, "--acme", webroot)
	r.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	secured := r.url
	r.url = plain
	for _, path := range []string{"/", "/index.html", "/api/01?userid=1&chat=%5B%22a%20b%22%5D", "/recordings/x.wav", "/.well-known/other"} {
		for _, method := range []string{"GET", "POST"} {
			resp, _ := r.ask(method, path, "")
			if got := resp.Header.Get("Location"); resp.StatusCode != http.StatusPermanentRedirect || got != secured+path {
				t.Errorf("%s %s: %s to %q, want %q", method, path, resp.Status, got, secured+path)
			}
			if resp.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s %s: a page of another origin may not follow", method, path)
			}
		}
	}
	if r.shards[0].count() != 0 {
		t.Error("a request without TLS reached a shard")
	}
	// Before there is a certificate the site itself answers.
	for _, r := range []*rig{r, newRig(t, 1, nil, "--acme", webroot)} {
		if resp, text := r.ask("GET", "/.well-known/acme-challenge/token", ""); resp.StatusCode != 200 || text != "token.key" {
			t.Errorf("%s: the certificate authority is told %s %q", r.url, resp.Status, text)
		}
		if resp, _ := r.ask("GET", "/.well-known/acme-challenge/none", ""); resp.StatusCode != 404 {
			t.Errorf("%s: no such challenge: %s", r.url, resp.Status)
		}
	}
}

// certbotDir lays a certificate where certbot lays it.
func certbotDir(t *testing.T, cert, key string) string {
	t.Helper()
	dir := t.TempDir()
	live := filepath.Join(dir, "live/sing.example.org")
	if err := os.MkdirAll(live, 0o700); err != nil {
		t.Fatal(err)
	}
	for link, file := range map[string]string{"fullchain.pem": cert, "privkey.pem": key} {
		if err := os.Symlink(file, filepath.Join(live, link)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// selfSigned writes a certificate for 127.0.0.1 and its key.
func selfSigned(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", keyDER)
}
