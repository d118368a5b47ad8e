package load

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
	"bucketbrigade/singer"
	"bucketbrigade/voice"
)

const (
	// windowBatches make the piece that is looked at: 1.8 s.
	windowBatches = 3
	windowSamples = windowBatches * singer.BatchSamples
	// keptSung is how much of what he has sung a pilot remembers: two minutes.
	keptSung = 200
)

// sung is one batch of a pilot at [from, from+28800): sample from of the ring
// has sample pattern of his pattern.
type sung struct {
	from    proto.Clock
	pattern int
	sent    time.Time
	// acknowledged is when the answer came; zero before.
	acknowledged time.Time
}

// pilot is a singer who is listened for, and listens.
type pilot struct {
	id   uint64 // of his pattern
	name string
	user proto.UserID
	loop loop
	ears chan<- window
	// place is where he goes, in seconds, when he is sent somewhere and does not
	// lead: a browser lets its user choose.
	place int
	// fellows are the pilots of this machine beside him.
	fellows []*pilot

	mu   sync.Mutex
	sung []*sung // oldest first
	// behind is where he stands, in samples behind the server; followed tells that
	// another stood behind him while a song was on.
	behind   int
	followed bool
	// pieces of a song came to those who stood behind him while they listened; in
	// so many of them he had to be heard, as far as he knows.
	pieces, certain int

	// What is heard; the member's goroutine owns it.
	decoder *codec.Decoder
	answers int // of this connection
	window  window
	given   int           // windows of songs that he has handed on
	rest    time.Time     // until then he does not listen
	gap     time.Duration // from one look at anybody to the next
}

// window is a piece of what a pilot heard.
type window struct {
	listener *pilot
	behind   int // where the listener stands, in seconds
	start    proto.Clock
	pcm      []float32
	// asked is when each batch of it was asked for, answered when the last came.
	asked              [windowBatches]time.Time
	answered           time.Time
	songStart, songEnd proto.Clock
}

func (w *window) end() proto.Clock { return w.start.Add(len(w.pcm)) }

// inSong tells that all of it is of a song.
func (w *window) inSong() bool {
	return w.songStart > 1 && w.start >= w.songStart.Add(songMargin) && (w.songEnd == 0 || w.end() <= w.songEnd)
}

// askedFor is when the sample at a position within the window was asked for.
func (w *window) askedFor(at proto.Clock) time.Time {
	return w.asked[at.Sub(w.start)/singer.BatchSamples]
}

// newPilot encodes the pattern of an id. Who he is when he sings is told later.
func newPilot(name string, id uint64, batches int, ears chan<- window) (*pilot, error) {
	l, err := newLoop(voice.NewPattern(id), pilotGain, batches)
	if err != nil {
		return nil, err
	}
	return &pilot{name: name, id: id, loop: l, ears: ears}, nil
}

// newPilots encodes so many, each with a pattern that nobody else sings. It takes some
// tenths of a second of processor each, so it is done before a run starts.
func newPilots(n, batches int) ([]*pilot, error) {
	list, errs := make([]*pilot, n), make([]error, n)
	var all sync.WaitGroup
	for i := range list {
		all.Go(func() { list[i], errs[i] = newPilot("", rand.Uint64(), batches, nil) })
	}
	all.Wait()
	return list, errors.Join(errs...)
}

// period is the length of the loop in samples.
func (p *pilot) period() int { return len(p.loop.bodies) * singer.BatchSamples }

// connected forgets what was heard on the connection before.
func (p *pilot) connected() {
	p.decoder, p.answers, p.window = codec.NewDecoder(), 0, window{}
}

// sing notes that batch place of the loop is sent, for positions from on.
func (p *pilot) sing(from proto.Clock, place int, now time.Time) *sung {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &sung{from: from, pattern: place * singer.BatchSamples, sent: now}
	p.sung = append(p.sung, s)
	if len(p.sung) > keptSung {
		p.sung = p.sung[1:]
	}
	return s
}

