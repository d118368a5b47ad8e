package service

import (
	"bytes"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestSettingsAreThoseOfTheUnits(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("../../deploy/systemd/brigade.env")
	if err != nil {
		t.Fatal(err)
	}
	var explained []string
	for _, m := range regexp.MustCompile(`(?m)^(BRIGADE_[A-Z_]+)=`).FindAllSubmatch(file, -1) {
		explained = append(explained, string(m[1]))
	}
	slices.Sort(explained)
	if !slices.Equal(explained, settings) {
		t.Errorf("brigade.env explains\n%v\nknown are\n%v", explained, settings)
	}
}

func TestUnknownSettingsAreTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		env  []string
		want string // of the log, without level; empty: nothing
	}{
		{"all is right", []string{"INVOCATION_ID=1", "BRIGADE_MAX_USERS=3", "BRIGADE=1", "HOME=/"}, ""},
		{"misspelt", []string{"INVOCATION_ID=1", "BRIGADE_MAX_USER=3"}, `msg="a setting that nothing takes" setting=BRIGADE_MAX_USER nearest=BRIGADE_MAX_USERS`},
		{"swapped", []string{"BRIGADE_UPLAODS=/x", "INVOCATION_ID=1"}, `setting=BRIGADE_UPLAODS nearest=BRIGADE_UPLOADS`},
		{"not of a unit", []string{"BRIGADE_MAX_USER=3"}, ""},
	} {
		var out bytes.Buffer
		WarnOfUnknownSettings(c.env, slog.New(slog.NewTextHandler(&out, nil)))
		if got := out.String(); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: it says %q, want %q", c.name, got, c.want)
		}
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"abc", "", 3}, {"", "ab", 2}, {"abc", "abc", 0}, {"abc", "axc", 1},
		{"abc", "abxc", 1}, {"abc", "ac", 1}, {"abcd", "badc", 3}, {"kitten", "sitting", 3},
	} {
		if got := changes(c.a, c.b); got != c.want {
			t.Errorf("from %q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
