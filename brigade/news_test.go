package brigade

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"bucketbrigade/proto"
	"pgregory.net/rapid"
)

// checkFits fails if the answer's JSON is longer than the area.
func (r *room) checkFits(area int) {
	r.t.Helper()
	n := len(proto.AppendAnswerJSON(nil, &r.ans))
	if n+63 > area {
		r.t.Errorf("JSON of %d bytes in an area of %d (with up to 63 spaces)", n, area)
	}
}

func chatsJSON(texts ...string) string {
	b, err := json.Marshal(texts)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Long chats come over several answers, each once, in their order, and settings
// that change meanwhile do not wait for them.
func TestLongChatsComeInOrder(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{JSONArea: proto.OldJSONArea})
	ann, bob := r.join(1, 400000, 0), r.join(2, 450000, 0)
	bob.ask(nil)
	ann.ask(nil)
	var want []proto.Chat
	for i := range 40 {
		text := fmt.Sprintf("%02d", i) + strings.Repeat("\\\"\u2028é", 124)
		want = append(want, proto.Chat{"u1", text})
		ann.ask(params{"chat": chatsJSON(text)})
	}
	ann.ask(params{"bpm": "77"})
	var got []proto.Chat
	for answers := 0; len(got) < len(want); answers++ {
		m := bob.ask(nil)
		r.checkFits(proto.OldJSONArea)
		if len(m.Chats) == 0 || len(m.Chats) > 5 || (m.BPM != nil) != (answers == 0) {
			t.Fatalf("answer %d: %d chats, bpm told %t", answers, len(m.Chats), m.BPM != nil)
		}
		got = append(got, m.Chats...)
	}
	if !slices.Equal(got, want) {
		t.Error("the chats are not those that were sent, in their order")
	}
	if m := bob.ask(nil); len(m.Chats) != 0 {
		t.Error("a chat came twice")
	}
}

func TestQueuedChatsAreBounded(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	ann, bob := r.join(1, 400000, 0), r.join(2, 450000, 0)
	bob.ask(nil)
	ann.ask(nil)
	for i := range 25 {
		var texts []string
		for k := range proto.MaxChatsRequest {
			texts = append(texts, fmt.Sprint(i*proto.MaxChatsRequest+k))
		}
		ann.ask(params{"chat": chatsJSON(texts...)})
	}
	m := bob.ask(nil)
	if n := len(m.Chats); n != proto.MaxChatsQueued || m.Chats[0][1] != "50" || m.Chats[n-1][1] != "249" {
		t.Errorf("%d chats from %s on", len(m.Chats), m.Chats[0][1])
	}
}

func TestEventsAreBounded(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	ann := r.join(1, 400000, 0)
	var m proto.Metadata
	for i := range 70 {
		m = ann.ask(params{"event_data": fmt.Sprintf(`[{"evid":"e%d","clock":%d}]`, i, i)})
	}
	n := len(m.Events)
	if n != proto.MaxEvents || string(m.Events[0].ID) != `"e6"` || m.Events[n-1].Clock != 69 {
		t.Errorf("%d events from %s on", n, m.Events[0].ID)
	}
	m = ann.ask(params{"event_data": `[{"evid":"e8","clock":5}]`})
	if len(m.Events) != n || m.Events[2].Clock != 5 || string(m.Events[2].ID) != `"e8"` {
		t.Errorf("a known event does not keep its place: %d events, %+v", len(m.Events), m.Events[:3])
	}
}

