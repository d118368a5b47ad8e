package shard

import (
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"bucketbrigade/brigade"
	"bucketbrigade/codec"
	"bucketbrigade/proto"
)

// hall is a brigade behind a shard, and the clock of both, which goes only when
// told.
type hall struct {
	t     *testing.T
	shard *Server

	mu      sync.Mutex
	brigade *brigade.Brigade
	clock   proto.Clock
	// sent counts samples from brigade to shard and back.
	sent, brought int
	calls         int
}

// boot is what the boot clock shows when the hall opens.
const boot = 1000 * time.Second

func newHall(t *testing.T, adjust func(*Config)) *hall {
	t.Helper()
	h := &hall{t: t, brigade: brigade.New(brigade.Config{}), clock: 86_400_000_000_000}
	start := h.clock
	h.shard = newTestServer(t, backendFunc(h.call), adjust)
	h.shard.time.boot = func() time.Duration { return boot + proto.SamplesDuration(h.now().Sub(start)) }
	h.shard.time.refresh(t.Context())
	return h
}

func (h *hall) now() proto.Clock {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clock
}

// pass lets time go by.
func (h *hall) pass(samples int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock = h.clock.Add(samples)
}

func (h *hall) call(req *proto.Request, ans *proto.Answer) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	pcm, summary := ans.PCM[:0], ans.Summary[:0]
	h.calls++
	h.brought += len(req.PCM)
	h.brigade.Handle(h.clock, req, ans)
	summary = append(summary, ans.Summary...)
	pcm = append(pcm, make([]float32, h.brigade.Samples())...)
	h.brigade.Mix(pcm)
	ans.PCM, ans.Summary = pcm, summary
	h.sent += len(pcm)
	return nil
}

// guest is a client in the hall that hears and, if it has a voice, sings.
type guest struct {
	h       *hall
	shard   *Server
	id      int
	read    proto.Clock
	fresh   bool
	encoder *codec.Encoder
	decoder *codec.Decoder
	voice   func(dst []float32, at proto.Clock)
	lag     int        // from what it hears to what it sings
	wish    url.Values // with the next request

	heard []float32   // since from
	from  proto.Clock // the position of the first sample heard
	last  proto.Metadata
}

// enter brings in a guest that stands delay samples behind.
func (h *hall) enter(id, delay int) *guest {
	g := &guest{h: h, shard: h.shard, id: id, read: h.now().Add(-delay), lag: 57000}
	g.restart()
	return g
}

// restart makes the guest connect anew, at the same clocks.
func (g *guest) restart() {
	g.fresh, g.heard, g.from = true, nil, 0
	g.encoder, g.decoder = codec.NewBrowserEncoder(), codec.NewDecoder()
}

// step makes one request of n samples.
func (g *guest) step(n int, extra url.Values) {
	t := g.h.t
	t.Helper()
	g.read = g.read.Add(n)
	q := url.Values{"username": {"g"}}
	if g.fresh {
		q.Set("reset_user_state", "true")
		g.fresh = false
	}
	var body []byte
	if g.voice != nil && g.from != 0 {
		write := g.read.Add(-g.lag)
		q.Set("write_clock", write.String())
		pcm := make([]float32, n)
		g.voice(pcm, write.Add(-n))
		var err error
		if body, err = g.encoder.AppendPacked(nil, pcm); err != nil {
			t.Fatal(err)
		}
	}
	for k, v := range extra {
		q[k] = v
	}
	w := ask(g.shard, http.MethodPost, target(g.id, g.read, n, q), body)
	if w.Code != http.StatusOK {
		t.Fatalf("guest %d: %d %s", g.id, w.Code, w.Body)
	}
	g.hear(w.Header().Get(metadataHeader), w.Body.Bytes(), n)
}

// hear takes an answer apart: what it brings must join on to what came before.
func (g *guest) hear(header string, body []byte, n int) {
	t := g.h.t
	t.Helper()
	var length proto.LengthHeader
	if err := json.Unmarshal([]byte(header), &length); err != nil {
		t.Fatal(err)
	}
	g.last = proto.Metadata{}
	if err := json.Unmarshal(body[:length.MetadataLen], &g.last); err != nil {
		t.Fatal(err)
	}
	_, rest, err := proto.CutSummary(body[length.MetadataLen:])
	if err != nil {
		t.Fatal(err)
	}
	packets, err := proto.ParsePackets(nil, rest)
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]float32, 0, n+proto.FrameSamples)
	for _, p := range packets {
		if pcm, err = g.decoder.Decode(pcm, p); err != nil {
			t.Fatal(err)
		}
	}
	end := g.last.ClientReadClock
	if len(pcm) != n || g.last.Samples != n || g.from != 0 && g.from.Add(len(g.heard)) != end.Add(-n) {
		t.Fatalf("guest %d: %d samples up to %d, said are %d; heard so far [%d, %d)",
			g.id, len(pcm), end, g.last.Samples, g.from, g.from.Add(len(g.heard)))
	}
	if g.from == 0 {
		g.from = end.Add(-n)
	}
	g.heard = append(g.heard, pcm...)
}

// at is what was heard at [from, from+n).
func (g *guest) at(from proto.Clock, n int) []float32 {
	g.h.t.Helper()
	i := from.Sub(g.from)
	if i < 0 || i+n > len(g.heard) {
		g.h.t.Fatalf("guest %d heard [%d, %d), not [%d, %d)", g.id, g.from, g.from.Add(len(g.heard)), from, from.Add(n))
	}
	return g.heard[i : i+n]
}

// ratio is how far got is from want, in dB; both are delayed alike.
func ratio(want, got []float32) float64 {
	var signal, noise float64
	for i := range want {
		d := float64(got[i] - want[i])
		signal += float64(want[i]) * float64(want[i])
		noise += d * d
	}
	return 10 * math.Log10(signal/noise)
}

// singing is a voice that goes on for ever.
func singing(pcm []float32) func([]float32, proto.Clock) {
	return func(dst []float32, at proto.Clock) {
		for i := range dst {
			dst[i] = pcm[(int(at)+i)%len(pcm)]
		}
	}
}
