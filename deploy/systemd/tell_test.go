package systemd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// teller is tell-nginx with a machine around it: folders of its own, the real
// generate-config, and stubs of nginx and systemctl.
type teller struct {
	*testing.T
	root string
}

// newTeller enables shards 01 to n.
func newTeller(t *testing.T, n int) *teller {
	t.Helper()
	tell := &teller{t, t.TempDir()}
	generate, err := filepath.Abs("../nginx/generate-config")
	if err != nil {
		t.Fatal(err)
	}
	text := read(t, "tell-nginx")
	for path, here := range map[string]string{
		"=/etc/systemd/system/brigade.target.wants":       "=" + tell.in("wants"),
		"=/etc/nginx/conf.d":                              "=" + tell.in("conf.d"),
		"=/usr/share/bucketbrigade/nginx/generate-config": "=" + generate,
		"=/run/brigade-nginx.pending":                     "=" + tell.in("pending"),
	} {
		if !strings.Contains(text, path+"\n") {
			t.Fatalf("tell-nginx has no %q", path)
		}
		text = strings.ReplaceAll(text, path+"\n", here+"\n")
	}
	write(t, tell.in("tell-nginx"), text, 0o755)
	write(t, tell.in("bin/nginx"), `#!/bin/sh
[ "$*" = "-t -q" ] || exit 99
[ ! -e "$ROOT/refuse" ] || { echo 'nginx: [emerg] no'; exit 1; }
`, 0o755)
	// Reloads are counted; the file cut-ACTION ends tell-nginx at that action.
	write(t, tell.in("bin/systemctl"), `#!/bin/sh
case $* in
'-q is-active nginx') action=is-active ;;
'reload nginx') action=reload; echo >>"$ROOT/reloads" ;;
*) exit 99 ;;
esac
[ ! -e "$ROOT/cut-$action" ] || kill -9 $PPID
[ ! -e "$ROOT/fail-$action" ]
`, 0o755)
	for _, dir := range []string{"wants", "conf.d", "tmp"} {
		if err := os.Mkdir(tell.in(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	tell.enable(1, n)
	return tell
}

func (tell *teller) in(name string) string { return filepath.Join(tell.root, name) }

// enable enables shards from to to.
func (tell *teller) enable(from, to int) {
	tell.Helper()
	for n := from; n <= to; n++ {
		if err := os.Symlink("/nowhere", tell.in(fmt.Sprintf("wants/codec-shard@%02d.service", n))); err != nil {
			tell.Fatal(err)
		}
	}
}

// run runs it once, while there is a file of that name for the stubs ("" for none).
// It gives what was said, whether all was well, and how often nginx was reloaded.
func (tell *teller) run(trouble string, env ...string) (said string, well bool, reloads int) {
	tell.Helper()
	if trouble != "" {
		write(tell.T, tell.in(trouble), "", 0o644)
		defer os.Remove(tell.in(trouble))
	}
	os.Remove(tell.in("reloads"))
	cmd := exec.Command("sh", tell.in("tell-nginx"))
	cmd.Env = append(os.Environ(), "ROOT="+tell.root, "TMPDIR="+tell.in("tmp"), "PATH="+tell.in("bin")+":"+os.Getenv("PATH"))
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	count, _ := os.ReadFile(tell.in("reloads"))
	return string(out), err == nil, len(count)
}

// want runs it without trouble, and wants so many reloads and a list of so many shards.
func (tell *teller) want(reloads, shards int) {
	tell.Helper()
	said, well, got := tell.run("")
	if !well || got != reloads {
		tell.Errorf("well: %v, %d reloads, want %d: %s", well, got, reloads, said)
	}
	tell.list(shards)
}

// list wants a list of so many shards before nginx.
func (tell *teller) list(shards int) {
	tell.Helper()
	if got := strings.Count(read(tell.T, tell.in("conf.d/brigade-shards.conf")), "\nupstream brigade_0"); got != shards {
		tell.Errorf("the list has %d shards, want %d", got, shards)
	}
}

func TestNginxIsToldOnce(t *testing.T) {
	t.Parallel()
	tell := newTeller(t, 2)
	tell.want(1, 2)
	tell.want(0, 2)
	tell.enable(3, 4)
	tell.want(1, 4)
	tell.want(0, 4)
	if _, err := os.Stat(tell.in("conf.d/brigade-site.conf")); err == nil {
		t.Error("without BRIGADE_SITE there is a site")
	}
	if said, well, reloads := tell.run("", "BRIGADE_SITE=--listen 8080 --choir 7"); !well || reloads != 1 {
		t.Errorf("with BRIGADE_SITE: well %v, %d reloads, want 1: %s", well, reloads, said)
	}
	if site := read(t, tell.in("conf.d/brigade-site.conf")); !strings.Contains(site, "listen 8080 ") || !strings.Contains(site, "rate=28r/s") {
		t.Errorf("the site is not that of BRIGADE_SITE:\n%s", site)
	}
}

// A reload that fails, and an end just before or during it, are made up for by the
// next run, as long as it takes; and then all is quiet.
func TestFailedReloadIsMadeUpFor(t *testing.T) {
	t.Parallel()
	for trouble, says := range map[string]string{
		"fail-reload":   "systemctl restart brigade-nginx",
		"cut-reload":    "",
		"cut-is-active": "",
	} {
		tell := newTeller(t, 2)
		tell.want(1, 2)
		tell.enable(3, 3)
		for range 2 {
			if said, well, _ := tell.run(trouble); well || !strings.Contains(said, says) {
				t.Errorf("%s: well %v, and %q, want %q", trouble, well, said, says)
			}
		}
		tell.want(1, 3)
		tell.want(0, 3)
	}
}

// nginx reads what is there when it starts.
func TestNginxDoesNotRun(t *testing.T) {
	t.Parallel()
	tell := newTeller(t, 2)
	if said, well, reloads := tell.run("fail-is-active"); !well || reloads != 0 || !strings.Contains(said, "systemctl enable --now nginx") {
		t.Errorf("well %v, %d reloads, want none: %s", well, reloads, said)
	}
	tell.want(0, 2)
}

// What nginx refuses is taken back, and tried again.
func TestRefusedConfigurationIsTakenBack(t *testing.T) {
	t.Parallel()
	tell := newTeller(t, 2)
	tell.want(1, 2)
	tell.enable(3, 3)
	for range 2 {
		if said, well, reloads := tell.run("refuse"); well || reloads != 0 || !strings.Contains(said, "the old one stays: nginx: [emerg] no") {
			t.Errorf("well %v, %d reloads, want none: %s", well, reloads, said)
		}
		tell.list(2)
	}
	tell.want(1, 3)
	tell.want(0, 3)
}

func TestShardsWithoutGaps(t *testing.T) {
	t.Parallel()
	tell := newTeller(t, 2)
	tell.enable(4, 4)
	if said, well, _ := tell.run(""); well || !strings.Contains(said, "codec-shard@04 is enabled and codec-shard@03 is not") {
		t.Errorf("well %v: %s", well, said)
	}
}
