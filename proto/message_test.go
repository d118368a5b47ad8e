package proto_test

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"bucketbrigade/proto"
)

func TestRequestJSONGolden(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		req  proto.Request
		json string
	}{
		{"nothing", proto.Request{}, `{}`},
		{"clock", proto.Request{Kind: proto.KindClock}, `{"request":"get_clock"}`},
		{"uploaded", proto.Request{Kind: proto.KindUploaded, Upload: "track-1.wav"}, `{"request":"uploaded","upload":"track-1.wav"}`},
		{"telemetry", proto.Request{Kind: proto.KindTelemetry}, `{"request":"get_telemetry"}`},
		{
			"as of the first generation",
			proto.Request{QueryString: "userid=1&username=a%20b&x=<>", ClientAddress: "192.0.2.1"},
			`{"query_string":"userid=1&username=a%20b&x=<>","client_address":"192.0.2.1"}`,
		},
		{"no lyrics any more", proto.Request{Lyrics: new("")}, `{"lyrics":""}`},
		{"raw UTF-8", proto.Request{Lyrics: new("\u00e9\n\"\U0001F3B5")}, "{\"lyrics\":\"\u00e9\\n\\\"\U0001F3B5\"}"},
		{
			"everything",
			proto.Request{
				QueryString: "userid=1", Session: "cookie:f00", ReadEnd: new(proto.Clock(86400000002880)),
				Want: &proto.Span{From: 86400000000000, To: 86400000002880}, Again: true,
			},
			`{"query_string":"userid=1","session":"cookie:f00","read_end":86400000002880,` +
				`"want":[86400000000000,86400000002880],"again":true}`,
		},
		{
			"control", proto.Request{QueryString: "mark_start_singing=1", ControlSecret: "s\"3", Nonce: "N1"},
			`{"query_string":"mark_start_singing=1","control_secret":"s\"3","nonce":"N1"}`,
		},
		{
			"holds a part", proto.Request{Held: &proto.Held{Mix: 1001, Reads: []proto.HeldRead{{To: 2880, At: 7}, {To: 8640, At: 9}}}},
			`{"held":{"mix":1001,"read":[[2880,7],[8640,9]]}}`,
		},
		{"wants nothing", proto.Request{Want: &proto.Span{}, ReadEnd: new(proto.Clock(0))}, `{"read_end":0,"want":[0,0]}`},
	} {
		if got := proto.AppendRequestJSON([]byte(">"), &c.req); string(got) != ">"+c.json {
			t.Errorf("%s: %s, want %s", c.name, got[1:], c.json)
		}
		var got proto.Request
		if err := proto.ParseRequestJSON([]byte(c.json+"   "), &got); err != nil || !reflect.DeepEqual(got, c.req) {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got, err, c.req)
		}
	}
}

func TestAnswerJSONGolden(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		answer proto.Answer
		json   string
	}{
		{"nothing", proto.Answer{}, `{}`},
		{"metadata", proto.Answer{Metadata: `{"a": "b<"}`}, `{"x-audio-metadata":"{\"a\": \"b<\"}"}`},
		{"refusal", proto.Answer{Error: "too late", Code: 409}, `{"error":"too late","code":409}`},
		{"of the first generation", proto.Answer{Error: "no", Backtrace: "in x\n"}, `{"error":"no","inner_bt":"in x\n"}`},
		{"uploaded", proto.Answer{Upload: proto.UploadFailed + "no"}, `{"upload":"failed: no"}`},
		{"clock", proto.Answer{Clock: 86400000000000}, `{"server_clock":86400000000000}`},
		{
			"part of the audio", proto.Answer{Metadata: "{}", Span: &proto.Span{From: 2880, To: 5760}},
			`{"x-audio-metadata":"{}","pcm":[2880,5760]}`,
		},
		{"shared", proto.Answer{Metadata: "{}", Mix: 1001, Keep: 86400000000000}, `{"x-audio-metadata":"{}","mix":1001,"keep":86400000000000}`},
		{"no audio", proto.Answer{Metadata: "{}", Span: &proto.Span{}}, `{"x-audio-metadata":"{}","pcm":[0,0]}`},
	} {
		if got := proto.AppendAnswerJSON([]byte(">"), &c.answer); string(got) != ">"+c.json {
			t.Errorf("%s: %s, want %s", c.name, got[1:], c.json)
		}
		var got proto.Answer
		if err := proto.ParseAnswerJSON([]byte(" "+c.json+"\n"), &got); err != nil || !reflect.DeepEqual(got, c.answer) {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got, err, c.answer)
		}
	}
}

