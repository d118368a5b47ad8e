package shm

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"bucketbrigade/proto"
)

// BenchmarkRPC holds a call between two processes against what the machine can
// do at all:
//
//	empty  no audio              a cache line that goes to the other process and back
//	audio  115 200 bytes a way   the four copies that this takes
//	cross  the same              the four copies made by the two processes in turns
//	idle   both sides asleep     a wake of the other process and one back
//
// On two processors a copy of what the other one has just written takes several
// times as long as one of what lies in the own cache: cross tells how much of
// audio that is.
//
// "us/op" is the call, "bare-us/op" the other, "ratio" how many times as long
// the call takes. Both are measured in turns, in blocks too short for most of
// what else a machine does; the lower decile of the blocks of each counts.
func BenchmarkRPC(b *testing.B) {
	for _, wait := range []Wait{Spin, Hybrid} {
		mode := ""
		if wait == Hybrid {
			mode = "-hybrid"
		}
		b.Run("empty"+mode, func(b *testing.B) { newRig(b, wait, 0).compare(b, bareLine, 0) })
		b.Run("audio"+mode, func(b *testing.B) { newRig(b, wait, benchSamples).compare(b, bareCopies, 0) })
		b.Run("cross"+mode, func(b *testing.B) { newRig(b, wait, benchSamples).compare(b, bareCross, 0) })
	}
	b.Run("idle", func(b *testing.B) { newRig(b, Hybrid, 0).compare(b, bareWake, idleFor) })
}

const (
	// benchSamples is a request of 600 ms.
	benchSamples = 28800
	// blockFor is how long one block takes, roughly.
	blockFor = 100 * time.Microsecond
	// idleFor is how long both sides are left alone before a call from idle: the
	// server is asleep long before, and mostly its processor too.
	idleFor = 10 * time.Millisecond

	// The query strings that make the other process play a bare peer.
	bareLine   = "line"
	bareWake   = "wake"
	bareCopies = "copies"
	bareCross  = "cross"
	// bareEnd is the word that ends its play.
	bareEnd = 7
)

// rig is a shard's side of a segment, with a server in another process.
type rig struct {
	b      *testing.B
	client *Client
	req    *proto.Request
	ans    proto.Answer
	server *child
	bare   *raw
	heap   [4][]byte
}

func newRig(b *testing.B, wait Wait, samples int) *rig {
	path := segmentPath(b)
	r := &rig{b: b, req: numbered(1, samples), bare: openRaw(b, path+".bare", proto.MaxJSONArea)}
	r.server = ready(b, "bench", wait.String(), path, path+".bare")
	r.client = NewClient(mustOpen(b, path, ForShard, 0), ClientConfig{Wait: wait, Timeout: 20 * time.Second})
	r.ans.Scratch = new(proto.Scratch)
	for i := range r.heap {
		r.heap[i] = make([]byte, 4*samples)
	}
	return r
}

// calls makes n calls.
func (r *rig) calls(n int) {
	for range n {
		if err := r.client.Call(context.Background(), r.req, &r.ans); err != nil || len(r.ans.PCM) != len(r.req.PCM) {
			r.b.Fatal(err, len(r.ans.PCM))
		}
	}
}

// play makes the other process a bare peer until the function that it gives is
// called.
func (r *rig) play(what string) (end func()) {
	if what == bareCopies {
		return func() {}
	}
	r.bare.word.Store(statusIdle)
	if err := r.client.Call(context.Background(), &proto.Request{QueryString: what}, &r.ans); err != nil {
		r.b.Fatal(err)
	}
	return func() {
		r.bare.word.Store(bareEnd)
		futexWake(r.bare.word)
		r.calls(1) // it is back
	}
}

// bares does n times what a call is held against.
func (r *rig) bares(what string, n int) {
	word, segment := r.bare.word, r.bare.mem[pcmAlign:pcmAlign+len(r.heap[0])]
	for range n {
		switch what {
		case bareLine:
			r.bareTurn()
		case bareWake:
			word.Store(statusRequest)
			futexWake(word)
			for word.Load() == statusRequest {
				_ = futexWait(word, statusRequest, time.Second)
			}
		case bareCopies:
			copy(segment, r.heap[0])
			copy(r.heap[1], segment)
			copy(segment, r.heap[2])
			copy(r.heap[3], segment)
		case bareCross:
			copy(segment, r.heap[0])
			r.bareTurn()
			copy(r.heap[3], segment)
		}
	}
}

