package brigade

import (
	"sort"
	"unicode/utf8"

	"bucketbrigade/proto"
)

// envelope is what an answer's JSON needs beside the metadata: the keys, the
// span of the audio, and up to 64 spaces that align the data behind it.
const envelope = 192

// fit cuts metadata down to what fits an answer and gives the keys that it
// still tells. What is cut waits for the next answers:
//
//   - settings and the token for the video call are short and always go;
//   - lyrics come next, and if they are too long for any answer, their
//     beginning;
//   - events take at most half of what is left then, the newest of them: they
//     come with every answer and can miss in one;
//   - the list of tracks follows, in an answer without lyrics its beginning
//     if nothing else is possible;
//   - then chats, in their order, as many as fit.
//
// The sizes that count are those after the second escaping: metadata is JSON
// inside of a JSON string.
func (b *Brigade) fit(m *proto.Metadata, keys newsKeys) newsKeys {
	events, chats, lyrics, tracks := m.Events, m.Chats, m.Lyrics, m.Tracks
	m.Events, m.Chats, m.Lyrics, m.Tracks = []proto.Event{}, []proto.Chat{}, nil, nil
	left := b.jsonRoom - quotedLen(b.marshalMetadata(m))

	if lyrics != nil {
		cut := b.cutLyrics(*lyrics, left-keyLen("lyrics"))
		m.Lyrics = &cut
		left -= keyLen("lyrics") + b.costOf(cut)
	}
	kept := b.howMany(len(events), left/2, func(i int) any { return events[len(events)-1-i] })
	m.Events = events[len(events)-kept:]
	left = b.jsonRoom - quotedLen(b.marshalMetadata(m))
	if tracks != nil {
		room := left - keyLen("tracks")
		n := b.howMany(len(*tracks), room-len("[]"), func(i int) any { return (*tracks)[i] })
		switch {
		case n == len(*tracks):
			m.Tracks = tracks
		case lyrics == nil && room > 0:
			some := (*tracks)[:n]
			m.Tracks = &some
		default:
			keys &^= newsTracks
		}
		if m.Tracks != nil {
			left -= keyLen("tracks") + b.costOf(*m.Tracks)
		}
	}
	m.Chats = chats[:b.howMany(len(chats), left, func(i int) any { return chats[i] })]
	return keys
}

// costOf is what a JSON value takes inside of an answer.
func (b *Brigade) costOf(v any) int { return quotedLen(b.marshal(v)) }

// keyLen is what a key takes inside of an answer: comma, quotes, colon.
func keyLen(key string) int { return len(`,\"\":`) + len(key) }

// howMany of n list items fit in room, counted from the first one that item
// gives.
func (b *Brigade) howMany(n, room int, item func(i int) any) int {
	for i := range n {
		room -= b.costOf(item(i)) + len(",")
		if room < 0 {
			return i
		}
	}
	return n
}

// cutLyrics gives as much of the text as takes at most room bytes, with an
// ellipsis if that is not all.
func (b *Brigade) cutLyrics(text string, room int) string {
	if b.costOf(text) <= room {
		return text
	}
	const ellipsis = "…"
	n := sort.Search(len(text), func(n int) bool { return b.costOf(wholeRunes(text, n+1)+ellipsis) > room })
	return wholeRunes(text, n) + ellipsis
}

// wholeRunes is the beginning of text of at most n bytes that splits no
// character.
func wholeRunes(text string, n int) string {
	for n > 0 && n < len(text) && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// mostQuoted is how many bytes one can become inside of a JSON string.
const mostQuoted = 6

// quotedLen is the length of text inside of a JSON string.
func quotedLen(text string) int {
	n := len(text)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			n++
		case c < ' ':
			n += 5
		case c == 0xE2 && (hasAt(text, i, "\u2028") || hasAt(text, i, "\u2029")):
			n += 3
		}
	}
	return n
}

func hasAt(text string, i int, what string) bool {
	return len(text) >= i+len(what) && text[i:i+len(what)] == what
}
