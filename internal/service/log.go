package service

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/coreos/go-systemd/v22/journal"
)

// Logger gives the log of a program, a line an event on stderr. If that leads to
// systemd's journal, a line opens with its priority, which the journal takes off,
// and brings no time, which the journal has:
//
//	time=2026-01-01T20:00:00.000Z level=WARN msg="requests refused" status=409     elsewhere
//	<4>msg="requests refused" status=409                                           journal
func Logger(stderr io.Writer) *slog.Logger {
	if stderr == io.Writer(os.Stderr) {
		if journal, err := journal.StderrIsJournalStream(); journal && err == nil {
			return slog.New(newJournalHandler(stderr))
		}
	}
	return slog.New(slog.NewTextHandler(stderr, nil))
}

// priorities are the levels of slog as the journal numbers them, the highest
// first.
var priorities = [...]struct {
	level  slog.Level
	prefix string
}{
	{slog.LevelError, "<3>"},
	{slog.LevelWarn, "<4>"},
	{slog.LevelInfo, "<6>"},
	{slog.LevelDebug, "<7>"},
}

// journalHandler writes lines for the journal: a handler for each priority.
type journalHandler [len(priorities)]slog.Handler

func newJournalHandler(w io.Writer) (h journalHandler) {
	for i, p := range priorities {
		h[i] = slog.NewTextHandler(prefixed{w, p.prefix}, &slog.HandlerOptions{ReplaceAttr: withoutTime})
	}
	return h
}

// withoutTime leaves out what the journal knows by itself.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
		return slog.Attr{}
	}
	return a
}

// at gives the handler for a level.
func (h journalHandler) at(level slog.Level) slog.Handler {
	for i, p := range priorities {
		if level >= p.level {
			return h[i]
		}
	}
	return h[len(h)-1]
}

// Enabled is slog.Handler's, as are the others.
func (h journalHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.at(level).Enabled(ctx, level)
}

func (h journalHandler) Handle(ctx context.Context, r slog.Record) error {
	return h.at(r.Level).Handle(ctx, r)
}

func (h journalHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	for i := range h {
		h[i] = h[i].WithAttrs(attrs)
	}
	return h
}

func (h journalHandler) WithGroup(name string) slog.Handler {
	for i := range h {
		h[i] = h[i].WithGroup(name)
	}
	return h
}

// prefixed opens each write, which is a whole line, with a prefix.
type prefixed struct {
	w      io.Writer
	prefix string
}

func (p prefixed) Write(line []byte) (int, error) {
	if _, err := p.w.Write(append([]byte(p.prefix), line...)); err != nil {
		return 0, err
	}
	return len(line), nil
}
