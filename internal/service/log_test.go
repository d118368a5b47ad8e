package service

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestJournalGetsPriorities(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(newJournalHandler(&out)).With("segment", "echo01")
	log.Debug("hidden")
	log.Info("serving", "time", "kept?")
	log.Warn("odd")
	log.Error("broken\nin two")
	log.Log(t.Context(), slog.LevelError+4, "worse")
	log.WithGroup("g").Info("grouped", "level", 5)
	want := `<6>msg=serving segment=echo01
<4>msg=odd segment=echo01
<3>msg="broken\nin two" segment=echo01
<3>msg=worse segment=echo01
<6>msg=grouped segment=echo01 g.level=5
`
	if out.String() != want {
		t.Errorf("logged\n%swant\n%s", &out, want)
	}
}

func TestElsewhereLinesBringTheirTime(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	Logger(&out).Warn("odd", "n", 1)
	if got := out.String(); !strings.HasPrefix(got, "time=") || !strings.HasSuffix(got, "level=WARN msg=odd n=1\n") {
		t.Errorf("logged %q", got)
	}
}
