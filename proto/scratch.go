package proto

import (
	"bytes"
	"encoding/json"
	"errors"
)

// Scratch is memory to read messages into, so that reading one allocates
// nothing. The strings and pointers of a message that was read into a Scratch
// lie in it: they are gone, which is to say changed, when the next message is
// loaded. Who keeps one of them keeps a copy.
//
// The zero value is ready. A Scratch belongs to one goroutine at a time.
type Scratch struct {
	json []byte // the message
	text []byte // its strings that had escapes

	lyrics  string
	readEnd Clock
	span    Span // Request.Want or Answer.Span
	held    Held
	reads   [MaxHeldReads]HeldRead
}

// Load copies the JSON of a message; data may change meanwhile and afterwards.
func (m *Scratch) Load(data []byte) { m.json = append(m.json[:0], data...) }

// scan starts to read what was loaded.
func (m *Scratch) scan() scanner {
	if cap(m.text) < len(m.json) {
		m.text = make([]byte, 0, cap(m.json))
	}
	return scanner{src: m.json, text: m.text[:0]}
}

// unmarshal is json.Unmarshal of what was loaded into a struct that does not
// take null, which json would silently read as an empty object.
func (m *Scratch) unmarshal(object any) error { return unmarshalObject(m.json, object) }

func unmarshalObject(data []byte, object any) error {
	if string(bytes.TrimSpace(data)) == "null" {
		return errors.New("null is not an object")
	}
	return json.Unmarshal(data, object)
}