// hear decodes an answer and hands a full window on. When nobody takes it, it
// is dropped: there will be others.
func (p *pilot) hear(f *flight) error {
	if f.sung != nil {
		p.mu.Lock()
		f.sung.acknowledged = f.arrived
		p.mu.Unlock()
	}
	p.stand(&f.answer)
	if f.arrived.Before(p.rest) {
		return nil
	}
	if !p.rest.IsZero() {
		p.rest = time.Time{}
		p.connected() // a decoder that has missed something begins anew
	}
	pcm, err := p.decode(f.answer.packed)
	if err != nil {
		return err
	}
	// A newcomer's first packets fade in.
	if p.answers++; p.answers == 1 {
		return nil
	}
	w := &p.window
	if len(w.pcm) == 0 {
		w.start = f.answer.ClientReadClock.Add(-len(pcm))
	}
	w.asked[len(w.pcm)/singer.BatchSamples] = f.sent
	w.pcm = append(w.pcm, pcm...)
	if len(w.pcm) < windowSamples {
		return nil
	}
	w.listener, w.answered = p, f.arrived
	w.behind = (f.answer.ServerClock.Sub(w.end()) + proto.SampleRate/2) / proto.SampleRate
	w.songStart, w.songEnd = *f.answer.SongStart, f.answer.SongEnd
	if w.inSong() {
		for _, q := range p.fellows {
			q.comes(w)
		}
		p.pause(f.arrived)
	}
	select {
	case p.ears <- *w:
	default:
	}
	p.window = window{}
	return nil
}

// apart is how far one stands at least behind another who hears him: half a bucket.
const apart = proto.BucketSeconds * proto.SampleRate / 2

// stand notes where he stands, and while a song is on that he follows those who
// stand before him.
func (p *pilot) stand(a *answer) {
	behind := a.ServerClock.Sub(*a.ClientReadClock)
	p.mu.Lock()
	p.behind = behind
	p.mu.Unlock()
	if *a.SongStart <= 1 || a.SongEnd != 0 {
		return
	}
	for _, q := range p.fellows {
		q.mu.Lock()
		q.followed = q.followed || len(q.sung) > 0 && behind > q.behind+apart
		q.mu.Unlock()
	}
}

// comes notes a piece of a song that came to another.
func (p *pilot) comes(w *window) {
	what, pattern := p.expect(w)
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.sung); n == 0 || p.sung[n-1].from < w.end() {
		return
	}
	p.pieces++
	if what == mustHear && p.lookable(w, pattern) {
		p.certain++
	}
}

// lookable tells that the piece of the pattern that a window should hold, from a
// sample on, does not cross the loop's seam.
func (p *pilot) lookable(w *window, pattern int) bool {
	return pattern >= nearby+maxLag && pattern+len(w.pcm)+nearby <= p.period()
}

// pause lets a pilot rest who has handed on a window of a song for each of the
// others: from then on there is one look in a while at each pair, and what nobody looks at need
// not be decoded.
func (p *pilot) pause(now time.Time) {
	n := len(p.fellows)
	if p.given++; n > 0 && p.given >= n {
		p.rest = now.Add(lookAgain(n+1, p.gap)/time.Duration(n) - windowBatches*singer.Pace)
	}
}

func (p *pilot) decode(packed []byte) ([]float32, error) {
	packets, err := proto.ParsePackets(nil, packed)
	if err != nil {
		return nil, &fault{KindMalformed, err}
	}
	pcm := make([]float32, 0, singer.BatchSamples+proto.FrameSamples)
	for _, packet := range packets {
		if pcm, err = p.decoder.Decode(pcm, packet); err != nil {
			return nil, &fault{KindMalformed, fmt.Errorf("the answer's audio: %w", err)}
		}
	}
	return pcm, nil
}

// expectation says what of a pilot must be in a window.
type expectation int

const (
	undecided expectation = iota
	mustHear
	mustNotHear
)

// settled is how long before a listener asks a voice must have been acknowledged
// to be counted on: shards may share a piece that is 250 ms old.
const settled = 300 * time.Millisecond

// expect tells whether the pilot's voice must be in a window, and at which sample
// of his pattern the window begins.
func (p *pilot) expect(w *window) (e expectation, pattern int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	covered := w.start
	var last *sung
	for _, s := range p.sung {
		from, to := s.from, s.from.Add(singer.BatchSamples)
		last = s
		if to <= w.start || from >= w.end() {
			continue
		}
		at := p.wrap(s.pattern + w.start.Sub(from))
		if from > covered || to <= covered || covered != w.start && at != pattern {
			return undecided, 0 // a gap, or sung anew after a move
		}
		if s.acknowledged.IsZero() || s.acknowledged.Add(settled).After(w.askedFor(max(from, w.start))) {
			return undecided, 0
		}
		covered, pattern = to, at
	}
	switch {
	case covered >= w.end():
		return mustHear, pattern
	case covered == w.start && last != nil && last.from < w.start && last.sent.After(w.answered.Add(-2*singer.Pace)):
		// He sings, but has not come so far.
		return mustNotHear, p.wrap(last.pattern + w.start.Sub(last.from))
	}
	return undecided, 0
}

func (p *pilot) wrap(sample int) int {
	n := p.period()
	return (sample%n + n) % n
}
