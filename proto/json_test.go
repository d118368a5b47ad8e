package proto_test

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"bucketbrigade/proto"
)

// byJSON is v as encoding/json writes it, without HTML escapes.
func byJSON(t testing.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// usualRequest is what a shard asks for a singer whose mix it has encoded in
// part; usualAnswer is what it is told.
func usualRequest() *proto.Request {
	r := &proto.Request{
		QueryString: "userid=4711&username=Ada%20B&read_clock=86400000028800&write_clock=86400000028700" +
			"&n_samples=28800&json_len=2&muted=0&user_summary=1&rms_volume=0.0123457",
		ClientAddress: "192.0.2.1",
		Session:       "cookie:0123456789abcdef0123456789abcdef",
		ReadEnd:       new(proto.Clock(86400000028800)),
		Want:          &proto.Span{From: 86400000017280, To: 86400000028800},
		Held:          &proto.Held{Mix: 1001},
	}
	for i := range proto.Clock(6) {
		r.Held.Reads = append(r.Held.Reads, proto.HeldRead{To: 86400000000000 + 2880*(i+1), At: 86400000100000 + i})
	}
	return r
}

func usualAnswer() *proto.Answer {
	return &proto.Answer{
		Metadata: `{"server_clock":86400000100000,"server_sample_rate":48000,"last_request_clock":86400000099000,` +
			`"client_read_clock":86400000028800,"client_write_clock":86400000028700,"song_end_clock":0,` +
			`"song_start_clock":86400000000000,"n_samples":28800,"n_connected_users":40,"queue_size":45000,` +
			`"events":[],"leader":"4711","n_people_heard":7,"chats":[["Ada","h\u00e9 \"you\"\n"]]}`,
		Clock: 86400000100000, Span: &proto.Span{From: 86400000014400, To: 86400000028800},
		Mix: 1001, Keep: 86400000017280,
	}
}

// texts hold everything that a JSON string can make trouble with, at every
// place within eight bytes.
func texts() []string {
	odd := []string{
		"", "\"", "\\", "/", "\x00", "\x01", "\x1f", " ", "\x7f", "\b\f\n\r\t", "<&>", "\u00e9", "\u2027", "\u2028", "\u2029", "\u202a",
		"\U0001F3B5", "\ufffd", "\x80", "\xff", "\xc3", "\xe2\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\\u2028", "\ufeff",
	}
	var out []string
	for _, o := range odd {
		for n := range 18 {
			out = append(out, strings.Repeat("a", n)+o, strings.Repeat("b", n)+o+strings.Repeat("c", 17-n)+o)
		}
	}
	return out
}

func requestOf(text string, n int64, bits uint) *proto.Request {
	r := &proto.Request{
		Kind: text, QueryString: text, ClientAddress: text, Session: proto.Session(text),
		ControlSecret: proto.Secret(text), Nonce: text, Upload: text, Again: bits&1 != 0,
	}
	c := proto.Clock(n)
	if bits&2 != 0 {
		r.Lyrics = &text
	}
	if bits&4 != 0 {
		r.ReadEnd = &c
	}
	if bits&8 != 0 {
		r.Want = &proto.Span{From: c, To: c + 7}
	}
	if bits&16 != 0 {
		r.Held = &proto.Held{Mix: proto.Mix(n)}
	}
	if bits&32 != 0 && r.Held != nil {
		r.Held.Reads = []proto.HeldRead{}
	}
	for i := range proto.Clock(bits >> 6 & 31) {
		if r.Held != nil {
			r.Held.Reads = append(r.Held.Reads, proto.HeldRead{To: c + i, At: c - i})
		}
	}
	return r
}

func answerOf(text string, n int64, bits uint) *proto.Answer {
	a := &proto.Answer{Metadata: text, Error: text, Backtrace: text, Upload: text, Code: int(n), Mix: proto.Mix(bits)}
	if bits&1 != 0 {
		a.Clock = proto.Clock(n)
	}
	if bits&2 != 0 {
		a.Span = &proto.Span{From: proto.Clock(n), To: proto.Clock(n) + 9}
	}
	if bits&4 != 0 {
		a.Keep = proto.Clock(n)
	}
	return a
}

// checkWritten holds the JSON of both messages against encoding/json.
func checkWritten(t *testing.T, text string, n int64, bits uint) {
	t.Helper()
	r, a := requestOf(text, n, bits), answerOf(text, n, bits)
	if got, want := proto.AppendRequestJSON(nil, r), byJSON(t, r); !bytes.Equal(got, want) {
		t.Errorf("request\n%s, encoding/json says\n%s", got, want)
	}
	if got, want := proto.AppendAnswerJSON(nil, a), byJSON(t, a); !bytes.Equal(got, want) {
		t.Errorf("answer\n%s, encoding/json says\n%s", got, want)
	}
}

// checkRead holds what is read as either message against encoding/json. Of what
// that refuses, the refusal alone counts.
func checkRead(t *testing.T, data []byte) {
	t.Helper()
	isNull := string(bytes.TrimSpace(data)) == "null"
	var r, wantR proto.Request
	err := proto.ParseRequestJSON(data, &r)
	if wrong := json.Unmarshal(data, &wantR); wrong != nil || isNull {
		if err == nil {
			t.Errorf("request %q is taken as %+v, encoding/json says %v", data, r, wrong)
		}
	} else if !reflect.DeepEqual(r, wantR) {
		t.Errorf("request %q is read as %+v, encoding/json reads %+v", data, r, wantR)
	}
	var a, wantA proto.Answer
	err = proto.ParseAnswerJSON(data, &a)
	if wrong := json.Unmarshal(data, &wantA); wrong != nil || isNull {
		if err == nil {
			t.Errorf("answer %q is taken as %+v, encoding/json says %v", data, a, wrong)
		}
	} else if !reflect.DeepEqual(a, wantA) {
		t.Errorf("answer %q is read as %+v, encoding/json reads %+v", data, a, wantA)
	}
}

func TestJSONIsThatOfEncodingJSON(t *testing.T) {
	t.Parallel()
	for i, text := range texts() {
		checkWritten(t, text, int64(i)*1e15-7e15, uint(i))
	}
	for _, n := range []int64{0, 1, -1, math.MaxInt64 - 100, math.MinInt64 + 100} {
		for bits := range uint(1 << 11) {
			checkWritten(t, "t", n, bits)
		}
	}
}

// What is read is also read with blanks everywhere, cut short anywhere, and with
// any byte changed.
func TestJSONIsReadAsByEncodingJSON(t *testing.T) {
	t.Parallel()
	for i, text := range texts() {
		for _, n := range []int64{0, 86400000000000} {
			checkRead(t, proto.AppendRequestJSON(nil, requestOf(text, n, uint(i))))
			checkRead(t, proto.AppendAnswerJSON(nil, answerOf(text, n, uint(i))))
		}
		checkRead(t, []byte(`{"lyrics":"`+text+`","error":"`+text+`"}`))
		checkRead(t, []byte(`{"`+text+`":"a","nonce":"b"}`))
	}
	for _, full := range [][]byte{proto.AppendRequestJSON(nil, usualRequest()), proto.AppendAnswerJSON(nil, usualAnswer())} {
		checkRead(t, bytes.ReplaceAll(full, []byte(`"`), []byte("\t\r\" \n")))
		for i := range full {
			checkRead(t, full[:i])
			for _, c := range []byte("\x00 \"\\,:[]{}019-.eEx\x80u") {
				changed := bytes.Clone(full)
				changed[i] = c
				checkRead(t, changed)
			}
		}
	}
	for _, s := range oddMessages {
		checkRead(t, []byte(s))
	}
}

// oddMessages are what a reader of a part of JSON is prone to get wrong.
var oddMessages = []string{
	`{}`, ` {} `, `{ }x`, `{,}`, `{"nonce":"a",}`, `{"nonce":"a" "upload":"b"}`, `{"nonce"}`, `{"nonce":}`, `null`, `[]`, `{}{}`, "{}\x00", "",
	`{"nonce":"a","nonce":"b"}`, `{"NONCE":"a"}`, `{"nonce":null}`, `{"\u006eonce":"a"}`, `{"nonſe":"a"}`, `{"nonce":"\ud83c\udfb5"}`,
	`{"nonce":"\ud83c"}`, `{"nonce":"\udfb5\ud83c"}`, `{"nonce":"\u12g4"}`, `{"nonce":"\u123"}`, `{"nonce":"\x"}`, `{"nonce":"\/\b\f"}`, `{"nonce":"\`,
	`{"again":false}`, `{"again":true}`, `{"again":tru}`, `{"again":true1}`, `{"again":1}`, `{"again":null}`,
	`{"read_end":-0}`, `{"read_end":- 1}`, `{"read_end":-}`, `{"read_end":01}`, `{"read_end":1.0}`, `{"read_end":1e3}`, `{"read_end":"1"}`, `{"read_end":0 }`,
	`{"read_end":999999999999999999}`, `{"read_end":9223372036854775807}`, `{"read_end":-9223372036854775808}`, `{"read_end":9223372036854775808}`,
	`{"want":[]}`, `{"want":[1]}`, `{"want":[1,2,3]}`, `{"want":[2,1]}`, `{"want":[1 , 2 ]}`, `{"want":[0,48960]}`, `{"want":[0,48961]}`, `{"want":null}`,
	`{"held":{}}`, `{"held":{"mix":1}}`, `{"held":{"read":[]}}`, `{"held":{"read":null}}`, `{"held":{"read":[[1,2],[3,4]],"mix":-5}}`, `{"held":{"read":[[1,2],]}}`,
	`{"held":{"read":[[-1,2]]}}`, `{"held":{"read":[[1]]}}`, `{"held":{"mix":1,"mix":2}}`, `{"held":{"mix":1},"held":{"read":[]}}`, `{"held":null}`,
	`{"held":{"read":[` + strings.Repeat("[1,2],", proto.MaxHeldReads-1) + `[1,2]]}}`, `{"held":{"read":[` + strings.Repeat("[1,2],", proto.MaxHeldReads) + `[1,2]]}}`,
	`{"code":1e2}`, `{"code":-409}`, `{"mix":3,"keep":-1}`, `{"pcm":[5,6],"mix":2147483648}`, `{"more":[1,{"a":2}],"error":"x"}`,
}

// The usual messages are read without a detour, and whatever a Scratch held
// before leaves no trace.
func TestScratchIsUsedAgain(t *testing.T) {
	t.Parallel()
	var m proto.Scratch
	for range 3 {
		var bare proto.Request
		m.Load([]byte(`{"held":{}}`))
		if err := m.ParseRequest(&bare); err != nil || !reflect.DeepEqual(bare.Held, &proto.Held{}) {
			t.Errorf("nothing held is read as %+v, %v", bare.Held, err)
		}
		for _, want := range []*proto.Request{usualRequest(), {Lyrics: new("a\"b")}, {Held: &proto.Held{Reads: []proto.HeldRead{}}}, {}} {
			var r proto.Request
			data := proto.AppendRequestJSON(nil, want)
			m.Load(data)
			clear(data)
			if err := m.ParseRequest(&r); err != nil || !reflect.DeepEqual(&r, want) {
				t.Errorf("%+v, %v; want %+v", r, err, want)
			}
		}
		for _, want := range []*proto.Answer{usualAnswer(), {Error: "no", Code: 409}, {}} {
			a := proto.Answer{Scratch: &m, Mix: 7}
			m.Load(proto.AppendAnswerJSON(nil, want))
			if err := m.ParseAnswer(&a); err != nil || a.Scratch != &m {
				t.Error(err)
			}
			a.Scratch = nil
			if !reflect.DeepEqual(&a, want) {
				t.Errorf("%+v, want %+v", a, want)
			}
		}
	}
}

func TestJSONAllocs(t *testing.T) {
	req, ans := usualRequest(), usualAnswer()
	var m proto.Scratch
	var r proto.Request
	var a proto.Answer
	var b []byte
	n := testing.AllocsPerRun(100, func() {
		b = proto.AppendRequestJSON(b[:0], req)
		m.Load(b)
		if err := m.ParseRequest(&r); err != nil {
			t.Fatal(err)
		}
		b = proto.AppendAnswerJSON(b[:0], ans)
		m.Load(b)
		if err := m.ParseAnswer(&a); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzWriteJSON(f *testing.F) {
	for i, text := range texts() {
		f.Add(text, int64(i), uint(i))
	}
	f.Fuzz(checkWritten)
}

func FuzzReadJSON(f *testing.F) {
	for _, s := range oddMessages {
		f.Add([]byte(s))
	}
	f.Add(proto.AppendRequestJSON(nil, usualRequest()))
	f.Add(proto.AppendAnswerJSON(nil, usualAnswer()))
	f.Fuzz(checkRead)
}

// BenchmarkJSON is what one call spends on JSON: both messages written and read.
func BenchmarkJSON(b *testing.B) {
	req, ans := usualRequest(), usualAnswer()
	var m proto.Scratch
	var r proto.Request
	var a proto.Answer
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = proto.AppendRequestJSON(out[:0], req)
		m.Load(out)
		if err := m.ParseRequest(&r); err != nil {
			b.Fatal(err)
		}
		out = proto.AppendAnswerJSON(out[:0], ans)
		m.Load(out)
		if err := m.ParseAnswer(&a); err != nil {
			b.Fatal(err)
		}
	}
}
