package main

import (
	"cmp"
	"context"
	_ "embed"
	"io"
	"log/slog"

	"github.com/coreos/go-systemd/v22/daemon"

	"bucketbrigade/internal/manual"
	"bucketbrigade/internal/metrics"
	"bucketbrigade/proto"
	"bucketbrigade/secrets"
	"bucketbrigade/shm"
	"bucketbrigade/state"
)

//go:embed doc.go
var page string

// version and branch are set by the build: -ldflags "-X main.version=…".
var version, branch string

func main() { manual.Main("state-server", run) }

func run(ctx context.Context, args []string, _, stderr io.Writer) error {
	cfg, operators, err := parse(args, stderr)
	if err != nil {
		return err
	}
	srv, err := state.New(cfg)
	if err != nil {
		return err
	}
	defer srv.Close()
	told, err := metrics.New(metrics.Config{Addr: operators, Telemetry: srv.Telemetry, Log: cfg.Log})
	if err != nil {
		return err
	}
	defer told.Close()
	_, _ = daemon.SdNotify(false, daemon.SdNotifyReady)
	return told.Beside(ctx, srv.Run)
}

// parse gives the configuration and the address for operators.
func parse(args []string, stderr io.Writer) (cfg state.Config, operators string, err error) {
	cfg.Log = slog.New(slog.NewTextHandler(stderr, nil))
	cfg.Version, cfg.Branch = version, branch
	fs := manual.New("state-server", page, stderr)
	fs.StringVar(&cfg.Dir, "dir", state.DefaultDir, "`directory` of the segments, on a tmpfs")
	fs.IntVar(&cfg.JSONArea, "json-area", proto.MaxJSONArea, "`bytes` of JSON in a segment, the same for all its peers; 10000 with peers of the first generation")
	fs.IntVar(&cfg.MaxUsers, "max-users", proto.DefaultMaxUsers, "how many active `users` the room takes; who is inside is never refused")
	fs.StringVar(&cfg.InstanceName, "instance-name", "", "`name` of this installation, shown to singers")
	fs.StringVar(&cfg.TracksDir, "tracks", "", "`folder` of backing tracks, looked at again each second; none if empty")
	fs.StringVar(&cfg.UploadsDir, "uploads", "", "`folder` into which the shards put what singers upload, made if missing; nothing can be uploaded if empty")
	fs.StringVar(&operators, "metrics", "", "loopback `address` to tell operators on: telemetry, profiles; port 0 picks one")
	files := secrets.AddFlags(fs, "")
	wait := fs.String("wait", "hybrid", "how to wait for requests: hybrid (spin a few microseconds, then sleep) or spin (never sleep; takes a whole core)")
	if err := manual.Parse(fs, args); err != nil {
		return cfg, "", err
	}
	cfg.Segments = fs.Args()
	if cfg.Wait, err = shm.ParseWait(*wait); err != nil {
		return cfg, "", manual.Wrong(fs, "-%v", err)
	}
	if cfg.MaxUsers < 1 {
		return cfg, "", manual.Wrong(fs, "-max-users %d: a room takes at least 1", cfg.MaxUsers)
	}
	known, err := files.Read()
	if err != nil {
		return cfg, "", err
	}
	cfg.ControlSecret, cfg.VideoToken = known.Control, known.VideoToken
	cfg.InstanceName = cmp.Or(cfg.InstanceName, known.InstanceName)
	return cfg, operators, nil
}
