package shard

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// counting counts what reaches the kernel.
type counting struct {
	net.Conn
	writes *atomic.Int64
}

func (c counting) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// serveLarge serves answers of three pieces on pipes, each by atOnce.
func serveLarge(t *testing.T) (p *pipes, body []byte) {
	body = bytes.Repeat([]byte("0123456789"), 2000)
	p = &pipes{dialled: make(chan net.Conn), closed: make(chan struct{})}
	srv := &http.Server{ConnContext: withConn, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "20000")
		atOnce(w, r, nil, func() {
			_, _ = w.Write(body[:300])
			_, _ = w.Write(body[300:9000])
			_, _ = w.Write(body[9000:])
		})
	})}
	served := make(chan struct{})
	go func() { defer close(served); _ = srv.Serve(gatherer{p}) }()
	t.Cleanup(func() { _ = srv.Close(); <-served })
	return p, body
}

func TestAnAnswerLeavesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, body := serveLarge(t)
		client, server := net.Pipe()
		defer client.Close()
		var writes atomic.Int64
		p.dialled <- counting{server, &writes}
		in := bufio.NewReader(client)
		for n := range int64(3) {
			send(t, client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || !bytes.Equal(got, body) {
				t.Fatalf("answer %d: %d bytes, %v", n, len(got), err)
			}
			if w := writes.Load(); w != n+1 {
				t.Errorf("%d answers took %d writes", n+1, w)
			}
		}
	})
}

func TestAHalfTakenAnswerEndsTheConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, _ := serveLarge(t)
		c := p.dial()
		defer c.Close()
		start := time.Now()
		send(t, c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if _, err := io.ReadFull(c, make([]byte, 5000)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		<-time.After(2 * answerTimeout)
		n, err := io.Copy(io.Discard, c)
		if err != nil || n != 0 {
			t.Errorf("%d bytes more, %v, %v after the request; want the end", n, err, time.Since(start))
		}
	})
}
