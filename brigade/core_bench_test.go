package brigade

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bucketbrigade/durable"
	"bucketbrigade/proto"
	"bucketbrigade/voice"
)

// batch is the length of a web client's request: 600 ms.
const batch = 10 * frame

// bystanders is how many buffers a benchmark uses in turn for whatever lies in a
// segment, or is copied for comparison: together 3.7 MB each way, as much as six
// buckets touch of the ring between two singers of one bucket. Nothing has just
// been touched, and nothing has been gone for long.
const bystanders = 16

// settled is after how many requests of each singer those of the last bucket,
// 18 s and a client's delay behind the first, hear and sing in a song.
const settled = 34

// core is a room in which so many people sing, each with a request every 600 ms
// in turn, one bucket after the other, and what comes with their requests.
type core struct {
	r       *room
	singers []*singer
	list    bool // everybody asks for the user list
	full    bool // all samples are wanted; else none
	next    int
	pcm     [bystanders][]float32 // sung
	mixed   [bystanders][]float32
	from    [bystanders][]float32 // for comparison
	query   []byte
	req     proto.Request
	want    proto.Span
}

func newCore(t reporter, people, ringSize int) *core {
	return newCoreOf(t, Config{MaxUsers: people}, people, ringSize)
}

// newCommittedCore is a core that commits all to a store.
func newCommittedCore(t reporter, people, ringSize int) *core {
	l := StoreLayout(people, false, durable.Identity{})
	return newCoreOf(t, Config{MaxUsers: people, Store: durable.Format(make([]byte, l.Size()), l)}, people, ringSize)
}

func newCoreOf(t reporter, cfg Config, people, ringSize int) *core {
	c := &core{r: &room{t: t, b: newBrigade(cfg, ringSize), now: epoch}}
	for i := range bystanders {
		c.pcm[i] = voice.Render(voice.NewSung(voice.SungConfig{Seed: uint64(i)}), batch)
		c.mixed[i], c.from[i] = make([]float32, batch), slices.Clone(c.pcm[i])
	}
	for i := range people {
		// Everybody stands where it will when its turn comes.
		ahead := (i + 1) * batch / people
		s := c.r.join(proto.UserID(math.MaxUint64-uint64(i)), (1+i%Buckets)*3*proto.SampleRate+batch-ahead, 57600)
		s.name, s.addr = fmt.Sprintf("Singer%d", i), fmt.Sprintf("192.0.%d.%d", i/250, i%250)
		c.singers = append(c.singers, s)
	}
	c.full = true
	for i := range settled * people {
		c.prepare()
		if i == 0 {
			c.req.QueryString += "&mark_start_singing=1&bpm=120"
		}
		c.handle()
	}
	return c
}

// prepare makes the next singer's request as the web client and its shard do, in
// memory that the next one uses again.
func (c *core) prepare() {
	s := c.singers[c.next%len(c.singers)]
	c.r.now = c.now()
	q := append(c.query[:0], "read_clock="...)
	q = strconv.AppendInt(q, int64(s.read)+batch, 10)
	q = append(q, "&write_clock="...)
	q = strconv.AppendInt(q, int64(s.write)+batch, 10)
	q = append(q, "&n_samples=28800&userid="...)
	q = strconv.AppendUint(q, uint64(s.id), 10)
	q = append(q, "&username="...)
	q = append(q, s.name...)
	if s.fresh {
		q = append(q, "&reset_user_state=true"...)
	}
	if c.list {
		q = append(q, "&user_summary=1"...)
	}
	q = append(q, "&rms_volume=0.08356178493425924"...)
	c.query = q
	c.req = proto.Request{
		QueryString: view(q), ClientAddress: s.addr,
		Session: "cookie:0123456789abcdef0123456789abcdef", PCM: c.pcm[c.next%bystanders],
	}
	if !c.full {
		c.want = proto.Span{}
		c.req.Want = &c.want
	}
	s.done(batch)
}

// now is the clock at which the next request comes.
func (c *core) now() proto.Clock { return epoch.Add((c.next + 1) * batch / len(c.singers)) }

// handle carries the prepared request out.
func (c *core) handle() {
	c.r.b.Handle(c.r.now, &c.req, &c.r.ans)
	if n := c.r.b.Samples(); n > 0 {
		c.r.b.Mix(c.mixed[c.next%bystanders][:n])
	}
	if c.r.ans.Error != "" {
		c.r.t.Fatal(c.r.ans.Error)
	}
	c.next++
}

