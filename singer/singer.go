package singer

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"time"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
)

const (
	// BatchSamples is the audio of one request: 600 ms.
	BatchSamples = 10 * proto.FrameSamples
	// Pace is the time between two requests.
	Pace = 600 * time.Millisecond
	// DefaultLag is how far the sung audio is behind the heard, in samples.
	DefaultLag = 60000
)

// Config says who sings, where and what. URL and User are needed.
type Config struct {
	// URL is the API's, such as http://127.0.0.1:8080/api/01.
	URL  string
	User proto.UserID
	Name string
	// Offset is how many seconds behind the leader the singer first stands; 3
	// if 0. An assignment by the server changes it.
	Offset int
	// Spectator never sends audio.
	Spectator bool
	// Voice fills dst with what is sung at the positions from start on. It is
	// called in order, without gaps between two connections. nil sings silence.
	Voice func(dst []float32, start proto.Clock)
	// Packed gives the packing of the batch that ends at write, in place of Voice:
	// what was encoded once serves many singers, and costs nothing.
	Packed func(write proto.Clock) []byte
	// Deaf leaves what is heard undecoded: answers have no PCM.
	Deaf bool
	// Lag is DefaultLag if 0.
	Lag int
	// Transport carries the requests; http.DefaultTransport if nil. Cookies are
	// the singer's own in any case.
	Transport http.RoundTripper
}

// Singer is one connected, or not yet connected, browser.
type Singer struct {
	cfg     Config
	http    *http.Client
	encoder *codec.Encoder
	decoder *codec.Decoder

	offset  int
	read    proto.Clock // end of the last interval asked for
	begun   bool        // a request was sent since the connection was made
	told    bool        // an answer came since
	fresh   bool        // an answer came since the last request
	write   proto.Clock // end of the last audio sent
	writing bool
	shift   int // read minus heard

	pcm []float32
}

// New makes a singer.
func New(cfg Config) *Singer {
	if cfg.Offset == 0 {
		cfg.Offset = proto.BucketSeconds
	}
	if cfg.Lag == 0 {
		cfg.Lag = DefaultLag
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic("singer: " + err.Error()) // never: there are no options
	}
	return &Singer{
		cfg:    cfg,
		http:   &http.Client{Transport: cfg.Transport, Jar: jar},
		offset: cfg.Offset,
		pcm:    make([]float32, 0, BatchSamples),
	}
}

// Offset is how many seconds behind the leader's clock the singer stands.
func (s *Singer) Offset() int { return s.offset }

// Move makes the singer stand offset seconds behind from the next Connect on.
func (s *Singer) Move(offset int) { s.offset = offset }

// Connect asks for the clock and starts afresh: new codecs, new clocks.
func (s *Singer) Connect(ctx context.Context) error {
	asked := time.Now()
	clock, err := s.askClock(ctx)
	if err != nil {
		return err
	}
	rtt := time.Since(asked)
	s.read = clock.Add(proto.DurationSamples(rtt/2) - s.offset*proto.SampleRate)
	s.begun, s.told, s.fresh, s.writing = false, false, false, false
	s.encoder, s.decoder = codec.NewBrowserEncoder(), codec.NewDecoder()
	return nil
}

// request is one POST, ready to be sent.
type request struct {
	query url.Values
	body  []byte
	read  proto.Clock
}

// next makes the next request, with the one-shot parameters extra. What a
// client says of itself goes with the first request after an answer only: of
// two requests between two answers the second lacks it.
func (s *Singer) next(extra url.Values) (*request, error) {
	s.read = s.read.Add(BatchSamples)
	q := url.Values{
		"read_clock": {s.read.String()},
		"n_samples":  {strconv.Itoa(BatchSamples)},
		"userid":     {s.cfg.User.String()},
		"username":   {s.cfg.Name},
	}
	if !s.begun {
		q.Set("reset_user_state", "true")
		s.begun = true
	}
	if s.fresh {
		s.fresh = false
		q.Set("user_summary", "1")
		if s.cfg.Spectator {
			q.Set("spectator", "1")
		}
	}
	for k, v := range extra {
		q[k] = v
	}
	body, err := s.sing(q)
	return &request{query: q, body: body, read: s.read}, err
}

// sing encodes the next batch, once there is something to sing along with.
func (s *Singer) sing(q url.Values) ([]byte, error) {
	if !s.told || s.cfg.Spectator {
		return nil, nil
	}
	if !s.writing {
		s.writing = true
		s.write = s.read.Add(-s.shift - s.cfg.Lag - BatchSamples)
	}
	start := s.write
	s.write = s.write.Add(BatchSamples)
	q.Set("write_clock", s.write.String())
	if s.cfg.Packed != nil {
		return s.cfg.Packed(s.write), nil
	}
	s.pcm = s.pcm[:BatchSamples]
	clear(s.pcm)
	if s.cfg.Voice != nil {
		s.cfg.Voice(s.pcm, start)
	}
	body, err := s.encoder.AppendPacked(nil, s.pcm)
	if err != nil {
		return nil, fmt.Errorf("singer %d: %w", s.cfg.User, err)
	}
	return body, nil
}

// accept takes an answer in: it must bring as much as was asked for and join on
// to the one before.
func (s *Singer) accept(req *request, a *Answer) error {
	if !s.cfg.Deaf {
		if err := a.decode(s.decoder); err != nil {
			return fmt.Errorf("singer %d: %w", s.cfg.User, err)
		}
	}
	if a.Metadata.Samples != BatchSamples {
		return fmt.Errorf("singer %d: %d samples came, %d were asked for", s.cfg.User, a.Metadata.Samples, BatchSamples)
	}
	shift := req.read.Sub(a.Metadata.ClientReadClock)
	if s.told && shift != s.shift {
		return fmt.Errorf("singer %d: answers do not join: client_read_clock is %d behind the request, it was %d",
			s.cfg.User, shift, s.shift)
	}
	s.told, s.fresh, s.shift = true, true, shift
	return nil
}

// Step sends one request, with extra parameters, and waits for the answer. It
// does not pace itself. An error ends the connection: Connect again.
func (s *Singer) Step(ctx context.Context, extra url.Values) (*Answer, error) {
	req, err := s.next(extra)
	if err != nil {
		return nil, err
	}
	a, err := s.post(ctx, req)
	if err != nil {
		return nil, err
	}
	return a, s.accept(req, a)
}
