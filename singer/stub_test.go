package singer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
)

// clockAtStart is the stub's server clock when it is made; the example in the
// package comment uses it too.
const clockAtStart = proto.Clock(1000000)

// reply is what the stub answers to one POST. The zero value is a good answer
// of silence, at once.
type reply struct {
	delay    time.Duration
	status   int    // 200 if 0
	message  string // body of what is not 200
	shift    int    // how far client_read_clock is behind the request
	frames   int    // of audio; 10 if 0
	samples  int    // what the metadata says; that of the frames if 0
	moved    *int   // delay_seconds
	header   string // X-Audio-Metadata; the right one if empty
	metadata string // the right one if empty
	cut      int    // bytes missing at the end
	err      error  // no answer at all
}

// seen is a request as it reached the stub.
type seen struct {
	method string
	query  url.Values
	body   []byte
	cookie string
	at     time.Duration // since the stub was made
}

func (s seen) has(key string) bool { return s.query.Get(key) != "" }

// stub is a server in the place of a transport. It is made for bubbles of fake
// time.
type stub struct {
	rtt    time.Duration      // of the clock request
	clock  func(n int) *reply // how the n-th clock request fails; nil for well
	answer func(k int) reply  // answers the k-th POST, counted from 1

	start time.Time

	mu       sync.Mutex
	gets     []seen
	posts    []seen
	underway int
}

func newStub() *stub { return &stub{start: time.Now()} }

// RoundTrip is the transport.
func (s *stub) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	got := seen{r.Method, r.URL.Query(), body, r.Header.Get("Cookie"), time.Since(s.start)}
	s.mu.Lock()
	s.underway++
	what := reply{delay: s.rtt}
	if r.Method == http.MethodGet {
		s.gets = append(s.gets, got)
		if s.clock != nil {
			if bad := s.clock(len(s.gets)); bad != nil {
				what = *bad
			}
		}
	} else {
		s.posts = append(s.posts, got)
		what = reply{}
		if s.answer != nil {
			what = s.answer(len(s.posts))
		}
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.underway--
		s.mu.Unlock()
	}()
	clock := s.now()
	timer := time.NewTimer(what.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if what.err != nil {
		return nil, what.err
	}
	if r.Method == http.MethodGet {
		return what.clockAnswer(clock), nil
	}
	return what.songAnswer(got.query)
}

func (s *stub) now() proto.Clock { return clockAtStart.Add(proto.DurationSamples(time.Since(s.start))) }

func (s *stub) seen() (gets, posts []seen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gets, s.posts
}

func (a reply) response(header any, body []byte) *http.Response {
	text, err := json.Marshal(header)
	if err != nil {
		panic(err)
	}
	if a.header != "" {
		text = []byte(a.header)
	}
	h := http.Header{"X-Audio-Metadata": {string(text)}, "Set-Cookie": {"brigade=c00k1e; Path=/"}}
	status := a.status
	if status == 0 {
		status = http.StatusOK
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(bytes.NewReader(body))}
}

func (a reply) clockAnswer(clock proto.Clock) *http.Response {
	return a.response(proto.ClockHeader{ServerClock: clock, ServerSampleRate: proto.SampleRate}, []byte("ok"))
}

func (a reply) songAnswer(q url.Values) (*http.Response, error) {
	if a.status != 0 && a.status != http.StatusOK {
		return a.response(proto.KillHeader{KillClient: true, Message: a.message}, []byte(a.message+"\n")), nil
	}
	var read proto.Clock
	if _, err := fmt.Sscan(q.Get("read_clock"), &read); err != nil {
		return nil, err
	}
	frames := a.frames
	if frames == 0 {
		frames = 10
	}
	packed, err := codec.NewEncoder().AppendPacked(nil, make([]float32, frames*proto.FrameSamples))
	if err != nil {
		return nil, err
	}
	md := proto.Metadata{
		ServerClock: read, ClientReadClock: read.Add(-a.shift), Samples: frames * proto.FrameSamples,
		Events: []proto.Event{}, Chats: []proto.Chat{}, News: proto.News{DelaySeconds: a.moved},
	}
	if a.samples != 0 {
		md.Samples = a.samples
	}
	text, err := json.Marshal(md)
	if err != nil {
		return nil, err
	}
	if a.metadata != "" {
		text = []byte(a.metadata)
	}
	body := append(append(append([]byte(nil), text...), 0, 0), packed...)
	return a.response(proto.LengthHeader{MetadataLen: len(text)}, body[:len(body)-a.cut]), nil
}

// connected is a singer at the stub, connected.
func connected(t *testing.T, s *stub, cfg Config) *Singer {
	t.Helper()
	cfg.URL, cfg.User, cfg.Transport = "http://brigade.test/api/01", 7, s
	who := New(cfg)
	if err := who.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	return who
}
