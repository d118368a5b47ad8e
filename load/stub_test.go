package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
	"bucketbrigade/singer"
)

// stub is a server in the place of a transport, for bubbles of fake time. It
// answers silence and checks that each singer's clocks join on.
type stub struct {
	// stall tells how long what comes at a time since the start is held back.
	stall func(at time.Duration) time.Duration
	// late is how much longer the clock takes from late.from on.
	late struct{ from, by time.Duration }
	// change may spoil a good answer.
	change func(query map[string]string, m *proto.Metadata) (status int)

	start   time.Time
	silence []byte

	mu     sync.Mutex
	posts  []map[string]string // queries, with the time in "at" and the body's length in "body"
	gets   []time.Duration
	read   map[string]proto.Clock
	faults []string
}

func newStub() *stub {
	silence, err := codec.NewEncoder().AppendPacked(nil, make([]float32, singer.BatchSamples))
	if err != nil {
		panic(err)
	}
	return &stub{start: time.Now(), silence: silence, read: map[string]proto.Clock{}}
}

func (s *stub) since() time.Duration { return time.Since(s.start) }

// RoundTrip is the transport.
func (s *stub) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	came := s.since()
	if r.Method == http.MethodPost {
		s.checkClock(r.URL.Query(), came)
	}
	clock := proto.ClockAt(time.Now())
	wait := 4 * time.Millisecond
	if s.stall != nil {
		wait += s.stall(came)
	}
	if r.Method == http.MethodGet && came >= s.late.from {
		wait += s.late.by
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if r.Method == http.MethodGet {
		s.mu.Lock()
		s.gets = append(s.gets, came)
		s.mu.Unlock()
		return respond(http.StatusOK, proto.ClockHeader{ServerClock: clock, ServerSampleRate: proto.SampleRate}, []byte("ok")), nil
	}
	return s.post(r, body, came), nil
}

// checkClock sees whether a request joins on to the one before.
func (s *stub) checkClock(q url.Values, came time.Duration) {
	user := q.Get("userid")
	var read proto.Clock
	fmt.Sscan(q.Get("read_clock"), &read)
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := s.read[user]; q.Get("reset_user_state") == "" && read.Sub(last) != singer.BatchSamples {
		s.faults = append(s.faults, fmt.Sprintf("%s reads %d after %d", user, read, last))
	}
	if now := proto.ClockAt(s.start.Add(came)); read > now.Add(100) {
		s.faults = append(s.faults, fmt.Sprintf("%s reads %d, it is %d", user, read, now))
	}
	s.read[user] = read
}

func (s *stub) post(r *http.Request, body []byte, came time.Duration) *http.Response {
	q := map[string]string{"at": fmt.Sprint(came.Milliseconds()), "body": fmt.Sprint(len(body)), "cookie": r.Header.Get("Cookie")}
	for key, values := range r.URL.Query() {
		q[key] = values[0]
	}
	var read proto.Clock
	fmt.Sscan(q["read_clock"], &read)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posts = append(s.posts, q)
	m := proto.Metadata{
		ServerClock: proto.ClockAt(time.Now()), ClientReadClock: read.Add(-100), Samples: singer.BatchSamples,
		Events: []proto.Event{}, Chats: []proto.Chat{},
	}
	status := http.StatusOK
	if s.change != nil {
		status = s.change(q, &m)
	}
	text, _ := json.Marshal(m)
	return respond(status, proto.LengthHeader{MetadataLen: len(text)}, append(append(text, 0, 0), s.silence...))
}

func respond(status int, header any, body []byte) *http.Response {
	text, _ := json.Marshal(header)
	return &http.Response{
		StatusCode: status, Body: io.NopCloser(bytes.NewReader(body)),
		Header: http.Header{"X-Audio-Metadata": {string(text)}, "Set-Cookie": {"brigade=c00k1e; Path=/"}},
	}
}

// of gives the requests of one singer.
func (s *stub) of(user proto.UserID) (posts []map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.posts {
		if q["userid"] == user.String() {
			posts = append(posts, q)
		}
	}
	return posts
}

// quiet is a scenario in which nobody does anything.
func quiet(more string) *Scenario {
	s, err := ParseScenario("quiet", strings.NewReader(`{"voices": {"silence": 1}`+more+`}`))
	if err != nil {
		panic(err)
	}
	return s
}
