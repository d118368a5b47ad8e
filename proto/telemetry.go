package proto

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// parseTelemetry reads what a client tells of itself: a JSON object, within
// MaxTelemetryBytes without blanks and MaxTelemetryDepth. It is given without
// blanks.
func parseTelemetry(s string) (json.RawMessage, error) {
	var b bytes.Buffer
	if json.Compact(&b, []byte(s)) != nil || b.Bytes()[0] != '{' {
		return nil, malformed("client_telemetry %s is not a JSON object", Shown(s))
	}
	if depth := nesting(b.Bytes()); depth > MaxTelemetryDepth {
		return nil, malformed("client_telemetry %s is nested %d deep, at most %d are taken", Shown(s), depth, MaxTelemetryDepth)
	}
	if b.Len() > MaxTelemetryBytes {
		return nil, Refuse(http.StatusRequestEntityTooLarge,
			"client_telemetry %s has %d bytes, at most %d are taken", Shown(s), b.Len(), MaxTelemetryBytes)
	}
	return b.Bytes(), nil
}

// nesting is how deep objects and lists lie inside each other in valid JSON:
// {} is 1, {"a": [1]} is 2.
func nesting(valid []byte) int {
	depth, deepest, inString := 0, 0, false
	for i := 0; i < len(valid); i++ {
		switch c := valid[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

// MergeTelemetry adds what a client tells now to what it told before: objects
// are merged key by key, lists are joined, everything else is overwritten.
//
//	{"a": {"x": 1}, "b": [1], "c": 1}  and  {"a": {"y": 2}, "b": [2], "c": 2}
//	{"a": {"x": 1, "y": 2}, "b": [1, 2], "c": 2}
//
// Numbers stay as they were written. If the whole would be longer than
// MaxTelemetryBytes, only what is told now is kept. Both are objects as a Query
// holds them; have may be nil.
func MergeTelemetry(have, more json.RawMessage) json.RawMessage {
	if have == nil {
		return more
	}
	merged := appendJSON(nil, mergeJSON(decodeJSON(have), decodeJSON(more)))
	if len(merged) > MaxTelemetryBytes {
		return more
	}
	return merged
}

// mergeJSON merges more into have, which is used up.
func mergeJSON(have, more any) any {
	switch more := more.(type) {
	case map[string]any:
		if have, ok := have.(map[string]any); ok {
			for k, v := range more {
				if old, ok := have[k]; ok {
					v = mergeJSON(old, v)
				}
				have[k] = v
			}
			return have
		}
	case []any:
		if have, ok := have.([]any); ok {
			return append(have, more...)
		}
	}
	return more
}

// decodeJSON reads valid JSON; numbers stay text, so that none overflows.
func decodeJSON(valid []byte) (v any) {
	d := json.NewDecoder(bytes.NewReader(valid))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		panic("proto: telemetry that was checked is no JSON: " + err.Error())
	}
	return v
}
