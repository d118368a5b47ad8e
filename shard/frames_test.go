package shard

import (
	"bytes"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
)

// First bytes of CELT packets of one frame (RFC 6716, 3.1).
const (
	celt5ms  = 29 << 3
	celt20ms = 31 << 3
)

// packed packs n packets.
func packed(n int, packet func() []byte) []byte {
	b := proto.AppendPacking(nil, n)
	for range n {
		b = proto.AppendPacket(b, packet())
	}
	return b
}

func TestShortPacketsFillTheLongestRequest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		packets int
		packet  []byte
	}{
		{"51 of 20 ms", 51, []byte{celt20ms}},
		{"204 of 5 ms", 204, []byte{celt5ms}},
		{"17 lost", 17, nil},
	} {
		b := &stub{clock: now}
		s := newTestServer(t, b, nil)
		body := packed(c.packets, func() []byte { return c.packet })
		w := ask(s, http.MethodPost, target(7, now, proto.MaxSamples, nil), body)
		if w.Code != 200 || len(b.last.PCM) != proto.MaxSamples {
			t.Errorf("%s: %d, %d samples reached the state, want %d", c.name, w.Code, len(b.last.PCM), proto.MaxSamples)
		}
	}
}

// Bytes that no encoder made are legal packets and decode to anything.
func TestAudioBeyondAnyLevelDoesNotReachTheState(t *testing.T) {
	t.Parallel()
	loudest := float32(0)
	silent := &stub{clock: now}
	b := backendFunc(func(req *proto.Request, ans *proto.Answer) error {
		for _, x := range req.PCM {
			loudest = max(loudest, float32(math.Abs(float64(x))))
		}
		return silent.Call(t.Context(), req, ans)
	})
	s := newTestServer(t, b, nil)
	r := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for k := range 60 {
		body := packed(51, func() []byte {
			p := make([]byte, 1+r.IntN(1200))
			for i := range p {
				p[i] = byte(r.Uint32())
			}
			p[0] = celt20ms
			return p
		})
		w := ask(s, http.MethodPost, target(7, now.Add(k*proto.MaxSamples), proto.MaxSamples, nil), body)
		switch {
		case w.Code == 400 && strings.Contains(killMessage(t, w), "1000"):
			refused++
			if s.roster.singers[testKey] != nil {
				t.Error("the decoder that gave this outlived it")
			}
		case w.Code != 200:
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	if refused == 0 {
		t.Error("none of the packets was too loud: nothing was tested")
	}
	if loudest > proto.MaxLevel {
		t.Errorf("a sample of %g reached the state, at most %d may", loudest, proto.MaxLevel)
	}
}

// Not parallel: allocations are counted.
func TestFramesDoNotAllocate(t *testing.T) {
	s := newHandlerOnly(&stub{clock: now})
	m := s.scratch.Get().(*scratch)
	v := &singer{decoder: codec.NewDecoder()}
	song := &song{samples: batch}
	var err error
	if song.packets, err = proto.ParsePackets(nil, sung(t, 10)); err != nil {
		t.Fatal(err)
	}
	allocs := testing.AllocsPerRun(20, func() {
		if err := s.decode(v, song, m); err != nil {
			t.Fatal(err)
		}
		m.ans.PCM = m.pcm
		if err = s.encodePlain(&v.listener, song, m); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%g allocations in 10 frames decoded and encoded, want 0", allocs)
	}
}

// sink is an answer that nobody keeps.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(int)             {}

// BenchmarkRequest is a singer's request of 600 ms without socket and state:
// parsing, decoding, encoding, answering.
func BenchmarkRequest(b *testing.B) {
	pcm := make([]float32, proto.MaxSamples)
	s := newHandlerOnly(backendFunc(func(req *proto.Request, ans *proto.Answer) error {
		ans.Metadata, ans.Summary, ans.PCM = "{}", append(ans.Summary[:0], 0, 0), pcm[:len(req.PCM)]
		return nil
	}))
	h := s.Handler()
	song := make([]float32, batch)
	for i := range song {
		song[i] = 0.2 * float32(math.Sin(float64(i)/40))
	}
	body, err := codec.NewBrowserEncoder().AppendPacked(nil, song)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		extra := url.Values{"write_clock": {now.Add(i*batch - 60000).String()}, "username": {"ann"}, "user_summary": {"1"}}
		r := httptest.NewRequest(http.MethodPost, target(7, now.Add(i*batch), batch, extra), io.NopCloser(bytes.NewReader(body)))
		r.AddCookie(&http.Cookie{Name: cookieName, Value: testCookie})
		h.ServeHTTP(&sink{make(http.Header)}, r)
	}
	if s.roster.len() != 1 {
		b.Fatal("the singer was refused")
	}
}
