package brigade

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"

	"bucketbrigade/proto"
)

const (
	epoch = proto.Clock(86_400_000_000_000)
	frame = proto.FrameSamples
)

// room is a brigade with a short ring under test, its clock, and what is needed
// to ask it things.
type room struct {
	t   reporter
	b   *Brigade
	rng *rand.PCG
	now proto.Clock
	ans proto.Answer
}

// reporter is what a test and a drawn test have in common.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Error(args ...any)
	Fatal(args ...any)
}

// ringSeconds is long enough for what the tests do and short enough to look at
// every sample often.
const ringSeconds = 12

func newRoom(t reporter, c Config) *room { return newRoomOf(t, c, ringSeconds) }

func newRoomOf(t reporter, c Config, seconds int) *room {
	rng := rand.NewPCG(7, 11)
	c.Rand = rand.New(rng)
	return &room{t: t, b: newBrigade(c, seconds*proto.SampleRate), rng: rng, now: epoch}
}

// params are the parameters of a query beyond the usual ones.
type params map[string]string

// singer is one client with its clocks.
type singer struct {
	r       *room
	id      proto.UserID
	name    string
	session proto.Session
	addr    string
	read    proto.Clock // end of the last read
	write   proto.Clock // end of the last write
	sings   bool
	fresh   bool
}

// join makes a singer that stands delay samples behind the clock and writes lag
// samples behind what it reads; lag 0: it does not write.
func (r *room) join(id proto.UserID, delay, lag int) *singer {
	s := &singer{r: r, id: id, name: "u" + id.String(), read: r.now.Add(-delay), fresh: true}
	s.write, s.sings = s.read.Add(-lag), lag != 0
	return s
}

// request makes the next request of n samples of value x.
func (s *singer) request(n int, x float32, p params) *proto.Request {
	v := url.Values{}
	v.Set("userid", s.id.String())
	v.Set("username", s.name)
	v.Set("n_samples", strconv.Itoa(n))
	v.Set("read_clock", s.read.Add(n).String())
	if s.sings {
		v.Set("write_clock", s.write.Add(n).String())
	}
	if s.fresh {
		v.Set("reset_user_state", "true")
	}
	for k, val := range p {
		if val == "" {
			v.Del(k)
		} else {
			v.Set(k, val)
		}
	}
	return &proto.Request{
		QueryString: v.Encode(), Session: s.session, ClientAddress: s.addr,
		PCM: slices.Repeat([]float32{x}, n),
	}
}

// done moves the singer's clocks past a request that was carried out.
func (s *singer) done(n int) {
	s.read, s.write, s.fresh = s.read.Add(n), s.write.Add(n), false
}

// try sends a request and gives the refusal, if any.
func (r *room) try(req *proto.Request) *proto.Refusal {
	r.b.Handle(r.now, req, &r.ans)
	return r.ans.Refusal()
}

// must sends a request that has to be carried out.
func (r *room) must(req *proto.Request) proto.Metadata {
	r.t.Helper()
	if ref := r.try(req); ref != nil {
		r.t.Fatalf("refused: %d %s\n%.300s", ref.Code, ref.Reason, req.QueryString)
	}
	return r.metadata()
}

func (r *room) metadata() proto.Metadata {
	r.t.Helper()
	var m proto.Metadata
	if err := json.Unmarshal([]byte(r.ans.Metadata), &m); err != nil {
		r.t.Fatalf("metadata %q: %v", r.ans.Metadata, err)
	}
	return m
}

// ask makes the singer's next request of one frame.
func (s *singer) ask(p params) proto.Metadata {
	s.r.t.Helper()
	m := s.r.must(s.request(frame, 0, p))
	s.done(frame)
	return m
}

// sing is ask with audio.
func (s *singer) sing(x float32, p params) proto.Metadata {
	s.r.t.Helper()
	m := s.r.must(s.request(frame, x, p))
	s.done(frame)
	return m
}

// audio is what the last answer carries.
func (r *room) audio() []float32 {
	pcm := make([]float32, r.b.Samples())
	r.b.Mix(pcm)
	return pcm
}

// list is the user list of the last answer.
func (r *room) list() []proto.SummaryUser {
	r.t.Helper()
	users, err := proto.ParseSummary(r.ans.Summary)
	if err != nil {
		r.t.Fatal(err)
	}
	return users
}

// pass lets time go by without a tick.
func (r *room) pass(samples int) { r.now = r.now.Add(samples) }

// digest sums up everything that the brigade remembers.
func (r *room) digest() string {
	b, h := r.b, fnv.New64a()
	src, err := r.rng.MarshalBinary()
	if err != nil {
		r.t.Fatal(err)
	}
	fmt.Fprintf(h, "%x %+v %+v %v %v %v %v %+v|", src, b.state, b.events, b.started, b.cleared, b.lastRequest,
		b.requested, b.list)
	fmt.Fprintf(h, "%+v %+v %d %v|", b.take, b.mixing, b.mixedSince, b.ring.changed)
	fmt.Fprintf(h, "%v %q %d|", b.control.took, b.control.done, b.control.next)
	fmt.Fprintf(h, "%d %d %v|", len(b.users.byID), b.users.active, b.ring.low)
	if b.users.oldestActive != nil {
		fmt.Fprint(h, b.users.oldestActive.id)
	}
	for m := b.users.newest; m != nil; m = m.older {
		fmt.Fprintf(h, "%+v %v|", m.user, m.active)
	}
	return fmt.Sprintf("%x %x", h.Sum(nil), r.ringSum())
}

// ringSum is a checksum of all rings. This one the processor does, also where the
// race detector looks on.
func (r *room) ringSum() uint32 {
	h := crc32.NewIEEE()
	for _, samples := range append([][]float32{r.b.ring.Audio, r.b.ring.Backing, r.b.ring.Monitor}, r.b.ring.Stems...) {
		_, _ = h.Write(bytesOf(samples))
	}
	_, _ = h.Write(bytesOf(r.b.ring.People))
	return h.Sum32()
}
