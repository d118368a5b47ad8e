package brigade

import (
	"encoding/json"

	"bucketbrigade/proto"
)

// queueSize is the length of the ring as clients want it: in blocks of 128.
const queueSize = proto.RingSamples / 128

// metadata makes the JSON that goes to u. before is the clock of the request
// before this one.
func (b *Brigade) metadata(now, before proto.Clock, u *user, o *order) string {
	s := &b.state
	m := proto.Metadata{
		ServerClock:      now,
		ServerSampleRate: proto.SampleRate,
		LastRequestClock: before,
		ClientReadClock:  o.hears,
		SongEndClock:     s.songEnd,
		SongStartClock:   s.songStart,
		Samples:          o.samples,
		ConnectedUsers:   b.users.active,
		QueueSize:        queueSize,
		Events:           b.events,
		Leader:           s.leaderName(),
		PeopleHeard:      b.peopleHeard(u, o),
		Chats:            u.queued.chats,
	}
	if o.query.HasWrite {
		b.wrote = o.query.Write
		m.ClientWriteClock = &b.wrote
	}
	if m.Events == nil {
		m.Events = []proto.Event{}
	}
	if m.Chats == nil {
		m.Chats = []proto.Chat{}
	}
	keys := u.queued.keys
	if keys != 0 {
		b.fillNews(&m.News, keys, u)
	}
	text := b.marshalMetadata(&m)
	if len(text)*mostQuoted > b.jsonRoom && quotedLen(text) > b.jsonRoom {
		keys = b.fit(&m, keys)
		text = b.marshalMetadata(&m)
	}
	u.markTold(keys, len(m.Chats))
	return text
}

// marshalMetadata gives the JSON of m, which lies in memory that is used again.
func (b *Brigade) marshalMetadata(m *proto.Metadata) string {
	b.text = proto.AppendMetadataJSON(b.text[:0], m)
	return view(b.text)
}

// marshal gives the JSON of v, raw UTF-8.
func (b *Brigade) marshal(v any) string {
	b.json.Reset()
	e := json.NewEncoder(&b.json)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("brigade: an answer is no JSON: " + err.Error())
	}
	return string(b.json.Bytes()[:b.json.Len()-1]) // without the newline
}
