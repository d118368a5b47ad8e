package manual

import (
	"bytes"
	"errors"
	"flag"
	"strings"
	"testing"
	"time"
)

const source = "/*\nCommand sing sings.\n\nUsage: sing\n*/\npackage main\n"

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		args   []string
		want   error
		status int
		shows  string
		hides  string
	}{
		{"good", []string{"-key", "C"}, nil, 0, "", "sing"},
		{"help", []string{"-help"}, flag.ErrHelp, 0, "Command sing sings.", "package main"},
		{"help lists flags", []string{"-h"}, flag.ErrHelp, 0, "-key", "sing -help explains"},
		{"unknown flag", []string{"-loud"}, ErrUsage, 2, "sing -help explains", "Command sing sings."},
		{"no number", []string{"-verses", "some"}, ErrUsage, 2, "\n-verses wants a whole number: how many verses\nsing -help", "Command"},
		{"neither true nor false", []string{"-twice=maybe"}, ErrUsage, 2, "\n-twice wants true or false: sing it twice\n", "Command"},
		{"no time", []string{"-breath", "long"}, ErrUsage, 2, "\n-breath wants a time such as 1.5s or 2m: between verses\n", "Command"},
		{"no value", []string{"-verses"}, ErrUsage, 2, "flag needs an argument", "wants"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			fs := New("sing", source, &out)
			fs.String("key", "A", "the key")
			fs.Int("verses", 1, "how many `verses`")
			fs.Bool("twice", false, "sing it twice")
			fs.Duration("breath", time.Second, "between verses")
			err := Parse(fs, c.args)
			if !errors.Is(err, c.want) || Status(err) != c.status {
				t.Errorf("error %v, status %d; want %v, %d", err, Status(err), c.want, c.status)
			}
			if got := out.String(); !strings.Contains(got, c.shows) || strings.Contains(got, c.hides) {
				t.Errorf("printed %q; it should have %q and not %q", got, c.shows, c.hides)
			}
		})
	}
}

func TestWrongAndStatus(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := Wrong(New("sing", source, &out), "key %q is not known", "H")
	if Status(err) != 2 || out.String() != "key \"H\" is not known\nsing -help explains\n" {
		t.Errorf("status %d, printed %q", Status(err), out.String())
	}
	if Status(errors.New("hoarse")) != 1 {
		t.Error("a failure is not status 1")
	}
}