func TestParseRequestJSON(t *testing.T) {
	t.Parallel()
	lyrics := func(n int, s string) string { return `{"lyrics":"` + strings.Repeat(s, n) + `"}` }
	for _, c := range []struct {
		name, json string
		code       int
		names      string
	}{
		{"unknown keys", `{"image": {"a": [1]}, "lyrics": "la"}`, 0, ""},
		{"null keys", `{"lyrics": null, "want": null, "read_end": null, "session": null}`, 0, ""},
		{"empty", ``, 400, "JSON"},
		{"null", `null`, 400, "null"},
		{"list", `[]`, 400, "array"},
		{"string", `"a"`, 400, "string"},
		{"cut", `{"lyrics": "la`, 400, "JSON"},
		{"two", `{}{}`, 400, "JSON"},
		{"zeros", "{}\x00\x00", 400, "JSON"},
		{"lyrics no string", `{"lyrics": 1}`, 400, "lyrics"},
		{"lyrics at characters", lyrics(8500, "a"), 0, ""},
		{"lyrics above characters", lyrics(8501, "a"), 413, "8501"},
		{"lyrics at bytes", lyrics(6500, "\U0001F3B5"), 0, ""},
		{"lyrics above bytes", lyrics(6500, "\U0001F3B5")[:26011] + `a"}`, 413, "26001"},
		{"upload at", `{"upload": "` + strings.Repeat("u", 255) + `"}`, 0, ""},
		{"upload above", `{"upload": "` + strings.Repeat("u", 256) + `"}`, 413, "256"},
		{"session at", `{"session": "` + strings.Repeat("s", 128) + `"}`, 0, ""},
		{"session above", `{"session": "` + strings.Repeat("s", 129) + `"}`, 413, "129"},
		{"secret at", `{"control_secret": "` + strings.Repeat("s", 256) + `"}`, 0, ""},
		{"secret above", `{"control_secret": "` + strings.Repeat("s", 257) + `"}`, 413, "257"},
		{"nonce at", `{"nonce": "` + strings.Repeat("n", 32) + `"}`, 0, ""},
		{"nonce above", `{"nonce": "` + strings.Repeat("n", 33) + `"}`, 413, "33"},
		{"read_end at", `{"read_end": 1152921504606846976}`, 0, ""},
		{"read_end above", `{"read_end": 1152921504606846977}`, 400, "1152921504606846977"},
		{"read_end below", `{"read_end": -1}`, 400, "-1"},
		{"read_end beyond 64 bits", `{"read_end": 9223372036854775808}`, 400, "read_end"},
		{"read_end fraction", `{"read_end": 1.5}`, 400, "1.5"},
		{"want empty", `{"want": []}`, 0, ""},
		{"want at", `{"want": [0, 48960]}`, 0, ""},
		{"want at the end of time", `{"want": [1152921504606846976, 1152921504606846976]}`, 0, ""},
		{"want above", `{"want": [0, 48961]}`, 400, "48961"},
		{"want all of time", `{"want": [0, 1152921504606846976]}`, 400, "1152921504606846976"},
		{"want later than time", `{"want": [1152921504606846976, 1152921504606846977]}`, 400, "[from, to]"},
		{"want negative", `{"want": [-1, 0]}`, 400, "[-1, 0]"},
		{"want backwards", `{"want": [2, 1]}`, 400, "[2, 1]"},
		{"want one", `{"want": [1]}`, 400, "[1]"},
		{"want three", `{"want": [1, 2, 3]}`, 400, "[1, 2, 3]"},
		{"want a number", `{"want": 1}`, 400, "number"},
		{"want fractions", `{"want": [0.5, 1.5]}`, 400, "0.5"},
	} {
		r := proto.Request{Kind: "old", Session: "old", Again: true}
		err := proto.ParseRequestJSON([]byte(c.json), &r)
		wantRefusal(t, c.name, err, c.code, c.names)
		if r.Kind != "" || r.Session == "old" || r.Again {
			t.Errorf("%s: kept what was there: %+v", c.name, r)
		}
	}
}

