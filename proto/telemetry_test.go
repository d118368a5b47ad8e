package proto_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"bucketbrigade/proto"
)

func TestTelemetryLimits(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return `{"a":"` + strings.Repeat("x", n-8) + `"}` }
	deep := func(n int) string { return strings.Repeat(`{"a":`, n-1) + "[]" + strings.Repeat("}", n-1) }
	for _, c := range []struct {
		name, value string
		code        int
		names       string
	}{
		{"as long as can be", long(4096), 0, ""},
		{"blanks do not count", strings.Replace(long(4096), ":", strings.Repeat(" ", 1000)+":\n", 1), 0, ""},
		{"too long", long(4097), 413, "4097"},
		{"as deep as can be", deep(16), 0, ""},
		{"too deep", deep(17), 400, "17 deep"},
		{"brackets in a string", `{"a\"{":"[[[[[[[[[[[[[[[[[[[[\\","b":"\"{{{{{{{{{{{{{{{{{{{"}`, 0, ""},
		{"many beside each other", `{"a":[` + strings.Repeat("[],", 500) + `1]}`, 0, ""},
		{"blank", " ", 400, "client_telemetry"},
	} {
		_, err := parseOne("client_telemetry", c.value)
		wantRefusal(t, c.name, err, c.code, c.names)
	}
	q, err := parseOne("client_telemetry", "\n { \"a\" : [ 1e999 , 12345678901234567890123 ] } ")
	if err != nil || string(q.Telemetry) != `{"a":[1e999,12345678901234567890123]}` {
		t.Errorf("%s, %v", q.Telemetry, err)
	}
}

func TestMergeTelemetry(t *testing.T) {
	t.Parallel()
	half := `{"a":["` + strings.Repeat("x", 2500) + `"]}`
	for _, c := range []struct{ have, more, want string }{
		{``, `{"a":1}`, `{"a":1}`},
		{`{"a":1}`, `{}`, `{"a":1}`},
		{`{"a":1}`, `{"a":"x"}`, `{"a":"x"}`},
		{`{"a":1}`, `{"a":null}`, `{"a":null}`},
		{`{"a":1,"c":2}`, `{"b":3}`, `{"a":1,"b":3,"c":2}`},
		{`{"a":[1,[2]]}`, `{"a":[[3]]}`, `{"a":[1,[2],[3]]}`},
		{`{"a":{"b":{"c":[1],"d":1}}}`, `{"a":{"b":{"c":[2],"e":2}}}`, `{"a":{"b":{"c":[1,2],"d":1,"e":2}}}`},
		{`{"a":{"b":1}}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"a":[1]}`, `{"a":{"b":1}}`, `{"a":{"b":1}}`},
		{`{"a":[1]}`, `{"a":2}`, `{"a":2}`},
		{`{"a":12345678901234567890123,"b":1e999}`, `{"c":-0.10}`, `{"a":12345678901234567890123,"b":1e999,"c":-0.10}`},
		{`{"a":"<&>"}`, `{"b":"é"}`, `{"a":"<&>","b":"é"}`},
		{half, half, half},
		{half, `{"b":1}`, half[:len(half)-1] + `,"b":1}`},
	} {
		var have json.RawMessage
		if c.have != "" {
			have = json.RawMessage(c.have)
		}
		if got := proto.MergeTelemetry(have, json.RawMessage(c.more)); string(got) != c.want {
			t.Errorf("%.60s and %.60s: %.200s, want %.200s", c.have, c.more, got, c.want)
		}
	}
}

func FuzzMergeTelemetry(f *testing.F) {
	f.Add(`{"a":{"b":[1,2]}}`, `{"a":{"b":[3],"c":1e999}}`)
	f.Add(`{"a":"\ud800","a":1}`, `{"\u0000":{"":[[[[]]]]}}`)
	f.Add(`{"a":[`+strings.Repeat("1,", 2000)+`1]}`, `{"a":[`+strings.Repeat("1,", 2000)+`1]}`)
	f.Fuzz(func(t *testing.T, have, more string) {
		one, err := parseOne("client_telemetry", have)
		if err != nil || one.Telemetry == nil {
			return
		}
		two, err := parseOne("client_telemetry", more)
		if err != nil || two.Telemetry == nil {
			return
		}
		got := proto.MergeTelemetry(one.Telemetry, two.Telemetry)
		if _, err := proto.ParseQuery("client_telemetry=" + url.QueryEscape(string(got))); err != nil {
			t.Errorf("%s and %s: %s: %v", have, more, got, err)
		}
		if again := proto.MergeTelemetry(got, json.RawMessage("{}")); len(again) > proto.MaxTelemetryBytes {
			t.Errorf("%d bytes", len(again))
		}
	})
}

// BenchmarkMergeTelemetry merges the dearest there is: many small values that
// meet, and a chain of objects.
func BenchmarkMergeTelemetry(b *testing.B) {
	list := `{"a":[` + strings.Repeat("1,", 1000) + `1]}`
	var keys strings.Builder
	for i := range 250 {
		fmt.Fprintf(&keys, `"%03d":{},`, i)
	}
	deep := strings.Repeat(`{"a":`, 15) + "[" + strings.Repeat("1,", 900) + "1]" + strings.Repeat("}", 15)
	for name, text := range map[string]string{
		"small": `{"a":1}`, "list": list, "keys": "{" + keys.String() + `"z":1}`, "deep": deep,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				proto.MergeTelemetry(json.RawMessage(text), json.RawMessage(text))
			}
		})
	}
}
