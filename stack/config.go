package stack

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"bucketbrigade/deploy/nginx"
)

// The programs as Config.Args names them. The children are called StateServer,
// "shard-01", "shard-02", …, and Nginx.
const (
	StateServer = "state-server"
	CodecShard  = "codec-shard"
	Nginx       = "nginx"
)

// Config says what to run. The zero value of a field is its default.
type Config struct {
	// BinDir holds the programs state-server and codec-shard. Default: the
	// current directory.
	BinDir string
	// Dir receives what the programs keep in files (Dir/uploads, Dir/recordings)
	// and what is nginx's (Dir/nginx). Backing tracks are looked for in
	// Dir/tracks. Default: a directory of its own under os.TempDir, removed at
	// the end. A directory that is given is made if missing, and stays. What the
	// programs share as memory lies elsewhere: see Stack.Shared.
	Dir string
	// Shards is the number of codec shards, 1 to 64. Default 2.
	Shards int
	// BasePort: shard NN listens on 127.0.0.1:(BasePort+NN). Default 0: ports
	// that are free.
	BasePort int
	// Listen is where nginx serves. Default 127.0.0.1:0; port 0 means a free one.
	Listen string
	// NoNginx leaves nginx out; URL is then that of the first shard.
	NoNginx bool
	// NginxPath is the nginx program. Default: where nginx.Find finds it.
	NginxPath string
	// Unlimited are addresses and networks that may ask nginx as often as they
	// like, such as "192.0.2.0/24", beside this machine's own.
	Unlimited []string
	// Root holds the static files that nginx serves. Default "web".
	Root string
	// Args are more flags for StateServer, CodecShard and Nginx.
	Args map[string][]string
	// Log receives every line of every child behind the child's name, in colour
	// if Log is a terminal. Default: none of it.
	Log io.Writer
	// StartTimeout is the time in which all must be ready. Default 30 s.
	StartTimeout time.Duration
	// Grace is the time from SIGTERM to SIGKILL for each child. Default 5 s.
	Grace time.Duration
}

// withDefaults fills in what was left zero.
func (c Config) withDefaults() Config {
	if c.Shards == 0 {
		c.Shards = 2
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	if c.Root == "" {
		c.Root = "web"
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	if c.StartTimeout == 0 {
		c.StartTimeout = 30 * time.Second
	}
	if c.Grace == 0 {
		c.Grace = 5 * time.Second
	}
	return c
}

// check finds what cannot work before anything is started.
func (c Config) check() error {
	if c.Shards < 1 || c.Shards > nginx.MaxShards {
		return fmt.Errorf("%d shards: must be from 1 to %d (make run SHARDS=2)", c.Shards, nginx.MaxShards)
	}
	if c.BasePort < 0 || c.BasePort+c.Shards > 65535 {
		return fmt.Errorf("base port %d with %d shards: the ports must lie between 1 and 65535 (make run BASE_PORT=7100)", c.BasePort, c.Shards)
	}
	for _, program := range []string{StateServer, CodecShard} {
		info, err := os.Stat(filepath.Join(c.BinDir, program))
		if err != nil {
			return fmt.Errorf("%w: build it with `make build`, or say where it is with -bin", err)
		}
		if info.IsDir() || info.Mode()&0o111 == 0 {
			return fmt.Errorf("%s is no program: build it with `make build`", filepath.Join(c.BinDir, program))
		}
	}
	for program := range c.Args {
		if program != StateServer && program != CodecShard && program != Nginx {
			return fmt.Errorf("arguments for %q: the programs are %s, %s and %s", program, StateServer, CodecShard, Nginx)
		}
	}
	if c.NoNginx {
		return nil
	}
	if _, _, err := splitListen(c.Listen); err != nil {
		return err
	}
	if info, err := os.Stat(c.Root); err != nil {
		return fmt.Errorf("static files: %w: start in the project's folder, or say where they are with -root", err)
	} else if !info.IsDir() {
		return fmt.Errorf("static files: %s is no directory", c.Root)
	}
	return nil
}

// splitListen takes host:port apart. The host must be an address: nginx and
// the check for a free port would each resolve a name in their own way.
func splitListen(listen string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(listen)
	if err != nil {
		return "", 0, fmt.Errorf("listen address %q: want HOST:PORT (%w)", listen, err)
	}
	if net.ParseIP(host) == nil {
		return "", 0, fmt.Errorf("listen address %q: the host must be an IP address such as 127.0.0.1 or 0.0.0.0", listen)
	}
	port, err = strconv.Atoi(text)
	if err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("listen address %q: the port must be a number from 0 to 65535", listen)
	}
	return host, port, nil
}

// errStopped is what is left to say of a stack that has ended.
var errStopped = errors.New("the stack has stopped")
