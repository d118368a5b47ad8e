package main

import (
	"context"
	_ "embed"
	"io"
	"log/slog"

	"github.com/coreos/go-systemd/v22/daemon"

	"bucketbrigade/internal/manual"
	"bucketbrigade/proto"
	"bucketbrigade/shm"
	"bucketbrigade/state"
)

//go:embed doc.go
var page string

func main() { manual.Main("state-server", run) }

func run(ctx context.Context, args []string, _, stderr io.Writer) error {
	cfg, err := parse(args, stderr)
	if err != nil {
		return err
	}
	srv, err := state.New(cfg)
	if err != nil {
		return err
	}
	defer srv.Close()
	_, _ = daemon.SdNotify(false, daemon.SdNotifyReady)
	return srv.Run(ctx)
}

func parse(args []string, stderr io.Writer) (state.Config, error) {
	cfg := state.Config{Log: slog.New(slog.NewTextHandler(stderr, nil))}
	fs := manual.New("state-server", page, stderr)
	fs.StringVar(&cfg.Dir, "dir", state.DefaultDir, "`directory` of the segments, on a tmpfs")
	fs.IntVar(&cfg.JSONArea, "json-area", proto.MaxJSONArea, "`bytes` of JSON in a segment, the same for all its peers; 10000 with peers of the first generation")
	fs.IntVar(&cfg.MaxUsers, "max-users", proto.DefaultMaxUsers, "how many active `users` the room takes; who is inside is never refused")
	fs.StringVar(&cfg.InstanceName, "instance-name", "", "`name` of this installation, shown to singers")
	wait := fs.String("wait", "hybrid", "how to wait for requests: hybrid (spin a few microseconds, then sleep) or spin (never sleep; takes a whole core)")
	if err := manual.Parse(fs, args); err != nil {
		return cfg, err
	}
	cfg.Segments = fs.Args()
	var err error
	if cfg.Wait, err = shm.ParseWait(*wait); err != nil {
		return cfg, manual.Wrong(fs, "-%v", err)
	}
	if cfg.MaxUsers < 1 {
		return cfg, manual.Wrong(fs, "-max-users %d: a room takes at least 1", cfg.MaxUsers)
	}
	return cfg, nil
}
