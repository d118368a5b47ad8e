package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"bucketbrigade/codec"
	"bucketbrigade/internal/manual"
	"bucketbrigade/internal/metrics"
	"bucketbrigade/internal/service"
	"bucketbrigade/secrets"
	"bucketbrigade/shard"
	"bucketbrigade/shm"
	"bucketbrigade/state"
	"bucketbrigade/state/statemetrics"
	"bucketbrigade/upload"
)

// What -encode can be.
const (
	shared  = "shared"
	private = "private"
)

// options are the command line.
type options struct {
	listen   string
	asked    bool           // -listen stands on the command line
	sockets  []net.Listener // from systemd, in place of listen
	dir      string
	segment  string
	wait     shm.Wait
	settings state.Settings
	metrics  string // address for operators
	opus     codec.Settings
	encode   string // shared or private
	procs    int
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	o.settings.Log = service.Logger(stderr)
	fs := manual.New("codec-shard", page, stderr)
	fs.StringVar(&o.listen, "listen", "127.0.0.1:8081", "`address` to answer HTTP on; port 0 picks one. Not used where systemd opens the sockets")
	fs.StringVar(&o.dir, "dir", state.DefaultDir, "`directory` of the segment, on a tmpfs")
	fs.StringVar(&o.segment, "segment", "", "`name` of the segment shared with the state server; without one the state lives in this process")
	o.settings.AddFlags(fs, "without -segment: ")
	fs.StringVar(&o.metrics, "metrics", "", "loopback `address` to tell operators on: profiles, and without -segment telemetry; port 0 picks one")
	fs.StringVar(&o.encode, "encode", shared, "`how` to encode what is heard: shared (once for all who hear the same) or private (for each singer; several times the processor)")
	fs.IntVar(&o.procs, "procs", 0, "how many `processors` to use at once; 0: one with -segment, as each shard has its own, all without")
	o.opus = codec.Default()
	fs.IntVar(&o.opus.Complexity, "complexity", o.opus.Complexity, "0 to 10: how much `effort` goes into encoding; more costs processor and sounds little better")
	fs.TextVar(&o.opus.Application, "opus-application", o.opus.Application, "`kind` of encoder: lowdelay, or audio, which is later and dearer, to compare with")
	files := secrets.AddFlags(fs, "without -segment: ")
	wait := fs.String("wait", "hybrid", "with -segment, how to wait for the state server: hybrid (spin a few microseconds, then sleep) or spin (never sleep)")
	if err := manual.Parse(fs, args); err != nil {
		return o, err
	}
	if err := o.check(fs, *wait, files); err != nil {
		return o, err
	}
	fs.Visit(func(f *flag.Flag) { o.asked = o.asked || f.Name == "listen" })
	known, err := files.Read(o.settings.Log)
	o.settings.ControlSecret, o.settings.VideoToken = known.Control, known.VideoToken
	o.settings.InstanceName = cmp.Or(o.settings.InstanceName, known.InstanceName)
	return o, err
}

func (o *options) check(fs *flag.FlagSet, wait string, files *secrets.Files) (err error) {
	switch o.wait, err = shm.ParseWait(wait); {
	case err != nil:
		return manual.Wrong(fs, "-%v", err)
	case fs.NArg() > 0:
		return manual.Wrong(fs, "argument %q: a codec shard takes flags only", fs.Arg(0))
	case o.segment != "" && o.segment != filepath.Base(o.segment):
		return manual.Wrong(fs, "-segment %q is a name like echo01, its directory belongs to -dir", o.segment)
	case o.segment != "" && *files != (secrets.Files{}):
		return manual.Wrong(fs, "-secrets and -control-secret belong to the state server, which -segment %s leads to", o.segment)
	case o.segment != "" && state.InVain(fs) != "":
		return manual.Wrong(fs, "-%s belongs to the state server, which -segment %s leads to", state.InVain(fs), o.segment)
	}
	if o.encode != shared && o.encode != private {
		return manual.Wrong(fs, "-encode %q is not known: \"shared\" or \"private\"", o.encode)
	}
	if o.procs < 0 {
		return manual.Wrong(fs, "-procs %d: give 1 or more, or 0 for what is usual", o.procs)
	}
	if c := o.opus.Complexity; c < 0 || c > codec.MaxComplexity {
		return manual.Wrong(fs, "-complexity %d is not in 0..%d", c, codec.MaxComplexity)
	}
	if err := o.settings.CheckFlags(); err != nil {
		return manual.Wrong(fs, "%v", err)
	}
	return nil
}

// socketName is what systemd calls the sockets of a shard.
const socketName = "http"

// takeSockets takes the sockets that systemd has opened for this shard, if it
// has: they win over -listen.
func (o *options) takeSockets() (err error) {
	if o.sockets, err = service.Sockets(socketName); err != nil {
		return err
	}
	if len(o.sockets) > 0 && o.asked {
		o.settings.Log.Warn("-listen is not used: systemd has opened sockets", "listen", o.listen, "sockets", len(o.sockets))
	}
	return nil
}

// back is the way to the shared state. What is to be told of the state is nil if it
// lives elsewhere.
type back struct {
	shard.Backend
	telemetry  metrics.Telemetry
	collectors []prometheus.Collector
	end        func() error
}

// backend makes the way to the shared state.
func (o *options) backend() (back, error) {
	if o.segment == "" {
		local, err := state.NewLocal(o.settings)
		if err != nil {
			return back{}, err
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- local.Run(ctx) }()
		return back{
			local, local.Telemetry, []prometheus.Collector{statemetrics.Sheet(local.Stats)},
			func() error { cancel(); return errors.Join(<-done, local.Close()) },
		}, nil
	}
	seg, err := shm.Open(filepath.Join(o.dir, o.segment), shm.ForShard, o.settings.JSONArea)
	if err != nil {
		return back{}, err
	}
	client := shm.NewClient(seg, shm.ClientConfig{Wait: o.wait})
	return back{Backend: client, end: client.Close}, nil
}

// store makes the way to the uploads; nil without -uploads.
func (o *options) store(log *slog.Logger) (*upload.Store, error) {
	if o.settings.UploadsDir == "" {
		return nil, nil
	}
	return upload.NewStore(o.settings.UploadsDir, log)
}
