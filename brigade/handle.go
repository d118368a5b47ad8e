package brigade

import (
	"net/http"
	"strings"

	"bucketbrigade/proto"
)

// Handle carries out req at server clock now and fills ans: metadata and user
// summary, or an error with its code. The audio is left for [Brigade.Mix];
// req.PCM is not needed any more afterwards.
//
// Metadata, Span and Summary of ans lie in memory that the next call uses again,
// for a string too: who needs one of them longer makes a copy. Nothing of req is
// kept. Handle allocates nothing but for what is new: users, texts, one-shot keys.
//
// Nothing that stands in req makes Handle panic.
func (b *Brigade) Handle(now proto.Clock, req *proto.Request, ans *proto.Answer) {
	b.reply = reply{}
	*ans = proto.Answer{Summary: ans.Summary[:0]}
	switch req.Kind {
	case "":
		b.answer(b.present(now), req, ans)
	case proto.KindClock:
		ans.Clock = now
	case proto.KindTelemetry:
		ans.SetRefusal(proto.Refuse(http.StatusNotImplemented, "%s is not answered here, ask the metrics listener",
			proto.KindTelemetry))
	default:
		ans.SetRefusal(proto.Refuse(http.StatusBadRequest, "unknown request %s", proto.Shown(req.Kind)))
	}
}

func (b *Brigade) answer(now proto.Clock, req *proto.Request, ans *proto.Answer) {
	o, err := b.check(now, req)
	switch {
	case err != nil:
		ans.SetRefusal(proto.AsRefusal(err))
	case o.query.Status:
		ans.Metadata = b.marshal(proto.Status{
			ConnectedUsers: b.users.activeAt(now),
			MaxUsers:       b.maxUsers,
			InstanceName:   b.instanceName,
		})
	case !o.query.HasUser:
		b.carryOutControl(now, &o, ans)
	default:
		b.carryOut(now, &o, req.PCM, ans)
	}
}

// carryOut does what a checked request asks for. Nothing in it can fail.
func (b *Brigade) carryOut(now proto.Clock, o *order, pcm []float32, ans *proto.Answer) {
	before := b.advanceForRequest(now)
	m := b.admit(now, o)
	u := &m.user
	b.keepForLoopback(o, pcm)
	listDue := b.listDue(now, u, o)
	if o.again {
		u.untell()
	} else {
		u.delay = now.Sub(o.query.Read)
		b.operate(now, o.hears, u, o)
		b.write(now, u, o, pcm)
		u.joinRead, u.joinsRead = o.query.Read, true
		u.last = o.clocks()
	}
	b.noteMixing(now)
	mix, keep := b.share(now, u, o)
	b.planReply(u, o)
	if o.wanted {
		ans.Clock, ans.Mix, ans.Keep = now, mix, keep
	}
	b.span = proto.Span{From: b.reply.from, To: b.reply.from.Add(b.reply.samples)}
	ans.Span = &b.span
	ans.Metadata = b.metadata(now, before, u, o)
	ans.Summary = b.summary(now, m, listDue, ans.Summary)
	b.users.change(m)
	b.commit()
}

// advanceForRequest brings everything to clock now and gives the clock of the
// request before this one.
func (b *Brigade) advanceForRequest(now proto.Clock) (before proto.Clock) {
	before = now
	if b.requested {
		before = max(b.lastRequest, now.Add(-b.ring.size))
	}
	b.advance(now)
	b.lastRequest, b.requested = now, true
	b.resetIfEmpty()
	return before
}

// admit finds who asks, or takes in a newcomer, and notes that it was heard.
func (b *Brigade) admit(now proto.Clock, o *order) *member {
	m := o.member
	if m == nil {
		m = b.users.add(newUser(o.query.User, proto.Session(strings.Clone(string(o.session)))))
		b.greet(&m.user)
	}
	if m.session != o.session {
		m.session = proto.Session(strings.Clone(string(o.session)))
	}
	b.users.touch(m, now)
	b.users.bound(rememberedFactor * b.maxUsers)
	if address := wholeRunes(o.address, min(maxAddress, len(o.address))); m.address != address {
		m.address, m.network = strings.Clone(address), networkOf(address)
	}
	name := o.query.Name
	if name == "" {
		name = anonymous
	}
	if m.name != name {
		m.name = strings.Clone(name)
	}
	if o.query.Reset && !o.again {
		m.forgetClocks()
	}
	return m
}
