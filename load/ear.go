package load

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
	"bucketbrigade/voice"
)

const (
	// lookEvery is how often a pair is looked at, if there are few.
	lookEvery = 8 * time.Second
	// nearby is how far from its place a voice is looked for, in samples.
	nearby = 4800
	// minLag and maxLag are what the encoders of singer and server may look
	// ahead together, with a margin: 312 + 120 with the usual settings.
	minLag = 330
	maxLag = 720
	// songMargin keeps away from the edges of a song.
	songMargin = proto.SampleRate
	// farAway is how far a voice is looked for that is not in its place.
	farAway = 4 * proto.SampleRate
)

// ear looks for pilots in what pilots heard. Its goroutine owns it, but for
// pairs, which mu guards.
type ear struct {
	rec    *recorder
	gap    time.Duration // from one look to the next, in the long run
	pilots []*pilot
	in     chan window
	// looked is when a pair was looked at last for what must be heard, unsung for
	// what must not be: at a song's beginning that is all there is, and must not keep
	// the ear from the voices that then come.
	looked, unsung map[[2]*pilot]time.Time
	// looks is how often somebody was looked for.
	looks map[*pilot]int

	mu    sync.Mutex
	pairs map[[2]*pilot]*Pair
}

func newEar(rec *recorder, gap time.Duration) *ear {
	return &ear{
		rec: rec, gap: gap, in: make(chan window, 16),
		looked: map[[2]*pilot]time.Time{}, unsung: map[[2]*pilot]time.Time{}, looks: map[*pilot]int{}, pairs: map[[2]*pilot]*Pair{},
	}
}

// listen takes windows until in is closed; when ctx ends it only empties it.
func (e *ear) listen(ctx context.Context) {
	for w := range e.in {
		if ctx.Err() == nil {
			e.take(&w)
		}
	}
}

// lookAgain is the time between two looks at a pair of so many pilots, where there
// is one look in each gap.
func lookAgain(pilots int, gap time.Duration) time.Duration {
	return max(lookEvery, time.Duration(pilots*(pilots-1))*gap)
}

// take looks for one pilot who must be heard in a window, of several for him who
// was looked for least; if there is none to be looked at, for one who must not.
func (e *ear) take(w *window) {
	if !w.inSong() {
		return
	}
	var sought, unsung *pilot
	var soughtAt, unsungAt int
	every := lookAgain(len(e.pilots), e.gap)
	for _, p := range e.pilots {
		if p == w.listener {
			continue
		}
		pair := [2]*pilot{p, w.listener}
		what, pattern := p.expect(w)
		if !p.lookable(w, pattern) {
			continue
		}
		switch {
		case what == mustHear && w.answered.Sub(e.looked[pair]) >= every && (sought == nil || e.looks[p] < e.looks[sought]):
			sought, soughtAt = p, pattern
		case what == mustNotHear && unsung == nil && w.answered.Sub(e.unsung[pair]) >= 2*every:
			unsung, unsungAt = p, pattern
		}
	}
	switch {
	case sought != nil:
		e.looks[sought]++
		e.looked[[2]*pilot{sought, w.listener}] = w.answered
		e.mustHear(w, sought, soughtAt)
	case unsung != nil:
		e.unsung[[2]*pilot{unsung, w.listener}] = w.answered
		e.mustNotHear(w, unsung, unsungAt)
	}
}

// find looks for a pilot whose pattern's sample should be the window's first,
// within reach samples; lag is how late it was.
func find(w *window, p *pilot, pattern, reach int) (s voice.Sighting, lag int) {
	s = voice.Find(w.pcm, p.id, -pattern-reach, -pattern+reach)
	return s, s.Lag + pattern
}

func (e *ear) mustHear(w *window, p *pilot, pattern int) {
	s, lag := find(w, p, pattern, nearby)
	if !s.Present() {
		if far, farLag := find(w, p, pattern, min(farAway, pattern)); far.Present() {
			s, lag = far, farLag
		}
	}
	pair := e.pair(p, w.listener)
	e.mu.Lock()
	pair.Expected++
	switch {
	case !s.Present():
		pair.Verdict = KindLost
	case lag < minLag || lag > maxLag:
		pair.Verdict = KindMisplaced
	default:
		pair.Heard++
		if pair.Heard == 1 || s.Score < pair.Score {
			pair.Score = s.Score
		}
		pair.LagSamples = lag
		pair.Corr = corr(s, w.pcm)
		if pair.Expected == pair.Heard && pair.Early == 0 {
			pair.Verdict = "heard"
		}
	}
	e.mu.Unlock()
	switch {
	case !s.Present():
		e.fail(w, p, faultf(KindLost, "%s, %d s behind, did not hear %s at position %d: score %.1f, %d are needed",
			w.listener.name, w.behind, p.name, w.start, s.Score, voice.PresentScore))
	case lag < minLag || lag > maxLag:
		e.fail(w, p, faultf(KindMisplaced, "%s, %d s behind, heard %s at position %d, %d samples late; %d to %d are what codecs take",
			w.listener.name, w.behind, p.name, w.start, lag, minLag, maxLag))
	}
}

func (e *ear) mustNotHear(w *window, p *pilot, pattern int) {
	s, _ := find(w, p, pattern, nearby)
	pair := e.pair(p, w.listener)
	e.mu.Lock()
	pair.Unsung++
	if s.Present() {
		pair.Early++
		pair.Verdict = KindEarly
	} else if pair.Verdict == "" {
		pair.Verdict = "rightly not heard"
	}
	e.mu.Unlock()
	if s.Present() {
		e.fail(w, p, faultf(KindEarly, "%s, %d s behind, heard %s at position %d, who had not sung there yet: score %.1f",
			w.listener.name, w.behind, p.name, w.start, s.Score))
	}
}

func (e *ear) fail(w *window, p *pilot, f *fault) { e.rec.failed(w.answered, p.name, p.user, f) }

// corr is the correlation of a pattern, as loud as it was found, with all that
// was heard.
func corr(s voice.Sighting, heard []float32) float64 {
	const patternRMS = 0.1
	all := codec.RMS(heard)
	if all == 0 {
		return 0
	}
	return math.Min(s.Gain*patternRMS/all, 1)
}

func (e *ear) pair(p, listener *pilot) *Pair {
	e.mu.Lock()
	defer e.mu.Unlock()
	key := [2]*pilot{p, listener}
	if e.pairs[key] == nil {
		e.pairs[key] = &Pair{Singer: p.name, Listener: listener.name}
	}
	return e.pairs[key]
}

// result lists the pairs, by name.
func (e *ear) result() []Pair {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := []Pair{}
	for _, p := range e.pairs {
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b Pair) int {
		return strings.Compare(fmt.Sprint(a.Singer, a.Listener), fmt.Sprint(b.Singer, b.Listener))
	})
	return list
}
