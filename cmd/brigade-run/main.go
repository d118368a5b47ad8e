package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"bucketbrigade/internal/manual"
	"bucketbrigade/stack"
)

//go:embed doc.go
var page string

func main() { manual.Main("brigade-run", run) }

// run does everything. The end of ctx is a good end, during the start too.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cfg, err := parse(args, stderr)
	if err != nil {
		return err
	}
	s, err := stack.New(cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "starting the state server, %d codec shard%s and nginx ...\n", cfg.Shards, plural(cfg.Shards))
	err = s.Run(ctx, func() { fmt.Fprint(stdout, welcome(s, cfg.Shards)) })
	if err != nil && !(ctx.Err() != nil && errors.Is(err, context.Canceled)) {
		return err
	}
	fmt.Fprintln(stdout, "all stopped")
	return nil
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// usualPort is where `make demo` looks unless it is told otherwise.
const usualPort = "8080"

// parse turns the command line into a configuration.
func parse(args []string, stderr io.Writer) (stack.Config, error) {
	cfg := stack.Config{Log: stderr}
	fs := manual.New("brigade-run", page, stderr)
	fs.StringVar(&cfg.Listen, "listen", "127.0.0.1:"+usualPort, "`address` where nginx serves the site; port 0 takes a free one")
	fs.IntVar(&cfg.Shards, "shards", 2, "`number` of codec shards, 1 to 64")
	fs.IntVar(&cfg.BasePort, "base-port", 7100, "shard NN listens on 127.0.0.1:(`port`+NN); 0 takes free ports")
	fs.StringVar(&cfg.BinDir, "bin", "", "`folder` of state-server and codec-shard (default: that of brigade-run)")
	fs.StringVar(&cfg.Root, "root", "web", "`folder` of the static files")
	fs.StringVar(&cfg.Dir, "dir", "", "`folder` for the programs' files and nginx's, its access log too; made if missing, and kept")
	fs.StringVar(&cfg.NginxPath, "nginx", "", "`path` of the nginx program (default: found in $PATH or /usr/sbin)")
	fs.Func("unlimited", "an address or `network`, such as 192.0.2.0/24, from which nginx takes more than from a choir in one hall; may be given several times", func(network string) error {
		cfg.Unlimited = append(cfg.Unlimited, network)
		return nil
	})
	server := fs.String(stack.StateServer, "", "more `flags` for the state server, separated by spaces")
	shard := fs.String(stack.CodecShard, "", "more `flags` for each codec shard, separated by spaces")
	if err := manual.Parse(fs, args); err != nil {
		return cfg, err
	}
	if fs.NArg() > 0 {
		return cfg, manual.Wrong(fs, "argument %q: there are only flags", fs.Arg(0))
	}
	if cfg.Shards == 0 {
		return cfg, manual.Wrong(fs, "0 shards: nobody could sing; give -shards 1 or more")
	}
	cfg.Args = map[string][]string{
		stack.StateServer: strings.Fields(*server),
		stack.CodecShard:  strings.Fields(*shard),
	}
	if cfg.BinDir == "" {
		self, err := os.Executable()
		if err != nil {
			return cfg, err
		}
		cfg.BinDir = filepath.Dir(self)
	}
	return cfg, nil
}

// welcome says where to go, once all is ready.
func welcome(s *stack.Stack, shards int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nThe brigade is up.\n\n")
	fmt.Fprintf(&b, "  site       %s/\n", s.URL())
	fmt.Fprintf(&b, "  API        %s/api\n", s.URL())
	for n := 1; n <= shards; n++ {
		fmt.Fprintf(&b, "  shard %02d   %s/api/%02d   (itself at %s)\n", n, s.URL(), n, s.ShardURL(n))
	}
	fmt.Fprintf(&b, "  songs      %s/recordings/\n", s.URL())
	fmt.Fprintf(&b, "  files      %s\n", s.Dir())
	fmt.Fprintf(&b, "  tracks     %s   (put sound files there)\n\n", s.Tracks())
	demo := "make demo"
	if port := s.URL()[strings.LastIndexByte(s.URL(), ':')+1:]; port != usualPort {
		demo += " PORT=" + port
	}
	fmt.Fprintf(&b, "In another terminal `%s` lets test voices sing.\nCtrl-C stops everything.\n\n", demo)
	return b.String()
}
