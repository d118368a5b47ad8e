package load

import (
	"encoding/json"
	"fmt"
	"testing"

	"bucketbrigade/proto"
)

// The quick look sees what the parser sees, or leaves it to the parser.
func FuzzQuick(f *testing.F) {
	nine := 9
	m := proto.Metadata{
		ServerClock: 86190936981873, ServerSampleRate: 48000, ClientReadClock: 86190936833583, SongStartClock: 1, Samples: 28800,
		ConnectedUsers: 3, Events: []proto.Event{}, Chats: []proto.Chat{{"ann", `say "n_samples": 7, \"n_samples":8`}},
	}
	for range 2 {
		text, err := json.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
		m.DelaySeconds = &nine
	}
	f.Add([]byte(`{"server_clock": 1.5}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		// The quick look trusts that it is an object of unnested numbers, as
		// servers send; the parser sees every eighth.
		var keys map[string]json.RawMessage
		var full, quick told
		if json.Unmarshal(text, &keys) != nil || json.Unmarshal(text, &full) != nil || full.check() != nil || !quick.quick(text) {
			return
		}
		for _, key := range []string{"server_clock", "client_read_clock", "n_samples", "n_connected_users", "song_start_clock", "song_end_clock"} {
			if len(keys[key]) == 0 || keys[key][0] < '0' || keys[key][0] > '9' {
				return
			}
		}
		if n := countKeys(text); n != len(keys) {
			return // nested objects, or a key twice
		}
		quick.Events, quick.Chats = full.Events, full.Chats
		if a, b := show(full), show(quick); a != b {
			t.Errorf("%s: parsed %s, seen %s", text, a, b)
		}
	})
}

func show(t told) string {
	return fmt.Sprint(*t.ServerClock, *t.ClientReadClock, *t.Samples, *t.ConnectedUsers, *t.SongStart, t.SongEnd, t.DelaySeconds)
}

// countKeys counts what looks like a key.
func countKeys(text []byte) (n int) {
	inside := false
	for i := 0; i < len(text); i++ {
		switch {
		case inside && text[i] == '\\':
			i++
		case text[i] == '"':
			inside = !inside
		case !inside && text[i] == ':':
			n++
		}
	}
	return n
}

func TestQuick(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"a":5}`:                   "5 true",
		`{"a": 86190936981873, "b"`: "86190936981873 true",
		`{"x":"\"a\":6","a":5}`:     "5 true",
		`{"a":-5}`:                  "0 false",
		`{"a":5.5}`:                 "5 false",
		`{"a":null}`:                "0 false",
		`{"a":`:                     "0 false",
		`{"b":5}`:                   "0 false",
		`{"a":1234567890123456789}`: "123456789012345678 false",
	} {
		n, ok := numberAt([]byte(text), `"a":`)
		if got := fmt.Sprint(n, ok); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
