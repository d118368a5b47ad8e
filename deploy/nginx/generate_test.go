package nginx

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// generate runs the script where it lies, as an operator would.
func generate(t *testing.T, args ...string) (out string, code int) {
	t.Helper()
	script, err := filepath.Abs("generate-config")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(script, args...)
	cmd.Dir = t.TempDir()
	text, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

func TestGenerateRefusesBadArguments(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args, want string
		code       int
	}{
		{"--shards 0", "--shards 0: must be from 1 to 64", 2},
		{"--shards 65", "--shards 65: must be from 1 to 64", 2},
		{"--shards -1", "--shards '-1': must be a whole number", 2},
		{"--shards 2.5", "must be a whole number", 2},
		{"--shards 07", "without leading zeros", 2},
		{"--shards 99999999999999999999", "must be a whole number", 2},
		{"--shards", "--shards needs a value", 2},
		{"--base-port 65500 --shards 36", "shard 36 would be at port 65536", 2},
		{"--base-port 0", "--base-port 0: must be from 1", 2},
		{"--listen 70000", "must be from 1 to 65535", 2},
		{"--listen ::1:80", "needs brackets", 2},
		{"--listen [x;y]:80", "no IPv6 address", 2},
		{"--listen 80;", "give PORT, ADDRESS:PORT", 2},
		{"--root /srv;x", "--root '/srv;x'", 2},
		{"--root /srv$x", "--root", 2},
		{"--recordings /srv;x", "--recordings '/srv;x'", 2},
		{"--recordings", "--recordings needs a value", 2},
		{"--access-log a|b", "--access-log", 2},
		{"--server-name a;b", "--server-name", 2},
		{"--tls-cert c.pem", "--tls-cert needs --tls-key", 2},
		{"--tls-key c.pem", "--tls-key needs --tls-cert", 2},
		{"--certbot a;b", "--certbot 'a;b'", 2},
		{"--certbot a --tls-cert c.pem", "one certificate is enough", 2},
		{"--certbot sing.example.org --certbot-dir /does/not/exist", "certbot certonly --webroot -w /var/www/certbot -d sing.example.org", 1},
		{"--acme /srv;x", "--acme '/srv;x'", 2},
		{"--http 8080", "--http redirects to TLS", 2},
		{"--http x:y --tls-cert c --tls-key k", "the port of --http 'y'", 2},
		{"--hsts 5", "--hsts is for a site with TLS", 2},
		{"--hsts -1", "--hsts '-1'", 2},
		{"--hsts 1000000000", "at most 9 digits", 2},
		{"--nginx-version 1.25", "three numbers", 2},
		{"--nginx-version 1.25.x", "three numbers", 2},
		{"--choir 0", "--choir 0: must be from 1 to 5000", 2},
		{"--choir 5001", "--choir 5001: must be from 1 to 5000", 2},
		{"--unlimited example.org", "give an address or a network", 2},
		{"--unlimited 10.0.0.0/", "give an address or a network", 2},
		{"--real-ip-from 1;2", "give an address or a network", 2},
		{"--real-ip-header X_Real", "--real-ip-header 'X_Real'", 2},
		{"--out /does/not/exist", "is no directory", 1},
		{"--colour", "unknown argument '--colour'", 2},
		{"4", "unknown argument '4'", 2},
	}
	for _, tt := range tests {
		out, code := generate(t, strings.Fields(tt.args)...)
		if code != tt.code || !strings.Contains(out, tt.want) {
			t.Errorf("%s: exit %d, want %d with %q:\n%s", tt.args, code, tt.code, tt.want, out)
		}
	}
}

func TestGenerateHelp(t *testing.T) {
	t.Parallel()
	out, code := generate(t, "--help")
	if code != 0 {
		t.Errorf("exit %d", code)
	}
	for _, want := range []string{"USAGE", "OPTIONS", "EXIT STATUS", "EXAMPLES", "--shards N", "--list-only"} {
		if !strings.Contains(out, want) {
			t.Errorf("the manual has no %q", want)
		}
	}
}

func TestGenerateListOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if out, code := generate(t, "--out", dir, "--shards=3", "--base-port=9000"); code != 0 {
		t.Fatal(out)
	}
	site := filepath.Join(dir, "brigade-site.conf")
	if err := os.WriteFile(site, []byte("edited"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := generate(t, "--out", dir, "--shards=5", "--base-port=9000", "--list-only"); code != 0 {
		t.Fatal(out)
	}
	if text, err := os.ReadFile(site); err != nil || string(text) != "edited" {
		t.Errorf("--list-only changed the site: %q %v", text, err)
	}
	list, err := os.ReadFile(filepath.Join(dir, "brigade-shards.conf"))
	if err != nil || !strings.Contains(string(list), "127.0.0.1:9005") || strings.Contains(string(list), "127.0.0.1:9006") {
		t.Errorf("the list is not that of 5 shards: %v\n%s", err, list)
	}
}

func TestGenerateRecordings(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"":                              "alias /var/lib/bucketbrigade/recordings/;",
		"--recordings /srv/recordings":  "alias /srv/recordings/;",
		"--recordings=/srv/recordings/": "alias /srv/recordings/;",
	} {
		dir := t.TempDir()
		if out, code := generate(t, append(strings.Fields(args), "--out", dir)...); code != 0 {
			t.Fatal(out)
		}
		site, err := os.ReadFile(filepath.Join(dir, "brigade-site.conf"))
		if err != nil || !strings.Contains(string(site), want) {
			t.Errorf("%q: %v\n%s", args, err, site)
		}
	}
}