func TestParseRequestJSONKeepsPCM(t *testing.T) {
	t.Parallel()
	pcm := []float32{1, 2, 3}
	for _, s := range []string{`{"query_string": "a=1"}`, `}`, `null`, `{"lyrics": 1}`} {
		r := proto.Request{PCM: pcm, QueryString: "old"}
		_ = proto.ParseRequestJSON([]byte(s), &r)
		if len(r.PCM) != 3 || &r.PCM[0] != &pcm[0] || r.QueryString == "old" {
			t.Errorf("%s: %+v", s, r)
		}
	}
}

func TestParseAnswerJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, json string
		code       int
		names      string
	}{
		{"unknown keys", `{"x-audio-metadata": "{}", "more": [1]}`, 0, ""},
		{"empty", ``, 502, "JSON"},
		{"null", `null`, 502, "null"},
		{"list", `[1]`, 502, "array"},
		{"metadata an object", `{"x-audio-metadata": {}}`, 502, "x-audio-metadata"},
		{"clock at", `{"server_clock": 1152921504606846976}`, 0, ""},
		{"clock above", `{"server_clock": 1152921504606846977}`, 502, "1152921504606846977"},
		{"clock below", `{"server_clock": -1}`, 502, "-1"},
		{"span too long", `{"pcm": [0, 48961]}`, 502, "48961"},
		{"span backwards", `{"pcm": [5, 4]}`, 502, "[5, 4]"},
	} {
		a := proto.Answer{Metadata: "old", Summary: []byte{1}, PCM: []float32{1}}
		err := proto.ParseAnswerJSON([]byte(c.json), &a)
		wantRefusal(t, c.name, err, c.code, c.names)
		if a.Metadata == "old" || a.Summary != nil || a.PCM != nil {
			t.Errorf("%s: kept what was there: %+v", c.name, a)
		}
	}
}

func TestAnswerRefusal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		json  string
		code  int // 0: none
		names string
	}{
		{`{}`, 0, ""},
		{`{"x-audio-metadata": "{}"}`, 0, ""},
		{`{"x-audio-metadata": "{}", "code": 200}`, 0, ""},
		{`{"error": "late", "code": 409}`, 409, "late"},
		{`{"error": "late", "code": 400}`, 400, "late"},
		{`{"error": "late", "code": 599}`, 599, "late"},
		{`{"error": "late", "code": 600}`, 500, "late"},
		{`{"error": "late", "code": 399}`, 500, "late"},
		{`{"error": "late", "code": -1}`, 500, "late"},
		{`{"error": "json too long: 10001"}`, 500, "10001"},
		// An assertion of the first generation has no text.
		{`{"error": "", "inner_bt": "Traceback"}`, 500, "without a reason"},
		{`{"code": 429}`, 429, "without a reason"},
	} {
		var a proto.Answer
		if err := proto.ParseAnswerJSON([]byte(c.json), &a); err != nil {
			t.Fatal(err)
		}
		r := a.Refusal()
		switch {
		case c.code == 0 && r != nil:
			t.Errorf("%s: %d %s", c.json, r.Code, r.Reason)
		case c.code != 0 && (r == nil || r.Code != c.code || !strings.Contains(r.Reason, c.names)):
			t.Errorf("%s: %+v, want %d and a reason with %s", c.json, r, c.code, c.names)
		}
	}
	a := proto.Answer{Metadata: "{}", Summary: []byte{0, 0}, PCM: []float32{1}}
	a.SetRefusal(&proto.Refusal{Code: 403, Reason: "no"})
	if want := (proto.Answer{Code: 403, Error: "no"}); !reflect.DeepEqual(a, want) {
		t.Errorf("%+v, want %+v", a, want)
	}
}

