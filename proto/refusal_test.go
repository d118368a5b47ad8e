package proto_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"bucketbrigade/proto"
)

func TestShown(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"":                                    `""`,
		"la":                                  `"la"`,
		"a\"b\\c":                             `"a\"b\\c"`,
		"a\r\nb\x00\x7f":                      `"a\r\nb\x00\x7f"`,
		"\u00e9\U0001F3B5":                    `"\u00e9\U0001f3b5"`,
		"\xff":                                `"\ufffd"`,
		strings.Repeat("a", 59):               `"` + strings.Repeat("a", 59) + `"`,
		strings.Repeat("a", 60):               `"` + strings.Repeat("a", 60) + `"`,
		strings.Repeat("a", 61):               `"` + strings.Repeat("a", 60) + `"...`,
		strings.Repeat("\u00e9", 60):          `"` + strings.Repeat(`\u00e9`, 60) + `"`,
		strings.Repeat("\u00e9", 61):          `"` + strings.Repeat(`\u00e9`, 60) + `"...`,
		strings.Repeat("\xff", 61):            `"` + strings.Repeat(`\ufffd`, 60) + `"...`,
		strings.Repeat("a", 60) + "\u00e9xyz": `"` + strings.Repeat("a", 60) + `"...`,
	} {
		if got := proto.Shown(s); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
}

func TestAsRefusal(t *testing.T) {
	t.Parallel()
	r := proto.Refuse(409, "clock %d is gone", 7)
	if r.Code != 409 || r.Error() != "clock 7 is gone" {
		t.Errorf("%+v", r)
	}
	if got := proto.AsRefusal(fmt.Errorf("handling: %w", r)); got != r {
		t.Errorf("%+v", got)
	}
	if got := proto.AsRefusal(errors.New("100% broken")); got.Code != 500 || got.Reason != "100% broken" {
		t.Errorf("%+v", got)
	}
}

func TestHeals(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]bool{400: false, 403: false, 409: true, 413: false, 429: false, 500: false, 503: true} {
		if got := proto.Refuse(code, "no").Heals(); got != want {
			t.Errorf("%d: %t", code, got)
		}
	}
}

func FuzzShown(f *testing.F) {
	f.Add("la")
	f.Add(strings.Repeat("\U0001F3B5", 61))
	f.Add("\xe2\x82")
	f.Fuzz(func(t *testing.T, s string) {
		got := proto.Shown(s)
		if len(got) > 2+60*10+3 {
			t.Errorf("%d bytes", len(got))
		}
		for _, b := range []byte(got) {
			if b < ' ' || b > '~' {
				t.Fatalf("byte %q in %q", b, got)
			}
		}
	})
}
