package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"bucketbrigade/brigade"
	"bucketbrigade/codec"
	"bucketbrigade/proto"
	"bucketbrigade/shard"
	"bucketbrigade/singer"
	"bucketbrigade/voice"
)

// unitRoom is a brigade in this process in which singers take turns, one request
// of 600 ms each in a round of 600 ms, by a clock of its own. One goroutine owns
// all of it.
//
//	round r   | singer 0 | singer 1 | … | singer n-1 |
//	clock     r·600 ms ……………………………………………………………… (r+1)·600 ms
type unitRoom struct {
	inner   bool
	brigade *brigade.Brigade
	server  *shard.Server // nil if inner
	handler http.Handler
	singers []unitSinger
	voices  []unitVoice
	round   int
	now     proto.Clock

	pcm, heard []float32 // of the request at hand
	answer     proto.Answer
	answered   int // bytes of the shard's last answer
}

// unitSinger is one who sings.
type unitSinger struct {
	cookie string
	begun  bool
}

// unitVoice is what is sung over and over, by several.
type unitVoice struct {
	pcm    [][]float32
	packed [][]byte // nil if inner
}

const (
	unitBatches = 8
	unitEpoch   = proto.Clock(86_400_000_000_000)
	// unitRounds is after how many rounds even the sixth bucket, 15 s behind the
	// first, hears the song.
	unitRounds = 28
	// unitFew sing until then; that is enough to be heard.
	unitFew = 12
	// unitSettle is how many rounds all sing before time is counted.
	unitSettle = 3
)

