package proto

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"unicode/utf8"
)

// lists parses the parameters that carry JSON.
func (v Values) lists(q *Query) (err error) {
	if s := v.Get("mic_volume"); s != "" {
		if q.MicVolumes, err = parseMicVolumes(s); err != nil {
			return err
		}
	}
	if s := v.Get("chat"); s != "" {
		if q.Chats, err = parseChats(s); err != nil {
			return err
		}
	}
	if s := v.Get("event_data"); s != "" {
		if q.Events, err = parseEvents(s); err != nil {
			return err
		}
	}
	if s := v.Get("client_telemetry"); s != "" {
		if q.Telemetry, err = parseTelemetry(s); err != nil {
			return err
		}
	}
	return nil
}

// parseMicVolumes reads [["userid", volume], …]. A volume outside 0..2 is
// clamped; one that is no finite number is refused.
func parseMicVolumes(s string) ([]MicVolume, error) {
	var rows [][]json.RawMessage
	if err := json.Unmarshal([]byte(s), &rows); err != nil || rows == nil {
		return nil, malformed("mic_volume %s is not a list of [userid, volume]", Shown(s))
	}
	if len(rows) > MaxMicVolumes {
		return nil, Refuse(http.StatusTooManyRequests,
			"mic_volume names %d users, at most %d are taken at once", len(rows), MaxMicVolumes)
	}
	out := make([]MicVolume, len(rows))
	for i, row := range rows {
		var id string
		var volume *float64
		if len(row) != 2 || json.Unmarshal(row[0], &id) != nil ||
			json.Unmarshal(row[1], &volume) != nil || volume == nil {
			return nil, malformed("mic_volume %s is not a list of [userid, volume]", Shown(s))
		}
		u, err := ParseUserID("mic_volume user", id)
		if err != nil {
			return nil, err
		}
		out[i] = MicVolume{u, math.Max(0, math.Min(MaxVolume, *volume))}
	}
	return out, nil
}

// parseChats reads ["message", …].
func parseChats(s string) ([]string, error) {
	var texts []*string
	if json.Unmarshal([]byte(s), &texts) != nil || texts == nil {
		return nil, malformed("chat %s is not a JSON list of strings", Shown(s))
	}
	if len(texts) > MaxChatsRequest {
		return nil, Refuse(http.StatusTooManyRequests,
			"chat has %d messages, at most %d are taken at once", len(texts), MaxChatsRequest)
	}
	out := make([]string, len(texts))
	for i, t := range texts {
		if t == nil {
			return nil, malformed("chat %s is not a JSON list of strings", Shown(s))
		}
		if n := utf8.RuneCountInString(*t); n > MaxChatChars {
			return nil, Refuse(http.StatusRequestEntityTooLarge,
				"chat message %s has %d characters, at most %d are taken", Shown(*t), n, MaxChatChars)
		}
		out[i] = *t
	}
	return out, nil
}

// parseEvents reads [{"evid": …, "clock": …}, …]. Text that is no JSON list is
// ignored; a list with a malformed element is refused.
func parseEvents(s string) ([]Event, error) {
	var rows []json.RawMessage
	if json.Unmarshal([]byte(s), &rows) != nil {
		return nil, nil
	}
	if len(rows) > MaxEvents {
		return nil, Refuse(http.StatusTooManyRequests,
			"event_data has %d events, at most %d are remembered", len(rows), MaxEvents)
	}
	out := make([]Event, len(rows))
	for i, row := range rows {
		var e struct {
			ID    json.RawMessage `json:"evid"`
			Clock *Clock          `json:"clock"`
		}
		if json.Unmarshal(row, &e) != nil || e.ID == nil || e.Clock == nil ||
			e.ID[0] == '{' || e.ID[0] == '[' || *e.Clock < -maxClock || *e.Clock > maxClock {
			return nil, malformed("event_data element %s is not {\"evid\": scalar, \"clock\": integer}",
				Shown(string(row)))
		}
		id, err := compactID(e.ID)
		if err != nil {
			return nil, err
		}
		out[i] = Event{id, *e.Clock}
	}
	return out, nil
}

func compactID(raw json.RawMessage) (json.RawMessage, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		panic("proto: a decoded event id is no JSON: " + err.Error())
	}
	if b.Len() > MaxEventIDBytes {
		return nil, Refuse(http.StatusRequestEntityTooLarge,
			"event id %s has %d bytes, at most %d are taken", Shown(b.String()), b.Len(), MaxEventIDBytes)
	}
	return b.Bytes(), nil
}
