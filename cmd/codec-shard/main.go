package main

import (
	"context"
	_ "embed"
	"errors"
	"io"

	"bucketbrigade/internal/manual"
	"bucketbrigade/internal/metrics"
	"bucketbrigade/internal/service"
	"bucketbrigade/shard"
	"bucketbrigade/shard/shardmetrics"
)

//go:embed doc.go
var page string

// version and branch are set by the build: -ldflags "-X main.version=…".
var version, branch string

func main() { manual.Main("codec-shard", run) }

func run(ctx context.Context, args []string, _, stderr io.Writer) error {
	opts, err := parse(args, stderr)
	if err != nil {
		return err
	}
	settle(opts.procs, opts.segment != "")
	log := opts.settings.Log
	if err := opts.takeSockets(); err != nil {
		return err
	}
	opts.settings.Version, opts.settings.Branch = version, branch
	uploads, err := opts.store(log)
	if err != nil {
		return err
	}
	back, err := opts.backend()
	if err != nil {
		return err
	}
	var srv *shard.Server
	life := service.New(service.Config{Log: log, Status: func() string { return srv.Status() }})
	srv, err = shard.New(shard.Config{
		Backend:   back,
		Listen:    opts.listen,
		Listeners: opts.sockets,
		OwnState:  opts.segment == "",
		Beat:      life.Beat,
		Version:   version,
		Branch:    branch,
		Uploads:   uploads,
		Opus:      opts.opus,
		Private:   opts.encode == private,
		Log:       log,
	})
	if err != nil {
		return errors.Join(err, back.end())
	}
	told, err := metrics.New(metrics.Config{
		Addr: opts.metrics, Telemetry: back.telemetry, Collectors: append(back.collectors, shardmetrics.Sheet(srv.Stats)),
		Alive: life.Alive, Ready: srv.Ready, Log: log,
	})
	if err != nil {
		return errors.Join(err, srv.Close(), back.end())
	}
	defer told.Close()
	err = life.Beside(ctx, func(ctx context.Context) error { return told.Beside(ctx, srv.Run) })
	return errors.Join(err, srv.Close(), back.end())
}
