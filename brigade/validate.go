package brigade

import (
	"net/http"

	"bucketbrigade/proto"
)

// order is a request that has passed every check.
type order struct {
	query  proto.Query
	lyrics *string
	// member is who asks; nil for a newcomer.
	member  *member
	session proto.Session
	address string
	samples int
	// hears is the end of what the client will be told it hears; want is what
	// the answer carries of it.
	hears  proto.Clock
	want   proto.Span
	wanted bool // want was given
	held   *proto.Held
	// again marks a request that was carried out already.
	again bool
	// nonce names a request without userid.
	nonce string
}

// check judges a request at clock now and changes nothing. One without a userid
// is judged by whether it may control the room.
func (b *Brigade) check(now proto.Clock, req *proto.Request) (order, error) {
	o := order{lyrics: req.Lyrics, session: req.Session, address: req.ClientAddress}
	if len(req.Session) > proto.MaxSessionBytes {
		return o, proto.Refuse(http.StatusRequestEntityTooLarge, "session of %d bytes, at most %d are taken",
			len(req.Session), proto.MaxSessionBytes)
	}
	if err := proto.CheckLyrics(req.Lyrics); err != nil {
		return o, err
	}
	var err error
	if o.query, err = proto.ParseQuery(req.QueryString); err != nil || o.query.Status {
		return o, err
	}
	if !o.query.HasUser {
		err = b.checkControl(req, &o)
		return o, err
	}
	if err := b.checkSinger(now, req, &o); err != nil {
		return o, err
	}
	if err := o.checkSamples(req); err != nil {
		return o, err
	}
	if err := b.checkClocks(now, req, &o); err != nil {
		return o, err
	}
	if err := b.checkWant(now, req, &o); err != nil {
		return o, err
	}
	if err := o.checkJoins(req); err != nil {
		return o, err
	}
	return o, proto.CheckPCM(req.PCM)
}

// checkSinger finds out who asks, whether this session may, and whether there
// is room.
func (b *Brigade) checkSinger(now proto.Clock, req *proto.Request, o *order) error {
	o.member = b.users.known(o.query.User, now)
	if m := o.member; m != nil {
		if !req.Session.MayTakeOver(m.session, req.ClientAddress) {
			return proto.Refuse(http.StatusForbidden, "userid %s belongs to another browser", o.query.User)
		}
		if fresh(m, now) {
			return nil
		}
	}
	return b.checkRoom(now, req.ClientAddress)
}

// checkSamples finds the length of the request.
func (o *order) checkSamples(req *proto.Request) error {
	o.samples = len(req.PCM)
	if o.samples == 0 && req.Want != nil { // silence is not sent
		o.samples = o.query.Samples
	}
	switch {
	case o.query.Samples != 0 && o.query.Samples != o.samples:
		return proto.Refuse(http.StatusBadRequest, "n_samples %d, but the audio has %d", o.query.Samples, o.samples)
	case o.samples == 0:
		return proto.Refuse(http.StatusBadRequest, "no n_samples and no audio")
	case o.samples%proto.FrameSamples != 0 || o.samples > proto.MaxSamples:
		return proto.Refuse(http.StatusBadRequest, "audio of %d samples, not a multiple of %d up to %d",
			o.samples, proto.FrameSamples, proto.MaxSamples)
	}
	return nil
}

// checkClocks keeps reads and writes inside of the ring.
func (b *Brigade) checkClocks(now proto.Clock, req *proto.Request, o *order) error {
	q := &o.query
	if !q.HasRead {
		return proto.Refuse(http.StatusBadRequest, "no read_clock")
	}
	o.hears = q.Read
	if req.ReadEnd != nil {
		o.hears = *req.ReadEnd
		if o.hears < 0 || o.hears > q.Read {
			return proto.Refuse(http.StatusBadRequest, "read_end %s is not in 0..%s, the read_clock", o.hears, q.Read)
		}
	}
	if err := b.inRing("read_clock", now, q.Read, q.Read.Sub(o.hears)+o.samples); err != nil {
		return err
	}
	if !q.HasWrite {
		return nil
	}
	return b.inRing("write_clock", now, q.Write, o.samples)
}

// inRing refuses an interval of n samples before end that is not in the ring.
func (b *Brigade) inRing(what string, now, end proto.Clock, n int) error {
	if end > now {
		return proto.Refuse(http.StatusBadRequest, "%s %s is %d samples in the future", what, end, end.Sub(now))
	}
	if oldest := now.Add(-b.ring.size); end.Add(-n) < oldest {
		return proto.Refuse(http.StatusConflict, "%s %s reaches back to %s, only %s and later is kept",
			what, end, end.Add(-n), oldest)
	}
	return nil
}

// checkWant judges which samples the answer is to carry.
func (b *Brigade) checkWant(now proto.Clock, req *proto.Request, o *order) error {
	o.want = proto.Span{From: o.hears.Add(-o.samples), To: o.hears}
	if req.Want == nil {
		return nil
	}
	o.want, o.wanted, o.held = *req.Want, true, req.Held
	if err := o.checkHeld(); err != nil {
		return err
	}
	if late := now.Add(-b.ring.size).Sub(o.want.From); late > 0 && late <= primer && o.want.Len() > primer {
		o.want.From = o.want.From.Add(primer) // what an encoder would have liked to hear is gone
	}
	n := o.want.Len()
	switch {
	case n == 0:
		return nil
	case n < 0 || o.want.From < 0 || n > proto.MaxSamples:
		return proto.Refuse(http.StatusBadRequest, "want [%s, %s) is not a span of at most %d samples",
			o.want.From, o.want.To, proto.MaxSamples)
	}
	return b.inRing("want", now, o.want.To, n)
}

// checkHeld keeps what a shard holds inside of the interval, frame by frame.
func (o *order) checkHeld() error {
	if o.held == nil {
		return nil
	}
	if o.hears%proto.FrameSamples != 0 {
		return proto.Refuse(http.StatusBadRequest, "held needs a read_end that is a multiple of %d, %s is none",
			proto.FrameSamples, o.hears)
	}
	last := o.hears.Add(-o.samples)
	for _, r := range o.held.Reads {
		if r.To <= last || r.To > o.hears || r.To%proto.FrameSamples != 0 {
			return proto.Refuse(http.StatusBadRequest, "held up to %s: not a multiple of %d between %s and %s",
				r.To, proto.FrameSamples, last, o.hears)
		}
		last = r.To
	}
	return nil
}

// checkJoins keeps a singer's clocks without gaps, and finds repeated requests.
func (o *order) checkJoins(req *proto.Request) error {
	m, q := o.member, &o.query
	if m == nil {
		return nil
	}
	if req.Again && m.last == o.clocks() {
		o.again = true
		return nil
	}
	if q.Reset {
		return nil
	}
	if m.joinsRead {
		if err := joins("read_clock", q.Read, o.samples, m.joinRead); err != nil {
			return err
		}
	}
	if q.HasWrite && m.joinsWrite {
		return joins("write_clock", q.Write, o.samples, m.joinWrite)
	}
	return nil
}

func joins(what string, end proto.Clock, n int, last proto.Clock) error {
	if gap := end.Add(-n).Sub(last); gap != 0 {
		return proto.Refuse(http.StatusConflict, "%s %s with %d samples is %d samples off the last, %s",
			what, end, n, gap, last)
	}
	return nil
}

func (o *order) clocks() requestClocks {
	return requestClocks{read: o.query.Read, write: o.query.Write, hasWrite: o.query.HasWrite, samples: o.samples}
}
