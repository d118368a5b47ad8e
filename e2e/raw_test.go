package e2e

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"bucketbrigade/codec"
	"bucketbrigade/internal/cputime"
	"bucketbrigade/proto"
	"bucketbrigade/singer"
)

// rawCodec does with libopus alone what a shard does with it, at the same moments
// and on the same packets, and counts its own processor time: the limit that a
// shard can come near to. One goroutine, locked to its thread, does the work and
// owns the codecs.
//
//	sent by a singer ──> decode, as the shard did        counted
//	heard by him     ──> encode, as the shard did        counted, if it encodes
type rawCodec struct {
	encodes bool
	jobs    chan rawJob
	done    chan struct{}

	mu      sync.Mutex
	counts  bool
	used    time.Duration
	batches int64
	err     error
}

// rawJob is one request of singer i.
type rawJob struct {
	i    int
	sent []byte
	pcm  []float32
}

func newRawCodec(encodes bool) *rawCodec {
	r := &rawCodec{encodes: encodes, jobs: make(chan rawJob, 100), done: make(chan struct{})}
	go r.run()
	return r
}

// heard takes what singer i sent and heard.
func (r *rawCodec) heard(i int, sent []byte, a *singer.Answer) {
	if sent != nil {
		r.jobs <- rawJob{i, sent, a.PCM}
	}
}

// count says whether what comes now counts.
func (r *rawCodec) count(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts = on
}

// each is the time of one request.
func (r *rawCodec) each() (time.Duration, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return 0, r.err
	}
	if r.batches == 0 {
		return 0, errors.New("raw libopus had nothing to do")
	}
	return r.used / time.Duration(r.batches), nil
}

// close ends the goroutine, once nobody calls heard any more.
func (r *rawCodec) close() {
	close(r.jobs)
	<-r.done
}

func (r *rawCodec) run() {
	runtime.LockOSThread()
	defer close(r.done)
	type coder struct {
		d *codec.Decoder
		e *codec.Encoder
	}
	coders := make(map[int]coder)
	pcm := make([]float32, 0, singer.BatchSamples+proto.FrameSamples)
	for job := range r.jobs {
		c, ok := coders[job.i]
		if !ok {
			c = coder{codec.NewDecoder(), codec.NewEncoder()}
			coders[job.i] = c
		}
		before := cputime.Thread()
		err := r.code(c.d, c.e, job, pcm)
		used := cputime.Thread() - before
		r.mu.Lock()
		r.err = errors.Join(r.err, err)
		if r.counts {
			r.used += used
			r.batches++
		}
		r.mu.Unlock()
	}
}

// code decodes what was sent, and encodes what was heard.
func (r *rawCodec) code(d *codec.Decoder, e *codec.Encoder, job rawJob, pcm []float32) error {
	packets, err := proto.ParsePackets(nil, job.sent)
	if err != nil {
		return err
	}
	for _, p := range packets {
		if pcm, err = d.Decode(pcm, p); err != nil {
			return err
		}
	}
	if !r.encodes {
		return nil
	}
	for frame := range slices.Chunk(job.pcm, proto.FrameSamples) {
		if _, err := e.Encode(frame); err != nil {
			return err
		}
	}
	return nil
}