// Not asked of nginx itself: not every machine has IPv6.
func TestGenerateIPv6(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if out, code := generate(t, "--out", dir, "--listen", "[::]:80", "--listen", "80"); code != 0 {
		t.Fatal(out)
	}
	site, err := os.ReadFile(filepath.Join(dir, "brigade-site.conf"))
	if err != nil || !strings.Contains(string(site), "    listen [::]:80 backlog=4096;\n    listen 80 backlog=4096;\n") {
		t.Errorf("%v\n%s", err, site)
	}
}

// What an operator gets is complete: no mark of the template is left, and
// nginx accepts it, for every kind of argument.
func TestNginxAcceptsTheConfiguration(t *testing.T) {
	t.Parallel()
	cert, key := selfSigned(t)
	mark := regexp.MustCompile(`@[A-Z_]+@|(?m:^#@)`)
	tests := map[string]Standalone{
		"one shard":       {Shards: 1, BasePort: 7100},
		"seven":           {Shards: 7, BasePort: 7100},
		"sixty-four":      {Shards: 64, BasePort: 7100},
		"highest port":    {Shards: 64, BasePort: 65535 - 64},
		"names":           {Shards: 2, BasePort: 7100, Options: []string{"--server-name", "sing.example.org *.example.org"}},
		"more addresses":  {Shards: 2, BasePort: 7100, Options: []string{"--listen", "127.0.0.2:18080", "--listen", "*:18081"}},
		"tls":             {Shards: 2, BasePort: 7100, Options: []string{"--tls-cert", cert, "--tls-key", key}},
		"tls and more":    {Shards: 2, BasePort: 7100, Options: []string{"--tls-cert", cert, "--tls-key", key, "--http", "18083", "--hsts", "60"}},
		"certbot":         {Shards: 64, BasePort: 7100, Options: []string{"--certbot", "sing.example.org", "--certbot-dir", certbotDir(t, cert, key)}},
		"foreign client":  {Shards: 2, BasePort: 7100, Options: []string{"--foreign-client"}},
		"limits":          {Shards: 2, BasePort: 7100, Options: []string{"--choir", "5000", "--unlimited", "192.0.2.0/24", "--unlimited", "2001:db8::/32"}},
		"none unlimited":  {Shards: 2, BasePort: 7100, Options: []string{"--choir=1", "--unlimited=none"}},
		"behind a proxy":  {Shards: 2, BasePort: 7100, Options: []string{"--real-ip-from", "10.0.0.0/8", "--real-ip-from", "::1", "--real-ip-header", "CF-Connecting-IP"}},
		"equals in value": {Shards: 2, BasePort: 7100, Options: []string{"--listen=127.0.0.1:18082"}},
	}
	for name, conf := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// A directory with a blank: all that nginx reads is relative to it.
			conf.Dir = filepath.Join(t.TempDir(), "a b")
			if err := os.Mkdir(conf.Dir, 0o700); err != nil {
				t.Fatal(err)
			}
			conf.Listen, conf.Root = "127.0.0.1:18079", t.TempDir()
			if err := conf.Write(); err != nil {
				t.Fatal(err)
			}
			for _, file := range []string{"brigade-shards.conf", "brigade-site.conf"} {
				text, err := os.ReadFile(filepath.Join(conf.Dir, file))
				if err != nil || mark.Match(text) {
					t.Errorf("%s: %v\n%s", file, err, text)
				}
			}
			// A port in use is no fault to -t: tests run beside each other.
			out, err := exec.Command(nginxPath(t), append(conf.Args(), "-t", "-q")...).CombinedOutput()
			if err != nil || strings.Contains(string(out), "[warn]") {
				t.Errorf("nginx -t: %v\n%s", err, out)
			}
		})
	}
}

// The two ways to write HTTP/2: nginx 1.25.1 brought the new one.
func TestGenerateHTTP2(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"1.19.10": "    listen 443 ssl http2 backlog=4096;\n    ssl_certificate ",
		"1.22.1":  "    listen 443 ssl http2 backlog=4096;\n    ssl_certificate ",
		"1.25.0":  "    listen 443 ssl http2 backlog=4096;\n    ssl_certificate ",
		"1.25.1":  "    listen 443 ssl backlog=4096;\n    http2 on;\n    ssl_certificate ",
		"1.26.0":  "    listen 443 ssl backlog=4096;\n    http2 on;\n    ssl_certificate ",
		"2.0.0":   "    listen 443 ssl backlog=4096;\n    http2 on;\n    ssl_certificate ",
	} {
		dir := t.TempDir()
		if out, code := generate(t, "--out", dir, "--listen", "443", "--tls-cert", "c", "--tls-key", "k", "--nginx-version", version); code != 0 {
			t.Fatal(out)
		}
		site, err := os.ReadFile(filepath.Join(dir, "brigade-site.conf"))
		if err != nil || !strings.Contains(string(site), want) {
			t.Errorf("nginx %s: no %q (%v):\n%s", version, want, err, site)
		}
	}
}

func TestStandaloneReportsWhatTheGeneratorSays(t *testing.T) {
	t.Parallel()
	err := Standalone{Dir: t.TempDir(), Listen: "127.0.0.1:8080", Shards: 65, BasePort: 7100, Root: "."}.Write()
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("from 1 to %d", MaxShards)) {
		t.Errorf("65 shards: %v", err)
	}
}
