package load

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/singer"
)

// fate is how an answer ends a connection: by an error, or since the server
// assigned another place.
type fate struct {
	moved bool
	err   error
}

// flight is one request under way. The goroutine that sends it owns it until it
// has landed.
type flight struct {
	due, sent time.Time
	read      proto.Clock
	wish      string
	sung      *sung // nil if nobody listens for it
	landed    bool

	arrived time.Time
	bytes   int
	answer  answer
	err     error
}

// launch sends the request that was due.
func (m *member) launch(ctx context.Context, due, now time.Time) {
	m.mu.Lock()
	m.read = m.read.Add(singer.BatchSamples)
	f := &flight{due: due, sent: now, read: m.read}
	body := m.sing(f)
	if len(m.wishes) > 0 {
		f.wish, m.wishes = m.wishes[0], m.wishes[1:]
	}
	query := m.ask(f)
	m.begun = true
	m.rec.due(due, now, true, len(body)+len(query))
	m.flying = append(m.flying, f)
	m.mu.Unlock()
	m.count++
	full := m.count%fullLook == 0
	send := func() {
		f.bytes, f.err = m.do(ctx, http.MethodPost, query, body, func(header http.Header, body []byte) error {
			f.arrived = time.Now()
			return f.answer.parse(header, body, full, m.pilot != nil)
		})
		m.arrive(ctx, f)
	}
	select {
	case m.jobs <- send:
	default:
		m.posts.Go(func() { work(ctx, m.jobs, send) })
	}
}

// arrive takes what has been answered, in order, up to the first that ends the
// connection. What comes after that is lost, with all that was wished by it.
func (m *member) arrive(ctx context.Context, f *flight) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	f.landed = true
	for len(m.flying) > 0 && m.flying[0].landed && m.fate == nil {
		if moved, err := m.land(); moved || err != nil {
			m.fate = &fate{moved, err}
		}
	}
	if m.fate != nil || m.eager {
		select {
		case m.news <- struct{}{}:
		default:
		}
	}
}

// work sends a request, and others that come while its connection lasts: most
// are sent by a goroutine whose stack has grown already.
func work(ctx context.Context, jobs <-chan func(), first func()) {
	for send := first; ; {
		send()
		select {
		case send = <-jobs:
		case <-ctx.Done():
			return
		}
	}
}

// sing gives the body of the next request, and moves the write clock. mu is held.
func (m *member) sing(f *flight) []byte {
	if !m.heard || m.part == spectates {
		return nil
	}
	if !m.writing {
		m.writing = true
		m.write = m.read.Add(-m.shift - m.lag - singer.BatchSamples)
	}
	voice := m.loop
	if m.muted {
		voice = m.quiet
	}
	body := voice.bodies[m.place%len(voice.bodies)]
	if m.pilot != nil {
		f.sung = m.pilot.sing(m.write, m.place, f.sent)
	}
	m.place = (m.place + 1) % len(m.loop.bodies)
	m.write = m.write.Add(singer.BatchSamples)
	return body
}

// ask writes the query. What a browser says of itself goes with the first request
// after an answer only. mu is held.
func (m *member) ask(f *flight) string {
	q := append(m.query[:0], "read_clock="...)
	q = strconv.AppendInt(q, int64(f.read), 10)
	if m.writing {
		q = append(q, "&write_clock="...)
		q = strconv.AppendInt(q, int64(m.write), 10)
	}
	q = append(q, "&n_samples="...)
	q = strconv.AppendInt(q, singer.BatchSamples, 10)
	q = append(q, "&userid="...)
	q = strconv.AppendUint(q, uint64(m.user), 10)
	if !m.begun {
		q = append(q, "&reset_user_state=true"...)
	}
	if m.fresh {
		m.fresh = false
		q = append(q, "&user_summary=1"...)
		if m.muted || m.part == spectates {
			q = append(q, "&spectator=1"...)
		}
		if m.muted {
			q = append(q, "&muted=1"...)
		}
	}
	if f.wish != "" {
		q = append(append(q, '&'), f.wish...)
	}
	q = append(q, "&username="...)
	q = append(q, url.QueryEscape(m.name)...)
	m.query = q
	return string(q)
}

// land takes the answer to the oldest request. moved tells that the server
// assigned another place. mu is held.
func (m *member) land() (moved bool, err error) {
	f := m.flying[0]
	m.flying = m.flying[1:]
	if f.err == nil {
		f.err = m.accept(f)
	}
	if f.err != nil {
		if f.wish != "" {
			m.wishes = append([]string{f.wish}, m.wishes...)
		}
		return false, f.err
	}
	m.rec.answered(f.due, f.arrived.Sub(f.due), f.bytes, *f.answer.SongStart)
	if m.pilot != nil {
		if err := m.pilot.hear(f); err != nil {
			return false, err
		}
	}
	if d := f.answer.DelaySeconds; d != nil && *d > 0 && !m.racing {
		m.offset = *d
		if m.pilot != nil && *d != proto.BucketSeconds {
			m.offset = m.pilot.place
		}
		return true, nil
	}
	return false, nil
}

// accept checks that an answer brings what was asked for and joins on.
func (m *member) accept(f *flight) error {
	if n := *f.answer.Samples; n != singer.BatchSamples {
		return faultf(KindMalformed, "%d samples came, %d were asked for", n, singer.BatchSamples)
	}
	shift := f.read.Sub(*f.answer.ClientReadClock)
	if m.heard && shift != m.shift {
		return faultf(KindDesync, "answers do not join: client_read_clock is %d behind the request, it was %d", shift, m.shift)
	}
	m.heard, m.fresh, m.shift = true, true, shift
	return nil
}
