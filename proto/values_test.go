package proto_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"bucketbrigade/proto"
)

// valuesCases are what a strict parse_qs that drops blank values makes of a
// query; nil means that it must be refused.
func valuesCases() map[string]map[string]string {
	const bad = "\ufffd"
	return map[string]map[string]string{
		"": {}, "a=": {}, "=": {}, "a=&b=": {},
		"&": nil, "a": nil, "a=1&": nil, "&a=1": nil, "a=1&&b=2": nil, "a=1&b": nil,
		"=x":      {"": "x"},
		"a=1":     {"a": "1"},
		"a=1&b=2": {"a": "1", "b": "2"},
		"A=1&a=2": {"A": "1", "a": "2"},
		// Twice is an error, unless one of the two is empty.
		"a=1&a=2": nil, "a=1&a=1": nil, "a=1&%61=2": nil, "a%=1&a%25=2": nil, "=1&=2": nil, "a+b=1&a%20b=2": nil,
		"a=&a=2": {"a": "2"}, "a=1&a=": {"a": "1"},
		"a=b=c": {"a": "b=c"}, "a==": {"a": "="}, "a=1;b=2": {"a": "1;b=2"}, "a=1?b": {"a": "1?b"},
		// Blanks, and what percent signs stand for.
		"a=+": {"a": " "}, "a=+1+": {"a": " 1 "}, "a=%2B1": {"a": "+1"}, "a+b=c+d": {"a b": "c d"}, "a%20b=1": {"a b": "1"},
		"a=%": {"a": "%"}, "a=%4": {"a": "%4"}, "a=%zz": {"a": "%zz"}, "a=%4g": {"a": "%4g"}, "a=%g4": {"a": "%g4"},
		"a=%41": {"a": "A"}, "a=%4A%4a": {"a": "JJ"}, "a=%%41": {"a": "%A"}, "a=%25": {"a": "%"}, "a=%2541": {"a": "%41"},
		"%=1": {"%": "1"}, "%3D=1": {"=": "1"}, "a=%26b=1": {"a": "&b=1"}, "a=%00": {"a": "\x00"},
		// UTF-8: one U+FFFD for each part that could have begun a character.
		"a=%C3%A9": {"a": "\u00e9"}, "a=%c3%a9": {"a": "\u00e9"}, "a=\u00e9": {"a": "\u00e9"}, "\u00e9=1": {"\u00e9": "1"},
		"a=%C3": {"a": bad}, "a=%C3A": {"a": bad + "A"}, "a=\xc3": {"a": bad}, "a=\xff1": {"a": bad + "1"},
		"a=%FF%FE": {"a": bad + bad}, "a=%80%80": {"a": bad + bad}, "a=%C0%80": {"a": bad + bad}, "a=%F5%80": {"a": bad + bad},
		"a=%E2%82A": {"a": bad + "A"}, "a=%E2%82%AC": {"a": "\u20ac"}, "a=%E2%82%E2%82%AC": {"a": bad + "\u20ac"},
		"a=%F0%9F%98%80": {"a": "\U0001f600"}, "a=%F0%9F%98": {"a": bad}, "a=%F0%9F%98A": {"a": bad + "A"},
		"a=%ED%A0%80":    {"a": bad + bad + bad},
		"a=%E0%80%80":    {"a": bad + bad + bad},
		"a=%F4%90%80%80": {"a": bad + bad + bad + bad},
		"a=%F0%80%80%41": {"a": bad + bad + bad + "A"},
		"a=%F1%80%80%F1": {"a": bad + bad},
		"a=%ef%bf%bd":    {"a": bad}, "a=%EF%BB%BFx": {"a": "\ufeffx"}, "a=\u2028": {"a": "\u2028"},
		"%C3=1&%C3%C3=2": {bad: "1", bad + bad: "2"}, "%C3=1&%FF=2": nil,
	}
}

