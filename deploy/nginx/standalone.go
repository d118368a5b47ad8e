package nginx

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

//go:embed generate-config site.conf.template
var shipped embed.FS

// MaxShards is the largest number of shards that generate-config takes.
const MaxShards = 64

// Standalone describes an nginx that serves one brigade from one directory,
// needing neither root nor anything under /etc or /var.
type Standalone struct {
	// Dir receives the configuration, the access log, the pid file and
	// nginx's temporary files. It must exist. Nothing in it but these is touched.
	Dir string
	// Listen is the address of the site, host:port with a numeric port.
	Listen string
	// Shards is the number of shards, 1 to MaxShards; shard NN is expected at
	// 127.0.0.1:(BasePort+NN).
	Shards, BasePort int
	// Root holds the static files.
	Root string
	// Recordings holds the recordings; none if empty. It need not be there yet.
	Recordings string
	// Options go to generate-config as they are, behind those made of the
	// fields above: ("--tls-cert", "cert.pem").
	Options []string
}

// Find looks for the nginx program: in $PATH and where packages put it, since
// the PATH of an ordinary Debian user lacks the sbin directories.
func Find() (string, error) {
	if path, err := exec.LookPath("nginx"); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/local/nginx/sbin"} {
		path := filepath.Join(dir, "nginx")
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", errors.New("nginx is neither in $PATH nor in /usr/sbin: install it with `make deps`")
}

// Write puts the whole configuration into s.Dir, ready for the arguments that
// Args gives.
func (s Standalone) Write() error {
	if err := s.link("web", s.Root); err != nil {
		return err
	}
	if err := s.link("recordings", s.Recordings); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(s.Dir, "tmp"), 0o700); err != nil {
		return err
	}
	if err := s.generate(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.Dir, "nginx.conf"), []byte(mainConfig()), 0o600)
}

// link makes a link to a directory under a name without surprises: a checkout may
// lie in a directory whose name nginx would need quoted.
func (s Standalone) link(name, dir string) error {
	link := filepath.Join(s.Dir, name)
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if dir == "" {
		return nil
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	return os.Symlink(dir, link)
}

// Args are the arguments with which nginx runs, or with "-t" appended tests,
// the configuration that Write made.
func (s Standalone) Args() []string {
	// -e: before it has read the configuration nginx opens a log of its own choice.
	return []string{"-p", s.Dir, "-c", "nginx.conf", "-e", "stderr"}
}

// generate runs the shipped script over the shipped template.
func (s Standalone) generate() error {
	for _, name := range []string{"generate-config", "site.conf.template"} {
		text, err := shipped.ReadFile(name)
		if err != nil {
			panic(err) // it is embedded
		}
		if err := os.WriteFile(filepath.Join(s.Dir, name), text, 0o600); err != nil {
			return err
		}
	}
	args := append([]string{
		filepath.Join(s.Dir, "generate-config"), "--out", s.Dir,
		"--shards", strconv.Itoa(s.Shards), "--base-port", strconv.Itoa(s.BasePort),
		"--listen", s.Listen, "--root", "web", "--recordings", "recordings", "--access-log", "access.log",
	}, s.Options...)
	if out, err := exec.Command("sh", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s (%w)", strings.TrimSpace(string(out)), err)
	}
	return nil
}

// mainConfig is what on an installed machine /etc/nginx/nginx.conf says. All
// paths are relative to the directory given by -p.
func mainConfig() string {
	user := ""
	if os.Geteuid() == 0 {
		// Else workers change to a user who may not read the static files.
		user = "user root;\n"
	}
	connections := 1024
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil {
		connections = int(min(limit.Max, 32768)) / 2
	}
	return fmt.Sprintf(`%sdaemon off;
pid nginx.pid;
error_log stderr warn;
worker_processes 2;
worker_rlimit_nofile %d;
events {
    worker_connections %d;
}
http {
    types {
        text/html               html;
        text/css                css;
        text/javascript         js mjs;
        application/json        json map;
        application/wasm        wasm;
        image/svg+xml           svg;
        image/png               png;
        image/x-icon            ico;
        audio/mpeg              mp3;
        audio/wav               wav;
    }
    default_type application/octet-stream;
    client_body_temp_path tmp/body;
    proxy_temp_path tmp/proxy;
    fastcgi_temp_path tmp/fastcgi;
    uwsgi_temp_path tmp/uwsgi;
    scgi_temp_path tmp/scgi;
    include brigade-shards.conf;
    include brigade-site.conf;
}
`, user, 2*connections, connections)
}
