package brigade

import (
	"bucketbrigade/durable"
	"bucketbrigade/proto"
)

// The kinds of records that are kept.
const (
	keptState = iota
	keptUsers
	keptChats
	keptLyrics
	keptEvents
	keptControl
)

// recordsVersion is that of the records. Whoever changes what stands in one counts
// it up: what is new is read with Coder.Since, and the version before must stay
// readable.
const recordsVersion = 1

const (
	// chatsKept is how many of the last chats are kept, whoever waits for them.
	chatsKept = 1024

	// What strings may have, in bytes; proto bounds most of them in characters.
	maxNameBytes = 4 * proto.MaxNameChars
	maxChatBytes = 4 * proto.MaxChatChars
	maxNameValue = 255 // of tracks and images: names of files

	stateBytes   = 512 + 3*maxNameValue
	userBytes    = 384 + maxNameBytes + proto.MaxSessionBytes + maxAddress + 2*proto.MaxChatsQueued
	chatBytes    = 16 + maxNameBytes + maxChatBytes
	lyricsBytes  = 8 + proto.MaxLyricsBytes
	eventsBytes  = 8 + proto.MaxEvents*(2+proto.MaxEventIDBytes+8)
	controlBytes = 32 + doneNonces*(2+proto.MaxNonceBytes)
)

// StoreLayout is what Config.Store must hold for a brigade of so many users, 0 for
// proto.DefaultMaxUsers, with stems or without.
func StoreLayout(maxUsers int, stems bool, identity durable.Identity) durable.Layout {
	if maxUsers == 0 {
		maxUsers = proto.DefaultMaxUsers
	}
	return durable.Layout{
		Version:  recordsVersion,
		Identity: identity,
		Kinds: []durable.Kind{
			keptState:   {Slots: 1, Bytes: stateBytes},
			keptUsers:   {Slots: rememberedFactor*maxUsers + 1, Bytes: userBytes}, // one comes before another goes
			keptChats:   {Slots: chatsKept, Bytes: chatBytes},
			keptLyrics:  {Slots: 1, Bytes: lyricsBytes},
			keptEvents:  {Slots: 1, Bytes: eventsBytes},
			keptControl: {Slots: 1, Bytes: controlBytes},
		},
		LogBytes: savedMost(stems),
	}
}

// commit commits what a request or a tick has changed. Nothing of it may be told to
// anybody before.
func (b *Brigade) commit() {
	if s := b.store; s != nil {
		b.codeState(s.Write(keptState, 0))
		s.End()
		for _, m := range b.users.changed {
			if m.slot >= 0 {
				m.code(s.Write(keptUsers, m.slot), b.said)
				s.End()
			}
		}
		for _, slot := range b.users.left {
			s.Empty(keptUsers, slot)
		}
		b.keepRare(s)
		s.Commit()
	}
	b.users.kept()
	b.eventsChanged, b.control.changed, b.keptLyrics = false, false, b.state.lyrics
}

// keepRare writes the records of what rarely changes.
func (b *Brigade) keepRare(s *durable.Store) {
	if b.state.lyrics != b.keptLyrics {
		s.Write(keptLyrics, 0).Text(&b.state.lyrics, proto.MaxLyricsBytes)
		s.End()
	}
	if b.eventsChanged {
		b.codeEvents(s.Write(keptEvents, 0))
		s.End()
	}
	if b.control.changed {
		b.control.code(s.Write(keptControl, 0))
		s.End()
	}
}

// keepChat writes the record of a chat; it counts with what is kept next.
func (b *Brigade) keepChat(k keptChat) {
	if b.store != nil {
		k.code(b.store.Write(keptChats, int(k.number%uint64(b.store.Slots(keptChats)))))
		b.store.End()
	}
}