func TestParseValues(t *testing.T) {
	t.Parallel()
	for query, want := range valuesCases() {
		v, err := proto.ParseValues(query)
		if (err == nil) != (want != nil) {
			t.Errorf("%q: error %v, want %v", query, err, want)
			continue
		}
		if err != nil {
			if r := proto.AsRefusal(err); r.Code != 400 {
				t.Errorf("%q: %d %s, want 400", query, r.Code, r.Reason)
			}
			continue
		}
		for k, s := range want {
			if got := v.Get(k); got != s || !v.Has(k) {
				t.Errorf("%q: %q is %q, want %q", query, k, got, s)
			}
		}
		for _, k := range []string{"", "a", "b", "A", "c", "%61"} {
			if _, ok := want[k]; v.Has(k) != ok {
				t.Errorf("%q: has %q: %t, want %t", query, k, v.Has(k), ok)
			}
		}
	}
}

func TestParseValuesLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, query string
		code        int
		names       string
	}{
		{"bytes below", "a=" + strings.Repeat("x", proto.MaxQueryBytes-3), 0, ""},
		{"bytes at", "a=" + strings.Repeat("x", proto.MaxQueryBytes-2), 0, ""},
		{"bytes above", "a=" + strings.Repeat("x", proto.MaxQueryBytes-1), 413, "16385"},
		{"items below", strings.Repeat("x=&", proto.MaxQueryItems-2) + "a=1", 0, ""},
		{"items at", strings.Repeat("x=&", proto.MaxQueryItems-1) + "a=1", 0, ""},
		{"items above", strings.Repeat("x=&", proto.MaxQueryItems) + "a=1", 413, "65"},
	} {
		v, err := proto.ParseValues(c.query)
		wantRefusal(t, c.name, err, c.code, c.names)
		if err == nil && !v.Has("a") {
			t.Errorf("%s: lost its value", c.name)
		}
	}
}

// wantRefusal checks for a refusal of this status that names a value; code 0
// stands for no error.
func wantRefusal(t *testing.T, what string, err error, code int, names string) {
	t.Helper()
	if code == 0 {
		if err != nil {
			t.Errorf("%s: refused: %v", what, err)
		}
		return
	}
	if err == nil {
		t.Errorf("%s: accepted, want %d", what, code)
		return
	}
	if r := proto.AsRefusal(err); r.Code != code || !strings.Contains(r.Reason, names) {
		t.Errorf("%s: %d %s; want %d and a message that names %s", what, r.Code, r.Reason, code, names)
	}
}

// FuzzParseValues compares with net/url where that is as strict, and writes
// what was read once more.
func FuzzParseValues(f *testing.F) {
	for q := range valuesCases() {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		v, err := proto.ParseValues(query)
		if err != nil {
			return
		}
		if len(query) > proto.MaxQueryBytes || strings.Count(query, "&") >= proto.MaxQueryItems {
			t.Fatalf("took %d bytes, %d items", len(query), strings.Count(query, "&")+1)
		}
		if query == "" {
			return
		}
		again := url.Values{}
		for item := range strings.SplitSeq(query, "&") {
			k, s, ok := strings.Cut(item, "=")
			if !ok {
				t.Fatalf("took item %q", item)
			}
			key, err1 := url.QueryUnescape(k)
			value, err2 := url.QueryUnescape(s)
			if s == "" || err1 != nil || err2 != nil || !utf8.ValidString(key) || !utf8.ValidString(value) {
				continue
			}
			if got := v.Get(key); got != value {
				t.Fatalf("%q: %q, want %q", key, got, value)
			}
			again.Set(key, value)
		}
		if len(again) == 0 || len(again.Encode()) > proto.MaxQueryBytes {
			return
		}
		w, err := proto.ParseValues(again.Encode())
		if err != nil {
			t.Fatalf("%q, read from %q, is refused: %v", again.Encode(), query, err)
		}
		for k := range again {
			if got, want := w.Get(k), again.Get(k); got != want || !utf8.ValidString(got) {
				t.Errorf("%q: %q after a round trip, was %q", k, got, want)
			}
		}
	})
}
