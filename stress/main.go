package main

import (
	"context"
	_ "embed"
	"io"
	"time"

	"bucketbrigade/internal/manual"
)

//go:embed doc.go
var page string

func main() {
	relax()
	manual.Main("stress", run)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := manual.New("stress", page, stderr)
	var f loadFlags
	addLoadFlags(fs, &f)
	addRunFlags(fs, &f, 200, time.Minute)
	if err := manual.Parse(fs, args); err != nil {
		return err
	}
	switch fs.Arg(0) {
	case "demo":
		return demoCommand(ctx, fs.Args()[1:], stdout, stderr)
	case "unit":
		return unitCommand(ctx, fs.Args()[1:], stdout, stderr)
	case "bench":
		return benchCommand(ctx, fs.Args()[1:], stdout, stderr)
	case "opus":
		return opusCommand(ctx, fs.Args()[1:], stdout, stderr)
	case "":
		if f.urls == "" {
			return manual.Wrong(fs, "stress what? Give -url, or \"stress demo\" is a good start")
		}
		return loadCommand(ctx, fs, &f, stdout, stderr)
	case "max":
		return maxCommand(ctx, fs.Args()[1:], stdout, stderr)
	case "local":
		return localCommand(ctx, fs.Args()[1:], stdout, stderr)
	case "shards":
		return shardsCommand(ctx, fs.Args()[1:], stdout, stderr)
	case "merge":
		return mergeCommand(fs.Args()[1:], stdout, stderr)
	}
	return manual.Wrong(fs, "command %q is not known; max, merge, local, shards, demo, unit, opus and bench are", fs.Arg(0))
}
