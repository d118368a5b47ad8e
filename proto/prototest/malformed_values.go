package prototest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"bucketbrigade/proto"
)

func lengths() []Case {
	base := "userid={userid}&read_clock={read_clock}"
	cases := []Case{
		{Name: "nothing to hear or to sing", Query: base, Code: 400, Names: "n_samples"},
		{Name: "n_samples 0 and no packets", Query: base + "&n_samples=0", Code: 400, Names: "n_samples"},
	}
	for _, v := range []string{
		"-2880", "-1", "1", "2879", "2881", "48959", "48961", "51840", "1000000000000", "99999999999999999999",
		"2880.0", "2.88e3", "all", "nan",
	} {
		cases = append(cases, Case{
			Name: "n_samples " + v, Query: base + "&n_samples=" + v, Code: 400, Names: v,
		})
	}
	return append(cases, each("json_len", "-1", "1.5", "some", "nan", "262145", "99999999999999999999")...)
}

func metronome() []Case {
	return slices.Concat(
		each("bpm", "501", "-1", "120.5", "12abc", "nan", "inf", "1e2", "2880001", "99999999999999999999"),
		each("repeats", "21", "-1", "1.5", "often", "1000000000"),
		each("bpr", "501", "-1", "1.5", "four", "1000000000"),
	)
}

func volumes() []Case {
	var cases []Case
	for _, key := range []string{"volume", "backing_volume", "user_backing_volume"} {
		cases = append(cases, each(key,
			"nan", "NaN", "-nan", "inf", "+inf", "-inf", "Infinity", "-0.01", "2.0001", "103", "1e400", "-1e400",
			"loud", "1,5", "1.5.", " ", "[1]")...)
	}
	return cases
}

func micVolumes() []Case {
	cases := each("mic_volume",
		`loud`, `null`, `1`, `"1"`, `{"1": 1}`, `[1]`, `[null]`, `[[]]`, `[["1"]]`, `[["1", 1, 1]]`, `[[1, 1]]`,
		`[["1", "1"]]`, `[["1", null]]`, `[["1", true]]`, `[["1", [1]]]`, `[[null, 1]]`, `[["1", 1]`, `[["1", 1]] x`,
		`[["1", NaN]]`, `[["1", nan]]`, `[["1", Infinity]]`, `[["1", -Infinity]]`, `[["1", 1e999]]`,
		`[["", 1]]`, `[["007", 1]]`, `[["-1", 1]]`, `[["bass", 1]]`, `[["18446744073709551616", 1]]`,
		`[["1", 1], ["2", NaN]]`)
	many := "[" + strings.Repeat(`["1",1],`, proto.MaxMicVolumes) + `["1",1]]`
	return append(cases, with("mic_volume of too many", "mic_volume", many, 429, "257"))
}

func chats() []Case {
	cases := each("chat",
		`hello`, `"hello"`, `null`, `1`, `{"0": "hello"}`, `[1]`, `[null]`, `[["hello"]]`, `["hello", 1]`, `["hello"`,
		`["hello"] x`, `['hello']`)
	return append(cases,
		with("chat of too many", "chat", "["+strings.Repeat(`"a",`, proto.MaxChatsRequest)+`"a"]`, 429, "11"),
		with("chat too long", "chat", `["`+strings.Repeat("a", proto.MaxChatChars+1)+`"]`, 413, "501"),
		with("chat too long, not ASCII", "chat", `["`+strings.Repeat("\u00e9", proto.MaxChatChars+1)+`"]`, 413, "501"),
		with("second chat too long", "chat", `["a","`+strings.Repeat("a", proto.MaxChatChars+1)+`"]`, 413, "501"),
	)
}

// events leaves out what is no list: that is ignored.
func events() []Case {
	cases := each("event_data",
		`[1]`, `[null]`, `["a"]`, `[[]]`, `[{}]`, `[{"evid": "a"}]`, `[{"clock": 1}]`, `[{"evid": "a", "clock": "1"}]`,
		`[{"evid": "a", "clock": 1.5}]`, `[{"evid": "a", "clock": null}]`, `[{"evid": "a", "clock": 1e999}]`,
		`[{"evid": {"a": 1}, "clock": 1}]`, `[{"evid": ["a"], "clock": 1}]`,
		`[{"evid": "a", "clock": 1152921504606846977}]`, `[{"evid": "a", "clock": -1152921504606846977}]`,
		`[{"evid": "a", "clock": 1}, {"evid": "b"}]`)
	many := "[" + strings.Repeat(`{"evid":1,"clock":1},`, proto.MaxEvents) + `{"evid":1,"clock":1}]`
	long := fmt.Sprintf(`[{"evid":%q,"clock":1}]`, strings.Repeat("a", proto.MaxEventIDBytes-1))
	return append(cases,
		with("event_data of too many", "event_data", many, 429, "65"),
		with("event id too long", "event_data", long, 413, "257"),
	)
}

func words() []Case {
	name := func(what, value string) Case {
		return Case{
			Name: "username " + what, Query: singing + "&username=" + url.QueryEscape(value),
			Body: sung(), Code: 413, Names: "65",
		}
	}
	return append(
		each("client_telemetry", `[1]`, `null`, `1`, `"a"`, `fast`, `{"a": NaN}`, `{"a": 1`, `{"a": 1} x`, `{a: 1}`),
		with("client_telemetry too long", "client_telemetry", `{"a":"`+strings.Repeat("a", proto.MaxTelemetryBytes-7)+`"}`, 413, "4097"),
		with("client_telemetry too deep", "client_telemetry",
			strings.Repeat(`{"a":`, proto.MaxTelemetryDepth)+"[]"+strings.Repeat("}", proto.MaxTelemetryDepth), 400, "17"),
		with("track name too long", "track", strings.Repeat("t", proto.MaxTrackBytes+1), 413, "256"),
		with("track name too long, not ASCII", "track", strings.Repeat("\u00e9", proto.MaxTrackBytes/2+1), 413, "256"),
		name("too long", strings.Repeat("n", proto.MaxNameChars+1)),
		name("too long, not ASCII", strings.Repeat("\U0001F3B5", proto.MaxNameChars+1)),
		name("too long, not UTF-8", strings.Repeat("\xff", proto.MaxNameChars+1)),
	)
}