// Everything at its worst at once still fits, and gets through in the end.
func TestWorstNewsGetThrough(t *testing.T) {
	t.Parallel()
	names := trackMap{}
	for i := range 300 {
		names[fmt.Sprintf("%03d%s", i, strings.Repeat("\"", 200))] = nil
	}
	for _, area := range []int{proto.OldJSONArea, proto.MaxJSONArea} {
		r := newRoom(t, Config{JSONArea: area, Tracks: names})
		ann := r.join(1, 400000, 0)
		ann.name = strings.Repeat("\x01", proto.MaxNameChars)
		ann.ask(nil)
		id, err := json.Marshal(strings.Repeat("\\", 125))
		if err != nil {
			t.Fatal(err)
		}
		for i := range proto.MaxEvents {
			ann.ask(params{"event_data": fmt.Sprintf(`[{"evid":%s%d","clock":%d}]`, id[:len(id)-1], i, i)})
			r.checkFits(area)
		}
		bob := r.join(2, 450000, 0)
		lyrics := strings.Repeat("\x02", proto.MaxLyricsChars)
		req := ann.request(frame, 0, params{"image": "1", "request_lead": ""})
		req.Lyrics = &lyrics
		r.must(req)
		ann.done(frame)
		bob.ask(nil)
		if m := r.metadata(); m.Lyrics == nil || !strings.HasPrefix(lyrics, strings.TrimSuffix(*m.Lyrics, "…")) || m.BPM == nil ||
			len(*m.Lyrics) < area/8 {
			t.Errorf("area %d: first answer has %d bytes of lyrics: %.300s", area, len(*m.Lyrics), r.ans.Metadata)
		}
		r.checkFits(area)
		ann.ask(params{"chat": chatsJSON(strings.Repeat("\x03", proto.MaxChatChars))})
		r.checkFits(area)
		tracks, chats := 0, 0
		for range 4 {
			m := bob.ask(nil)
			r.checkFits(area)
			chats += len(m.Chats)
			if n := len(m.Events); n < 3 || string(m.Events[n-1].ID) != fmt.Sprintf(`%s%d"`, id[:len(id)-1], proto.MaxEvents-1) {
				t.Errorf("area %d: %d events, or not the newest", area, n)
			}
			if m.Tracks != nil {
				tracks += len(*m.Tracks)
			}
		}
		if tracks < 5 || chats != 1 {
			t.Errorf("area %d: told %d tracks, %d chats", area, tracks, chats)
		}
	}
}

func TestQuotedLen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("\"\\\n\x01\u2028\u2029é€")))).Draw(t, "text")
		text = (&Brigade{}).marshal(text)
		empty := len(proto.AppendAnswerJSON(nil, &proto.Answer{Metadata: "x"})) - 1
		if got, want := quotedLen(text), len(proto.AppendAnswerJSON(nil, &proto.Answer{Metadata: text}))-empty; got != want {
			t.Fatalf("%q takes %d bytes, want %d", text, got, want)
		}
	})
}

func TestCutLyrics(t *testing.T) {
	t.Parallel()
	b := new(Brigade)
	for _, c := range []struct {
		text string
		room int
		want string
	}{
		{"abc", 7, "abc"},    // quotes count: they are escaped
		{"abcdef", 9, "ab…"}, // the ellipsis has three bytes
		{"ééé", 10, "ééé"},
		{"éééé", 10, "é…"},        // no half characters
		{"\n\n\n\n", 14, "\n\n…"}, // a line break takes three
		{"éé", 5, "…"},
	} {
		if got := b.cutLyrics(c.text, c.room); got != c.want {
			t.Errorf("%q in %d bytes: %q, want %q", c.text, c.room, got, c.want)
		}
	}
}

// Lyrics that fit an answer by themselves are told whole: events and chats
// give way.
func TestLyricsComeFirst(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{JSONArea: proto.OldJSONArea})
	ann, bob := r.join(1, 400000, 0), r.join(2, 450000, 0)
	bob.ask(nil)
	ann.ask(nil)
	for i := range 50 {
		ann.ask(params{"event_data": fmt.Sprintf(`[{"evid":"%030d","clock":%d}]`, i, i), "chat": chatsJSON(strings.Repeat("c", 100))})
	}
	lyrics := strings.Repeat("la ", 2800)
	req := ann.request(frame, 0, nil)
	req.Lyrics = &lyrics
	r.must(req)
	m := bob.ask(nil)
	r.checkFits(proto.OldJSONArea)
	if value(t, m.Lyrics) != lyrics || len(m.Events) == 50 {
		t.Errorf("told %d bytes of lyrics, %d events", len(value(t, m.Lyrics)), len(m.Events))
	}
	chats := len(m.Chats)
	for range 3 {
		chats += len(bob.ask(nil).Chats)
	}
	if n := len(r.metadata().Events); chats != 50 || n != 50 {
		t.Errorf("then %d chats, %d events", chats, n)
	}
}
