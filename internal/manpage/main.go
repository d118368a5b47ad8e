package main

import (
	"context"
	_ "embed"
	"io"
	"os"

	"bucketbrigade/internal/manual"
)

//go:embed doc.go
var page string

func main() { manual.Main("manpage", run) }

func run(_ context.Context, args []string, stdout, stderr io.Writer) error {
	fs := manual.New("manpage", page, stderr)
	if err := manual.Parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 2 {
		return manual.Wrong(fs, "%d arguments: NAME and SECTION are needed", fs.NArg())
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	roff, err := format(fs.Arg(0), fs.Arg(1), string(text))
	if err != nil {
		return err
	}
	_, err = io.WriteString(stdout, roff)
	return err
}