func TestParsePrefix(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]*string{
		`{}`: nil, `{"lyrics": null}`: nil, `{"image": 1, "request": "get_telemetry"}`: nil,
		`{"lyrics": ""}`:                         new(""),
		` {"lyrics": "la\n\u00e9"} `:             new("la\n\u00e9"),
		`{"query_string": "a=1","lyrics": "la"}`: new("la"),
		"{\"lyrics\": \"\xff\"}":                 new("\ufffd"),
	} {
		if got, err := proto.ParsePrefix([]byte(s)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for s, c := range map[string]struct {
		code  int
		names string
	}{
		``: {400, "0 bytes"}, ` `: {400, "1 bytes"}, `null`: {400, "null"}, ` null `: {400, "null"}, `[]`: {400, "[]"}, `"la"`: {400, "la"},
		`7`: {400, "7"}, `true`: {400, "true"}, `{"lyrics": 7}`: {400, "7"}, `{"lyrics": ["la"]}`: {400, "la"}, `{`: {400, "{"},
		`{"lyrics": NaN}`: {400, "NaN"}, `{}x`: {400, "{}x"}, "\x01\x00\x01\x18": {400, "4 bytes"},
		`{"lyrics": "` + strings.Repeat("a", 8501) + `"}`: {413, "8501"},
		strings.Repeat(`{"a":`, 12000):                    {400, "60000 bytes"},
	} {
		_, err := proto.ParsePrefix([]byte(s))
		wantRefusal(t, proto.Shown(s), err, c.code, c.names)
	}
}

func TestCheckLyrics(t *testing.T) {
	t.Parallel()
	wantRefusal(t, "none", proto.CheckLyrics(nil), 0, "")
	for _, c := range []struct {
		lyrics string
		code   int
		names  string
	}{
		{"", 0, ""},
		{strings.Repeat("a", 8499), 0, ""},
		{strings.Repeat("a", 8500), 0, ""},
		{strings.Repeat("a", 8501), 413, "8501 characters"},
		{strings.Repeat("\u20ac", 8500), 0, ""}, // 25 500 bytes
		{strings.Repeat("\U0001F3B5", 6500) + "a", 413, "26001 bytes"},
		{strings.Repeat("\U0001F3B5", 6500), 0, ""},
		{strings.Repeat("\U0001F3B5", 6499) + "aaa", 0, ""},
	} {
		wantRefusal(t, fmt.Sprint(len(c.lyrics), " bytes"), proto.CheckLyrics(&c.lyrics), c.code, c.names)
	}
}

func TestCheckPCM(t *testing.T) {
	t.Parallel()
	nan, inf, over := float32(math.NaN()), float32(math.Inf(1)), math.Nextafter32(1000, 2000)
	for _, c := range []struct {
		pcm   []float32
		names string // "": fine
	}{
		{nil, ""},
		{[]float32{0, 1, -1, 1000, -1000, math.SmallestNonzeroFloat32}, ""},
		{[]float32{0, 0, nan}, "sample 2"},
		{[]float32{-nan}, "NaN"},
		{[]float32{0, inf}, "+Inf"},
		{[]float32{-inf, 0}, "-Inf"},
		{[]float32{over}, "1000.00006"},
		{[]float32{0, -over}, "sample 1"},
		{[]float32{math.MaxFloat32}, "sample 0"},
	} {
		code := 400
		if c.names == "" {
			code = 0
		}
		wantRefusal(t, fmt.Sprint(c.pcm), proto.CheckPCM(c.pcm), code, c.names)
	}
}

func TestCheckPCMAllocs(t *testing.T) {
	pcm := make([]float32, 2880)
	if n := testing.AllocsPerRun(10, func() { _ = proto.CheckPCM(pcm) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParseRequestJSON(f *testing.F) {
	for _, s := range []string{
		`{}`, `null`, `{"request":"get_clock"}`, `{"query_string":"a=<&>\u2028","lyrics":"\ud800","session":"address:::1"}`,
		`{"read_end":1,"want":[1,2],"again":true}`, `{"want":[]}`, `{"WANT":[3,3]} `, `{"lyrics":null}`, `{"want":[0,48961]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r, again proto.Request
		if err := proto.ParseRequestJSON(data, &r); err != nil {
			if c := proto.AsRefusal(err).Code; c != 400 && c != 413 {
				t.Errorf("refused with %d: %v", c, err)
			}
			return
		}
		if r.Lyrics != nil && (len(*r.Lyrics) > 26000 || utf8.RuneCountInString(*r.Lyrics) > 8500) || len(r.Session) > 128 ||
			r.ReadEnd != nil && *r.ReadEnd < 0 || r.Want != nil && (r.Want.From < 0 || r.Want.Len() < 0 || r.Want.Len() > 48960) {
			t.Errorf("beyond the limits: %+v", r)
		}
		b := proto.AppendRequestJSON(nil, &r)
		if err := proto.ParseRequestJSON(b, &again); err != nil || !reflect.DeepEqual(r, again) {
			t.Errorf("%s became %+v, %v", b, again, err)
		}
		if bytes.ContainsAny(b, "\n\x00") || !utf8.Valid(b) {
			t.Errorf("%q", b)
		}
	})
}

func FuzzParseAnswerJSON(f *testing.F) {
	for _, s := range []string{
		`{}`, `null`, `{"x-audio-metadata":"{\"a\":1}"}`, `{"error":"x","inner_bt":"\n","code":409}`, `{"server_clock":-1}`,
		`{"pcm":[]}`, `{"pcm":[5,6]}`, `{"error":""}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var a, again proto.Answer
		if err := proto.ParseAnswerJSON(data, &a); err != nil {
			wantRefusal(t, "answer", err, 502, "answer")
			return
		}
		if r := a.Refusal(); r != nil && (r.Code < 400 || r.Code > 599 || r.Reason == "") || r == nil && a.Error != "" {
			t.Errorf("%+v is refused with %+v", a, r)
		}
		if a.Clock < 0 || a.Span != nil && (a.Span.From < 0 || a.Span.Len() < 0 || a.Span.Len() > 48960) {
			t.Errorf("beyond the limits: %+v", a)
		}
		b := proto.AppendAnswerJSON(nil, &a)
		if err := proto.ParseAnswerJSON(b, &again); err != nil || !reflect.DeepEqual(a, again) {
			t.Errorf("%s became %+v, %v", b, again, err)
		}
	})
}

func FuzzParsePrefix(f *testing.F) {
	for _, s := range []string{`{}`, `null`, `[]`, `{"lyrics":"la"}`, `{"Lyrics":null,"lyrics":"\udc00"}`, " {} ", "\x01\x00\x01\x18"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		lyrics, err := proto.ParsePrefix(data)
		if err != nil {
			if c := proto.AsRefusal(err).Code; c != 400 && c != 413 {
				t.Errorf("refused with %d: %v", c, err)
			}
			return
		}
		if data = bytes.TrimSpace(data); len(data) < 2 || data[0] != '{' || data[len(data)-1] != '}' {
			t.Errorf("%q was taken for an object", data)
		}
		if lyrics != nil && (len(*lyrics) > 26000 || utf8.RuneCountInString(*lyrics) > 8500 || !utf8.ValidString(*lyrics)) {
			t.Errorf("lyrics of %d bytes: %q", len(*lyrics), *lyrics)
		}
	})
}

// Wherever in the audio it lies, a bad sample is found.
func TestCheckPCMLooksEverywhere(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		for at := range n {
			for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(-1)), 1000.0001, -1e30} {
				pcm := make([]float32, n)
				for i := range pcm {
					pcm[i] = float32(1-2*(i%2)) * []float32{1000, 0, 1e-30, 0.3, 999.99994}[(i+at)%5]
				}
				if err := proto.CheckPCM(pcm); err != nil {
					t.Fatal(err)
				}
				pcm[at] = bad
				if err := proto.CheckPCM(pcm); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("sample %d ", at)) {
					t.Errorf("%d samples, number %d is %v: %v", n, at, bad, err)
				}
			}
		}
	}
}
