package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"

	"bucketbrigade/internal/manual"
	"bucketbrigade/shard"
)

//go:embed doc.go
var page string

// version and branch are set by the build: -ldflags "-X main.version=…".
var version, branch string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stderr)
	if manual.Status(err) == 1 {
		fmt.Fprintln(os.Stderr, "codec-shard:", err)
	}
	os.Exit(manual.Status(err))
}

func run(ctx context.Context, args []string, stderr io.Writer) error {
	opts, err := parse(args, stderr)
	if err != nil {
		return err
	}
	backend, closeBackend, err := opts.backend()
	if err != nil {
		return err
	}
	srv, err := shard.New(shard.Config{
		Backend: backend,
		Listen:  opts.listen,
		Version: version,
		Branch:  branch,
		Log:     slog.New(slog.NewTextHandler(stderr, nil)),
	})
	if err != nil {
		return errors.Join(err, closeBackend())
	}
	_, _ = daemon.SdNotify(false, daemon.SdNotifyReady)
	return errors.Join(srv.Run(ctx), srv.Close(), closeBackend())
}
