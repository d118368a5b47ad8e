package load

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// line is one singer's way to the site: connections of his own, kept open, as
// many as he has requests under way. It does what an http.Transport does for him,
// on the caller's goroutine: two wake-ups of a goroutine less a request are half
// of what a request costs.
//
// For example of four requests, the second sent before the first is answered:
//
//	conn 1   POST ────── 200   POST ── 200   POST ── 200
//	conn 2         POST ── 200
//	               under way twice
type line struct {
	dialer net.Dialer
	tls    *tls.Config

	mu   sync.Mutex
	idle []*wire
}

// What a usual answer and a usual request fit into, so that each is one call of
// the kernel: 12 and 8 kB.
const (
	answerRoom  = 12 << 10
	requestRoom = 8 << 10
)

// dialPatience is how long a connection may take to be made.
const dialPatience = 10 * time.Second

func newLine(sessions tls.ClientSessionCache) *line {
	return &line{dialer: net.Dialer{Timeout: dialPatience}, tls: &tls.Config{ClientSessionCache: sessions}}
}

// wire is one connection. Who has it owns it.
type wire struct {
	conn net.Conn
	in   *bufio.Reader
	out  *bufio.Writer
}

// RoundTrip makes line an http.RoundTripper. The end of the request's context
// closes the connection. A kept connection that turns out to be closed by the
// server before it has answered anything is replaced once.
func (l *line) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if w := l.take(); w != nil {
		resp, begun, err := l.exchange(ctx, w, req)
		if err == nil || begun || ctx.Err() != nil {
			return resp, err
		}
		if req.GetBody != nil {
			if req.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
	}
	w, err := l.dial(ctx, req)
	if err != nil {
		return nil, err
	}
	resp, _, err := l.exchange(ctx, w, req)
	return resp, err
}

// take gives an idle connection, nil if there is none.
func (l *line) take() *wire {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.idle) == 0 {
		return nil
	}
	w := l.idle[len(l.idle)-1]
	l.idle = l.idle[:len(l.idle)-1]
	return w
}

func (l *line) dial(ctx context.Context, req *http.Request) (*wire, error) {
	port := req.URL.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[req.URL.Scheme]
	}
	addr := net.JoinHostPort(req.URL.Hostname(), port)
	conn, err := l.dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	if req.URL.Scheme == "https" {
		cfg := l.tls.Clone()
		cfg.ServerName = req.URL.Hostname()
		secure := tls.Client(conn, cfg)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("TLS with %s: %w", addr, err), conn.Close())
		}
		conn = secure
	}
	return &wire{conn: conn, in: bufio.NewReaderSize(conn, answerRoom), out: bufio.NewWriterSize(conn, requestRoom)}, nil
}

// exchange sends a request and reads the answer's header; begun tells that
// something of an answer has come. The connection goes back to the idle ones when
// the body was read to its end.
func (l *line) exchange(ctx context.Context, w *wire, req *http.Request) (resp *http.Response, begun bool, err error) {
	stop := context.AfterFunc(ctx, func() { _ = w.conn.Close() })
	if err = w.send(req); err == nil {
		_, err = w.in.Peek(1)
	}
	if err == nil {
		begun = true
		resp, err = http.ReadResponse(w.in, req)
	}
	if err != nil {
		stop()
		_ = w.conn.Close()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, begun, err
	}
	resp.Body = &lineBody{ReadCloser: resp.Body, line: l, wire: w, stop: stop, keep: !resp.Close}
	return resp, begun, nil
}

// send writes a request of ours, which has no headers but a cookie: a third of
// what http.Request.Write costs.
func (w *wire) send(req *http.Request) error {
	// An error of the buffer stays, and Flush gives it.
	_, _ = w.out.WriteString(req.Method + " " + req.URL.RequestURI() + " HTTP/1.1\r\nHost: " + req.Host)
	if c := req.Header["Cookie"]; len(c) > 0 {
		_, _ = w.out.WriteString("\r\nCookie: " + c[0])
	}
	if req.Method == http.MethodPost {
		_, _ = w.out.WriteString("\r\nContent-Length: " + strconv.FormatInt(req.ContentLength, 10))
	}
	_, _ = w.out.WriteString("\r\n\r\n")
	if req.Body != nil {
		if _, err := io.Copy(w.out, req.Body); err != nil {
			return err
		}
	}
	return w.out.Flush()
}

// lineBody is an answer's body.
type lineBody struct {
	io.ReadCloser
	line  *line
	wire  *wire
	stop  func() bool
	keep  bool
	ended bool
}

func (b *lineBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.ended = b.ended || errors.Is(err, io.EOF)
	return n, err
}

// Close gives the connection back, or closes it if it cannot be used again.
func (b *lineBody) Close() error {
	if !b.stop() || !b.keep || !b.ended {
		return b.wire.conn.Close()
	}
	b.line.mu.Lock()
	defer b.line.mu.Unlock()
	b.line.idle = append(b.line.idle, b.wire)
	return nil
}

// close closes what is idle. Nothing may be under way.
func (l *line) close() {
	for w := l.take(); w != nil; w = l.take() {
		_ = w.conn.Close()
	}
}
