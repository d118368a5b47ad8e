package proto_test

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"bucketbrigade/proto"
)

// parseOne parses a query of one escaped parameter.
func parseOne(key, value string) (proto.Query, error) {
	return proto.ParseQuery(key + "=" + url.QueryEscape(value))
}

func TestMicVolumes(t *testing.T) {
	t.Parallel()
	for s, want := range map[string][]proto.MicVolume{
		`[]`:                    {},
		` [ [ "1" , 0.5 ] ] `:   {{User: 1, Volume: 0.5}},
		`[["1",0],["2",2]]`:     {{User: 1, Volume: 0}, {User: 2, Volume: 2}},
		`[["1",-0.001]]`:        {{User: 1, Volume: 0}},
		`[["1",2.001]]`:         {{User: 1, Volume: 2}},
		`[["1",-1e308]]`:        {{User: 1, Volume: 0}},
		`[["1",1e308]]`:         {{User: 1, Volume: 2}},
		`[["1",1],["1",0.25]]`:  {{User: 1, Volume: 1}, {User: 1, Volume: 0.25}},
		`[["\u0031",1]]`:        {{User: 1, Volume: 1}},
		`[["0",1.5e0]]`:         {{User: 0, Volume: 1.5}},
		`[["1844674407370",1]]`: {{User: 1844674407370, Volume: 1}},
	} {
		q, err := parseOne("mic_volume", s)
		if err != nil || !reflect.DeepEqual(q.MicVolumes, want) {
			t.Errorf("%s: %v, %v; want %v", s, q.MicVolumes, err, want)
		}
	}
	entries := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat(`["1",1],`, n), ",") + "]" }
	for _, c := range []struct {
		value string
		code  int
		names string
	}{
		{entries(255), 0, ""},
		{entries(256), 0, ""},
		{entries(257), 429, "257"},
		{`[["1",NaN]]`, 400, "NaN"},
		{`[["1",Infinity]]`, 400, "Infinity"},
		{`[["1",1e309]]`, 400, "1e309"},
		{`[["1",null]]`, 400, "null"},
		{`[["1",1,1]]`, 400, "[userid, volume]"},
		{`[["01",1]]`, 400, "01"},
		{`[["1",1],["-7",1]]`, 400, "-7"},
		{`null`, 400, "null"},
	} {
		_, err := parseOne("mic_volume", c.value)
		wantRefusal(t, proto.Shown(c.value), err, c.code, c.names)
	}
}

