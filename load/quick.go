package load

import (
	"bytes"

	"bucketbrigade/proto"
)

// fullLook is how often an answer's metadata is read as JSON; of the others only
// the keys that matter are looked for, which costs a twentieth.
const fullLook = 8

// quick reads what is looked at from metadata without parsing all of it; false
// says that it has to be parsed. Within a JSON string a quotation mark has a
// backslash before it, so that "key": can only be a key.
func (t *told) quick(metadata []byte) bool {
	var server, read, song, end, samples, users int64
	for _, want := range []struct {
		key string
		to  *int64
	}{
		{`"server_clock":`, &server}, {`"client_read_clock":`, &read}, {`"n_samples":`, &samples},
		{`"n_connected_users":`, &users}, {`"song_start_clock":`, &song}, {`"song_end_clock":`, &end},
	} {
		var ok bool
		if *want.to, ok = numberAt(metadata, want.key); !ok {
			return false
		}
	}
	if !bytes.Contains(metadata, []byte(`"events":[`)) || !bytes.Contains(metadata, []byte(`"chats":[`)) ||
		bytes.Contains(metadata, []byte(`"sample_rate"`)) || bytes.Contains(metadata, []byte(`"delay_seconds"`)) {
		return false
	}
	serverClock, readClock, songClock, n, connected := proto.Clock(server), proto.Clock(read), proto.Clock(song), int(samples), int(users)
	t.ServerClock, t.ClientReadClock, t.SongStart, t.SongEnd = &serverClock, &readClock, &songClock, proto.Clock(end)
	t.Samples, t.ConnectedUsers = &n, &connected
	return true
}

// numberAt reads the whole number behind a key, not negative and of at most 18
// digits.
func numberAt(text []byte, key string) (n int64, ok bool) {
	at := bytes.Index(text, []byte(key))
	if at < 0 {
		return 0, false
	}
	digits := 0
	for _, c := range text[at+len(key):] {
		switch {
		case c == ' ' && digits == 0:
			continue
		case c >= '0' && c <= '9' && digits < 18:
			n, digits = 10*n+int64(c-'0'), digits+1
			continue
		}
		return n, digits > 0 && (c == ',' || c == '}')
	}
	return 0, false
}