// bareTurn gives the other process the word and waits until it is back.
func (r *rig) bareTurn() {
	for r.bare.word.Store(statusRequest); r.bare.word.Load() == statusRequest; {
	}
}

// compare measures both in turns. With a rest both sides fall asleep before each.
func (r *rig) compare(b *testing.B, what string, rest time.Duration) {
	bares := func(n int) { r.bares(what, n) }
	n, m := 1, 1
	if rest == 0 {
		n = perBlock(r.calls)
		end := r.play(what)
		m = perBlock(bares)
		end()
	}
	var rpc, bare []float64
	for b.Loop() {
		for range 50 {
			end := r.play(what)
			nap(rest)
			bare = append(bare, each(bares, m))
			end()
			nap(rest)
			rpc = append(rpc, each(r.calls, n))
		}
	}
	r.server.kill()
	call, limit := lowerDecile(rpc), lowerDecile(bare)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(call/1000, "us/op")
	b.ReportMetric(limit/1000, "bare-us/op")
	b.ReportMetric(call/limit, "ratio")
}

// perBlock is how many times to do it in one block.
func perBlock(do func(n int)) int {
	n := 1
	for n < 1<<16 && each(do, n)*float64(n) < float64(blockFor) {
		n *= 2
	}
	return n
}

// each does it n times and gives how long one took, in ns.
func each(do func(n int), n int) float64 {
	begin := time.Now()
	do(n)
	return float64(time.Since(begin)) / float64(n)
}

func lowerDecile(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/10]
}

// childBench: WAIT PATH BARE answers with as much audio as it gets until it is
// killed: it keeps what it gets and gives something else. BARE is the segment
// whose first word it plays with when asked to.
func childBench(args []string) error {
	wait, err := ParseWait(args[0])
	if err != nil {
		return err
	}
	srv := NewServer(wait)
	seg, err := Open(args[1], ForServer, 0)
	if err == nil {
		err = srv.Add(seg)
	}
	if err != nil {
		return err
	}
	bare, err := Open(args[2], ForServer, 0)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	p := newBenchPeer()
	for {
		if err := p.serve(srv); err != nil {
			return err
		}
		switch p.req.QueryString {
		case bareLine:
			playLine(bare.word, func() {})
		case bareCross:
			segment := bare.mem[pcmAlign:]
			playLine(bare.word, func() {
				copy(floatBytes(p.ring[:benchSamples]), segment)
				copy(segment, floatBytes(p.mix[:benchSamples]))
			})
		case bareWake:
			playWake(bare.word)
		}
		p.req.QueryString = ""
	}
}

func playLine(word *atomic.Uint32, work func()) {
	for {
		switch word.Load() {
		case statusRequest:
			work()
			word.Store(statusAnswer)
		case bareEnd:
			return
		}
	}
}

func playWake(word *atomic.Uint32) {
	for {
		switch w := word.Load(); w {
		case statusRequest:
			word.Store(statusAnswer)
			futexWake(word)
		case bareEnd:
			return
		default:
			_ = futexWait(word, w, time.Second)
		}
	}
}

// benchPeer is a server that does nothing but copy.
type benchPeer struct {
	req       proto.Request
	ans       proto.Answer
	ring, mix []float32
	copyMix   func(dst []float32)
}

func newBenchPeer() *benchPeer {
	p := &benchPeer{
		ans:  proto.Answer{Metadata: "{}", Summary: []byte{0, 0}},
		ring: make([]float32, proto.MaxSamples), mix: make([]float32, proto.MaxSamples),
	}
	p.copyMix = func(dst []float32) { copy(dst, p.mix) }
	return p
}

// serve serves one request, if one comes soon.
func (p *benchPeer) serve(srv *Server) error {
	turn := srv.Next(time.Now().Add(100 * time.Millisecond))
	if turn == nil {
		return nil
	}
	if err := turn.Request(&p.req); err != nil {
		return err
	}
	copy(p.ring, p.req.PCM)
	return turn.Answer(&p.ans, len(p.req.PCM), p.copyMix)
}
