package brigade

import (
	"bytes"
	"slices"

	"bucketbrigade/proto"
)

// setEvents remembers events, by their id. A known id gets the new clock and
// keeps its place; beyond proto.MaxEvents the ones that came first are
// forgotten.
func (b *Brigade) setEvents(events []proto.Event) {
	b.eventsChanged = b.eventsChanged || len(events) > 0
	for _, e := range events {
		i := slices.IndexFunc(b.events, func(have proto.Event) bool { return bytes.Equal(have.ID, e.ID) })
		if i >= 0 {
			b.events[i].Clock = e.Clock
		} else {
			b.events = append(b.events, e)
		}
	}
	if over := len(b.events) - proto.MaxEvents; over > 0 {
		b.events = slices.Delete(b.events, 0, over)
	}
}
