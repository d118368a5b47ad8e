package shard

import (
	"context"
	"net"
	"net/http"
	"time"
)

// net/http sends an answer in pieces of 4 kB, and each piece is a system call for
// us and a waking for the proxy. So the connection gathers an answer and sends it
// as one:
//
//	handler ── header, metadata, summary, packets ──> net/http ── pieces ──> gathering ── one write ──> kernel

// gathering is a connection that can gather what is written to it. It belongs to
// the request that it carries.
type gathering struct {
	net.Conn
	on  bool
	out []byte
}

// Write writes p, or keeps it while answers are gathered.
func (c *gathering) Write(p []byte) (int, error) {
	if !c.on {
		return c.Conn.Write(p)
	}
	c.out = append(c.out, p...)
	return len(p), nil
}

// send ends the gathering: what came meanwhile is written. Who does not take all
// of it within answerTimeout loses the connection, for net/http takes it for sent.
func (c *gathering) send() {
	c.on = false
	_ = c.SetWriteDeadline(time.Now().Add(answerTimeout))
	if _, err := c.Conn.Write(c.out); err != nil {
		_ = c.Close()
	}
}

// gatherer is a listener whose connections can gather.
type gatherer struct{ net.Listener }

// Accept waits for a connection.
func (l gatherer) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &gathering{Conn: c}, nil
}

// connKey is what a request's context knows its connection by.
type connKey struct{}

// withConn lets requests find their connection.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// atOnce has write write an answer, which then leaves as one piece. buf is memory
// to use; what it has become is returned.
func atOnce(w http.ResponseWriter, r *http.Request, buf []byte, write func()) []byte {
	out := http.NewResponseController(w)
	c, ok := r.Context().Value(connKey{}).(*gathering)
	if !ok { // a listener of somebody else's
		_ = out.SetWriteDeadline(time.Now().Add(answerTimeout))
		write()
		_ = out.Flush()
		return buf
	}
	c.on, c.out = true, buf[:0]
	write()
	_ = out.Flush()
	c.send()
	buf, c.out = c.out, nil
	return buf
}
