package main

import (
	"cmp"
	"context"
	_ "embed"
	"io"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"bucketbrigade/internal/manual"
	"bucketbrigade/internal/metrics"
	"bucketbrigade/internal/service"
	"bucketbrigade/secrets"
	"bucketbrigade/shm"
	"bucketbrigade/state"
	"bucketbrigade/state/statemetrics"
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
	var srv *state.Server
	service.WarnOfUnknownSettings(os.Environ(), cfg.Log)
	life := service.New(service.Config{Log: cfg.Log, Status: func() string { return srv.Status() }})
	cfg.Beat = life.Beat
	srv, err = state.New(cfg)
	if err != nil {
		return err
	}
	defer srv.Close()
	told, err := metrics.New(metrics.Config{
		Addr: operators, Telemetry: srv.Telemetry, Collectors: []prometheus.Collector{statemetrics.Sheet(srv.Stats)},
		Alive: life.Alive, Ready: life.Alive, Log: cfg.Log,
	})
	if err != nil {
		return err
	}
	defer told.Close()
	return life.Beside(ctx, func(ctx context.Context) error { return told.Beside(ctx, srv.Run) })
}

// parse gives the configuration and the address for operators.
func parse(args []string, stderr io.Writer) (cfg state.Config, operators string, err error) {
	cfg.Log = service.Logger(stderr)
	cfg.Version, cfg.Branch = version, branch
	fs := manual.New("state-server", page, stderr)
	fs.StringVar(&cfg.Dir, "dir", state.DefaultDir, "`directory` of the segments, on a tmpfs")
	cfg.AddFlags(fs, "")
	fs.StringVar(&operators, "metrics", "", "loopback `address` to tell operators on: telemetry, profiles; port 0 picks one")
	files := secrets.AddFlags(fs, "")
	wait := fs.String("wait", "hybrid", "how to wait for requests: hybrid (spin a few microseconds, then sleep) or spin (never sleep; takes a whole core)")
	if err := manual.Parse(fs, args); err != nil {
		return cfg, "", err
	}
	cfg.Segments = fs.Args()
	for _, name := range cfg.Segments {
		if strings.HasPrefix(name, "-") {
			return cfg, "", manual.Wrong(fs, "%s comes after a segment: give all flags before the first", name)
		}
	}
	if cfg.Wait, err = shm.ParseWait(*wait); err != nil {
		return cfg, "", manual.Wrong(fs, "-%v", err)
	}
	if err := cfg.CheckFlags(); err != nil {
		return cfg, "", manual.Wrong(fs, "%v", err)
	}
	known, err := files.Read(cfg.Log)
	if err != nil {
		return cfg, "", err
	}
	cfg.ControlSecret, cfg.VideoToken = known.Control, known.VideoToken
	cfg.InstanceName = cmp.Or(cfg.InstanceName, known.InstanceName)
	return cfg, operators, nil
}