func newUnitRoom(cfg unitConfig) (*unitRoom, error) {
	r := &unitRoom{
		inner:   cfg.inner,
		brigade: brigade.New(brigade.Config{MaxUsers: max(cfg.users, proto.DefaultMaxUsers)}),
		singers: make([]unitSinger, cfg.users),
		pcm:     make([]float32, singer.BatchSamples),
		heard:   make([]float32, singer.BatchSamples),
	}
	for i := range cfg.voices {
		v, err := newUnitVoice(uint64(i), !cfg.inner)
		if err != nil {
			return nil, err
		}
		r.voices = append(r.voices, v)
	}
	if cfg.inner {
		return r, nil
	}
	var err error
	r.server, err = shard.New(shard.Config{
		Backend: unitBackend{r}, RefusalDelay: -1, MaxSingers: cfg.users,
		// The shard's time is the room's, or it would see everybody drift.
		SinceBoot: func() time.Duration { return proto.SamplesDuration(r.now.Sub(unitEpoch)) },
		Log:       slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		return nil, err
	}
	r.handler = r.server.Handler()
	return r, r.tellClock()
}

// tellClock asks the shard for the clock, as a client that connects does.
func (r *unitRoom) tellClock() error {
	r.now = unitEpoch
	req := r.post(0, "", nil)
	req.Method = http.MethodGet
	return r.serve(0, req)
}

func newUnitVoice(seed uint64, pack bool) (v unitVoice, err error) {
	sound := voice.Render(voice.NewSung(voice.SungConfig{Seed: seed}), unitBatches*singer.BatchSamples)
	v.pcm = slices.Collect(slices.Chunk(sound, singer.BatchSamples))
	if !pack {
		return v, nil
	}
	e := codec.NewBrowserEncoder()
	for _, part := range v.pcm {
		packed, err := e.AppendPacked(nil, part)
		if err != nil {
			return v, err
		}
		v.packed = append(v.packed, packed)
	}
	return v, nil
}

func (r *unitRoom) close() {
	if r.server != nil {
		_ = r.server.Close() // it never served
	}
}

// warm lets the song get everywhere, and everybody sing.
func (r *unitRoom) warm(ctx context.Context) error {
	for round := range unitRounds + unitSettle {
		singing := len(r.singers)
		if round < unitRounds {
			singing = min(singing, unitFew)
		}
		for i := range singing {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := r.prepare(i)(); err != nil {
				return err
			}
		}
		r.round++
	}
	return nil
}

// prepare makes the next request of singer i; do carries it out.
func (r *unitRoom) prepare(i int) (do func() error) {
	r.now = unitEpoch.Add(r.round*singer.BatchSamples + i*singer.BatchSamples/len(r.singers))
	v := r.voices[i%len(r.voices)]
	part := (r.round + i) % unitBatches
	query := r.query(i)
	r.singers[i].begun = true
	if r.inner {
		copy(r.pcm, v.pcm[part]) // it may be changed
		query += "&rms_volume=" + strconv.FormatFloat(codec.RMS(r.pcm), 'g', 6, 64)
		req := &proto.Request{
			QueryString: query, ClientAddress: "127.0.0.1",
			Session: proto.Session("cookie:" + strconv.Itoa(i)), PCM: r.pcm,
		}
		return func() error { return r.handle(req) }
	}
	req := r.post(i, query, v.packed[part])
	return func() error { return r.serve(i, req) }
}

// query is what a web client asks. Singers stand in six buckets and write what
// they heard a second and a quarter before.
func (r *unitRoom) query(i int) string {
	read := r.now.Add(-(1 + i%brigade.Buckets) * proto.BucketSeconds * proto.SampleRate)
	q := url.Values{
		"read_clock":   {read.String()},
		"write_clock":  {read.Add(-singer.DefaultLag).String()},
		"n_samples":    {strconv.Itoa(singer.BatchSamples)},
		"userid":       {strconv.Itoa(1 + i)},
		"username":     {"singer " + strconv.Itoa(i)},
		"user_summary": {"1"},
	}
	if s := r.singers[i]; !s.begun {
		q.Set("reset_user_state", "true")
		if i == 0 {
			q.Set("mark_start_singing", "1")
		}
	}
	return q.Encode()
}

// handle carries out the state server's part.
func (r *unitRoom) handle(req *proto.Request) error {
	r.brigade.Handle(r.now, req, &r.answer)
	if refusal := r.answer.Refusal(); refusal != nil {
		return fmt.Errorf("refused: %w", refusal)
	}
	n := r.brigade.Samples()
	if n != len(r.heard) {
		return fmt.Errorf("%d samples came, %d were asked for", n, len(r.heard))
	}
	r.brigade.Mix(r.heard)
	return nil
}

// post makes an HTTP request as it reaches a shard.
func (r *unitRoom) post(i int, query string, body []byte) *http.Request {
	req := &http.Request{
		Method: http.MethodPost, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "127.0.0.1",
		URL: &url.URL{Path: "/api/01", RawQuery: query}, RemoteAddr: "127.0.0.1:40000",
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
	if c := r.singers[i].cookie; c != "" {
		req.Header.Set("Cookie", c)
	}
	return req
}

// serve has the shard answer.
func (r *unitRoom) serve(i int, req *http.Request) error {
	w := unitAnswer{header: make(http.Header), status: http.StatusOK}
	r.handler.ServeHTTP(&w, req)
	r.answered = w.bytes
	if w.status != http.StatusOK {
		return fmt.Errorf("singer %d: status %d: %s", i, w.status, strings.TrimSpace(w.reason))
	}
	if given := w.header.Get("Set-Cookie"); given != "" {
		r.singers[i].cookie, _, _ = strings.Cut(given, ";")
	}
	return nil
}

// unitAnswer takes an answer, of which only a refusal's words are kept.
type unitAnswer struct {
	header http.Header
	status int
	bytes  int
	reason string
}

func (w *unitAnswer) Header() http.Header    { return w.header }
func (w *unitAnswer) WriteHeader(status int) { w.status = status }

func (w *unitAnswer) Write(p []byte) (int, error) {
	w.bytes += len(p)
	if w.status != http.StatusOK {
		w.reason += string(p)
	}
	return len(p), nil
}

// unitBackend is the state server's part as the shard sees it.
type unitBackend struct{ room *unitRoom }

// Call carries req out, as shard.Backend says.
func (b unitBackend) Call(_ context.Context, req *proto.Request, ans *proto.Answer) error {
	summary, pcm := ans.Summary[:0], ans.PCM[:0]
	b.room.brigade.Handle(b.room.now, req, ans)
	// The brigade uses its memory again.
	ans.Summary, ans.Metadata = append(summary, ans.Summary...), strings.Clone(ans.Metadata)
	if ans.Span != nil {
		span := *ans.Span
		ans.Span = &span
	}
	n := b.room.brigade.Samples()
	ans.PCM = slices.Grow(pcm, n)[:n]
	if n > 0 {
		b.room.brigade.Mix(ans.PCM)
	}
	return nil
}