func TestChats(t *testing.T) {
	t.Parallel()
	for s, want := range map[string][]string{
		`[]`:                             {},
		`["la"]`:                         {"la"},
		` ["", " "] `:                    {"", " "},
		`["\u00e9", "\ud83c\udfb5"]`:     {"\u00e9", "\U0001F3B5"},
		`["\ud800"]`:                     {"\ufffd"},
		"[\"\xff\"]":                     {"\ufffd"},
		`["<b>&amp;", "a\u0000\nb"]`:     {"<b>&amp;", "a\x00\nb"},
		`["` + "\u2028\U0001F600" + `"]`: {"\u2028\U0001F600"},
	} {
		q, err := parseOne("chat", s)
		if err != nil || !reflect.DeepEqual(q.Chats, want) {
			t.Errorf("%s: %q, %v; want %q", s, q.Chats, err, want)
		}
	}
	messages := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat(`"a",`, n), ",") + "]" }
	of := func(n int, char string) string { return `["` + strings.Repeat(char, n) + `"]` }
	for _, c := range []struct {
		value string
		code  int
		names string
	}{
		{messages(9), 0, ""},
		{messages(10), 0, ""},
		{messages(11), 429, "11"},
		{of(499, "a"), 0, ""},
		{of(500, "a"), 0, ""},
		{of(500, "\U0001F3B5"), 0, ""},
		{of(500, `\n`), 0, ""},
		{of(501, "a"), 413, "501"},
		{of(501, "\u00e9"), 413, "501"},
		{`["a", null]`, 400, "null"},
		{`null`, 400, "null"},
		{`["a", 7]`, 400, "7"},
		{`"a"`, 400, "a"},
	} {
		_, err := parseOne("chat", c.value)
		wantRefusal(t, proto.Shown(c.value), err, c.code, c.names)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	event := func(id string, clock proto.Clock) proto.Event { return proto.Event{ID: []byte(id), Clock: clock} }
	for s, want := range map[string][]proto.Event{
		// What is no JSON list is ignored.
		`intro`: nil, `{"evid": 1, "clock": 2}`: nil, `"a"`: nil, `5`: nil, `[1`: nil, `[1] x`: nil,
		`[]`:                              {},
		`[{"evid": "a", "clock": 12}]`:    {event(`"a"`, 12)},
		`[{"clock": -5, "evid": 1.50 }]`:  {event(`1.50`, -5)},
		`[{"evid":null,"clock":0,"x":1}]`: {event(`null`, 0)},
		`[{"evid":true,"clock":1},{"evid":false,"clock":2}]`: {event(`true`, 1), event(`false`, 2)},
		`[{"evid":"\u00e9","clock":1152921504606846976}]`:    {event(`"\u00e9"`, 1<<60)},
		`[{"evid":"","clock":-1152921504606846976}]`:         {event(`""`, -1<<60)},
	} {
		q, err := parseOne("event_data", s)
		if err != nil || !reflect.DeepEqual(q.Events, want) {
			t.Errorf("%s: %s, %v; want %s", s, q.Events, err, want)
		}
	}
	marks := func(n int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(`{"evid":1,"clock":1},`, n), ",") + "]"
	}
	id := func(n int) string { return fmt.Sprintf(`[{"evid":%q,"clock":1}]`, strings.Repeat("a", n-2)) }
	for _, c := range []struct {
		value string
		code  int
		names string
	}{
		{marks(63), 0, ""},
		{marks(64), 0, ""},
		{marks(65), 429, "65"},
		{id(255), 0, ""},
		{id(256), 0, ""},
		{id(257), 413, "257"},
		{`[{"evid":"a","clock":1152921504606846977}]`, 400, "evid"},
		{`[{"evid":"a","clock":-1152921504606846977}]`, 400, "evid"},
		{`[{"evid":"a","clock":9223372036854775808}]`, 400, "evid"},
		{`[{"evid":"a","clock":1.5}]`, 400, "1.5"},
		{`[{"evid":"a","clock":NaN}]`, 0, ""}, // no JSON: ignored
		{`[{"evid":"a","clock":null}]`, 400, "null"},
		{`[{"evid":["a"],"clock":1}]`, 400, "evid"},
		{`[{"evid":{},"clock":1}]`, 400, "evid"},
		{`[{"evid":"a"}]`, 400, "evid"},
		{`[{"clock":17}]`, 400, "17"},
		{`[null]`, 400, "null"},
		{`[17]`, 400, "17"},
	} {
		_, err := parseOne("event_data", c.value)
		wantRefusal(t, proto.Shown(c.value), err, c.code, c.names)
	}
}

func TestTelemetry(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value string
		code  int
	}{
		{`{}`, 0},
		{`{"a":{"b":[1,null]}}`, 0},
		{`[]`, 400},
		{`null`, 400},
		{`1`, 400},
		{`{"a": NaN}`, 400},
		{`{"a": 1`, 400},
		{strings.Repeat(`[`, 12000), 400},
		{`{"a":` + strings.Repeat(`[`, 12000), 400},
	} {
		q, err := proto.ParseQuery("client_telemetry=" + c.value) // nothing in it needs an escape
		wantRefusal(t, proto.Shown(c.value), err, c.code, "client_telemetry")
		if err == nil && string(q.Telemetry) != c.value {
			t.Errorf("%s became %s", c.value, q.Telemetry)
		}
	}
}
