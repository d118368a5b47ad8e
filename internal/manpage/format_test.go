package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bucketbrigade/internal/manual"
)

const help = `Sing sings what it is given. It is never hoarse.

Usage:

	sing [flags] SONG

	sing -key C \alouette

A song is
.so long as this.

	one ── two

		three

After it.

Exit status: 0, or
1 if hoarse.

Flags:

  -key key
    	the key
    	to sing in (default "A")
  -v	loud
`

const sheet = `.TH SING 1 "" "Bucket Brigade"
.SH NAME
sing \- sings what it is given
.SH SYNOPSIS
.nf
sing [flags] SONG

sing \-key C \ealouette
.fi
.SH DESCRIPTION
.PP
Sing sings what it is given. It is never hoarse.
.PP
A song is
\&.so long as this.
.PP
.RS 4
.nf
one ── two

	three
.fi
.RE
.PP
After it.
.SH OPTIONS
.TP
\fB\-key\fR \fIkey\fR
the key
to sing in (default "A")
.TP
\fB\-v\fR
loud
.SH EXIT STATUS
0, or
1 if hoarse.
`

func TestFormat(t *testing.T) {
	t.Parallel()
	got, err := format("sing", "1", help)
	if err != nil || got != sheet {
		t.Errorf("error %v, page\n%s\nwant\n%s", err, got, sheet)
	}
	got, err = format("choir-sing", "1", help)
	if err != nil || strings.Contains(got, "\nsing") || strings.Count(got, `choir\-sing `) != 3 {
		t.Errorf("under another name: error %v, page\n%s", err, got)
	}
	for _, text := range []string{"", "Sing sings.\n\nFlags:\n\n", "Sing sings.\n\nUsage:\n\n\tsing\n"} {
		if got, err := format("sing", "1", text); err == nil {
			t.Errorf("of %q it made %q", text, got)
		}
	}
}

// What man would warn of in the pages of our own programs.
func TestOurPagesAreSound(t *testing.T) {
	t.Parallel()
	man, err := exec.LookPath("man")
	if err != nil {
		t.Skip("man is not installed: `make deps`")
	}
	for _, program := range []string{"cmd/codec-shard", "cmd/state-server", "stress"} {
		source, err := os.ReadFile(filepath.Join("..", "..", program, "doc.go"))
		if err != nil {
			t.Fatal(err)
		}
		roff, err := format(filepath.Base(program), "8", manual.Page(string(source))+"\nFlags:\n\n  -x\tsomething\n")
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "page.8")
		if err := os.WriteFile(file, []byte(roff), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(man, "--warnings", "-E", "UTF-8", "-l", "-Tutf8", file)
		var said bytes.Buffer
		cmd.Env, cmd.Stderr = append(os.Environ(), "MANWIDTH=100", "LC_ALL=C.UTF-8"), &said
		text, err := cmd.Output()
		if err != nil || said.Len() > 0 || !strings.Contains(string(text), "0 ") {
			t.Errorf("%s: %v, warnings %q, text\n%.2000s", program, err, said.String(), text)
		}
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	for args, status := range map[string]int{"-help": 0, "": 2, "sing": 2, "sing 1 2": 2} {
		if err := run(t.Context(), strings.Fields(args), io.Discard, io.Discard); manual.Status(err) != status {
			t.Errorf("%q: status %d, want %d", args, manual.Status(err), status)
		}
	}
}
