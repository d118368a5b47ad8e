package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"bucketbrigade/internal/manual"
)

//go:embed doc.go
var page string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if manual.Status(err) == 1 {
		fmt.Fprintln(os.Stderr, "stress:", err)
	}
	os.Exit(manual.Status(err))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := manual.New("stress", page, stderr)
	if err := manual.Parse(fs, args); err != nil {
		return err
	}
	switch fs.Arg(0) {
	case "demo":
		return demoCommand(ctx, fs.Args()[1:], stdout, stderr)
	case "":
		return manual.Wrong(fs, "stress what? \"stress demo\" is a good start")
	}
	return manual.Wrong(fs, "command %q is not known; \"demo\" is", fs.Arg(0))
}