// measure carries out requests, and after each copies 115 200 bytes for
// comparison. It reports how long a request takes, and how many times as long as
// the copy.
func (c *core) measure(b *testing.B) {
	b.ReportAllocs()
	requests, copies := make(durations, 0, 1<<16), make(durations, 0, 1<<16)
	for b.Loop() {
		c.prepare()
		to, from := c.mixed[(c.next+bystanders/2)%bystanders], c.from[c.next%bystanders]
		start := time.Now()
		c.handle()
		between := time.Now()
		copy(to, from)
		end := time.Now()
		requests = requests.note(c.next, between.Sub(start))
		copies = copies.note(c.next, end.Sub(between))
	}
	request, copied := requests.mean(), copies.mean()
	b.ReportMetric(request/1e3, "us/op")
	b.ReportMetric(request/copied, "ratio")
	b.ReportMetric(0, "ns/op") // the preparations are in it
}

// durations are the last ones that were noted, as many as there is room for.
type durations []time.Duration

func (d durations) note(i int, took time.Duration) durations {
	if len(d) < cap(d) {
		return append(d, took)
	}
	d[i%len(d)] = took
	return d
}

// mean is in nanoseconds. The slowest of fifty are left out: with others at work on
// the machine that is where it stalled. Answers with the user list are more than
// that, and count.
func (d durations) mean() float64 {
	slices.Sort(d)
	sum := time.Duration(0)
	most := d[:len(d)-len(d)/50]
	for _, took := range most {
		sum += took
	}
	return float64(sum) / float64(len(most))
}

// BenchmarkCore is what the brigade itself does for a request of 600 ms, sung
// audio in, with a song on, a metronome, and everybody singing: Handle and Mix. "ratio" is that
// divided by a copy of as many samples.
//
//   - full: all samples are wanted, of 100 singers
//   - writeonly: none are, for the shard holds them
//   - users=N: as full, of N singers; list: who all ask for the user list
//   - committed: as full, and each request is committed to a store; "ratio" is that
//     divided by the same without, measured in turn
func BenchmarkCore(b *testing.B) {
	b.Run("committed", benchmarkCommitted)
	run := func(name string, people int, full, list bool) {
		b.Run(name, func(b *testing.B) {
			c := newCore(b, people, proto.RingSamples)
			c.full, c.list = full, list
			c.measure(b)
		})
	}
	run("full", 100, true, false)
	run("writeonly", 100, false, false)
	for _, people := range []int{10, 100, 1000, 5000} {
		name := fmt.Sprintf("users=%d", people)
		run(name, people, true, false)
		run(name+"/list", people, true, true)
	}
}

// benchmarkCommitted measures two rooms in turn.
func benchmarkCommitted(b *testing.B) {
	const people = 100
	kept, plain := newCommittedCore(b, people, proto.RingSamples), newCore(b, people, proto.RingSamples)
	b.ReportAllocs()
	with, without := make(durations, 0, 1<<16), make(durations, 0, 1<<16)
	for b.Loop() {
		kept.prepare()
		start := time.Now()
		kept.handle()
		with = with.note(kept.next, time.Since(start))
		plain.prepare()
		start = time.Now()
		plain.handle()
		without = without.note(plain.next, time.Since(start))
	}
	committed := with.mean()
	b.ReportMetric(committed/1e3, "us/op")
	b.ReportMetric(committed/without.mean(), "ratio")
	b.ReportMetric(0, "ns/op") // the preparations are in it
}

// A usual request leaves nothing behind for the garbage collector, with the user
// list or without, whether its samples are wanted or not.
func TestUsualRequestsAllocateNothing(t *testing.T) {
	for _, people := range []int{10, 70} {
		c := newCommittedCore(t, people, 30*proto.SampleRate)
		for _, c.full = range []bool{true, false} {
			for _, c.list = range []bool{true, false} {
				if n := c.allocations(3 * people); n != 0 {
					t.Errorf("%d users, full %t, list %t: %v allocations a request", people, c.full, c.list, n)
				}
			}
		}
	}
}

// allocations is how many there are in each of the next n requests.
func (c *core) allocations(n int) float64 {
	type prepared struct {
		req proto.Request
		now proto.Clock
	}
	var all []prepared
	for range n + 1 {
		c.prepare()
		c.req.QueryString = strings.Clone(c.req.QueryString)
		all = append(all, prepared{c.req, c.r.now})
		c.next++
	}
	c.next -= n + 1
	i := 0
	return testing.AllocsPerRun(n, func() {
		c.req, c.r.now = all[i].req, all[i].now
		c.handle()
		i++
	})
}
