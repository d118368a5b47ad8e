package systemd

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"bucketbrigade/shard"
)

const (
	// unitDir is where units lie on a machine.
	unitDir = "usr/lib/systemd/system"
	// maxExposure is the limit of systemd-analyze security, times ten.
	maxExposure = "15"
)

// toBeStarted are the units by the names under which they are started, each with
// its file.
var toBeStarted = map[string]string{
	"codec-shard@07.service": "codec-shard@.service",
	"codec-shard@07.socket":  "codec-shard@.socket",
	"state-server.service":   "state-server.service",
	"brigade.target":         "brigade.target",
	"brigade-nginx.service":  "brigade-nginx.service",
}

func analyze(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed: `make deps`")
	}
	return path
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// stage is the root of a machine with our units, each changed by edit, beside those
// of systemd, and with something at each place from which they start anything.
func stage(t *testing.T, edit func(file, text string) string) string {
	t.Helper()
	root := t.TempDir()
	if err := os.CopyFS(filepath.Join(root, unitDir), os.DirFS("/"+unitDir)); err != nil {
		t.Fatal(err)
	}
	for _, file := range toBeStarted {
		write(t, filepath.Join(root, unitDir, file), edit(file, read(t, file)), 0o644)
	}
	for _, program := range []string{"usr/bin/codec-shard", "usr/bin/state-server", "usr/lib/bucketbrigade/tell-nginx"} {
		write(t, filepath.Join(root, program), "#!/bin/sh\n", 0o755)
	}
	return root
}

// verify gives what systemd finds wrong with all units; "" for nothing.
func verify(t *testing.T, edit func(file, text string) string) string {
	t.Helper()
	args := []string{"--root=" + stage(t, edit), "verify", "--man=no", "--generators=no", "--recursive-errors=yes"}
	for name := range toBeStarted {
		args = append(args, name)
	}
	out, err := exec.Command(analyze(t), args...).CombinedOutput()
	if err == nil {
		return ""
	}
	return err.Error() + "\n" + string(out)
}

func TestUnitsAreSound(t *testing.T) {
	t.Parallel()
	if said := verify(t, func(_, text string) string { return text }); said != "" {
		t.Error(said)
	}
	for old, wrong := range map[string]string{
		"Type=notify":               "Type=notfy",
		"WatchdogSec=":              "WatchdgSec=",
		"Requires=codec-shard@%i":   "Requires=codec-shard-%i",
		"ListenStream=127.0.0.1:71": "ListenStream=127.0.0.1:717",
		"/usr/bin/state-server":     "/usr/bin/server",
	} {
		if verify(t, func(_, text string) string { return strings.ReplaceAll(text, old, wrong) }) == "" {
			t.Errorf("%s passes", wrong)
		}
	}
}

// A shard that is stopped gets the time that it may take.
func TestShardHasTimeToStop(t *testing.T) {
	t.Parallel()
	_, value, _ := strings.Cut(read(t, "codec-shard@.service"), "\nTimeoutStopSec=")
	value, _, _ = strings.Cut(value, "\n")
	if given, err := time.ParseDuration(value); err != nil || given <= shard.StopTime {
		t.Errorf("TimeoutStopSec=%s, %v; a shard takes up to %v", value, err, shard.StopTime)
	}
}

// exposed tells whether systemd finds a unit open to more than it should be, and
// what it said.
func exposed(t *testing.T, name, text string) (bool, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	write(t, file, text, 0o644)
	out, err := exec.Command(analyze(t), "security", "--offline=true", "--no-pager", "--threshold="+maxExposure, file).CombinedOutput()
	return err != nil, string(out)
}

func TestServicesAreHardened(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"codec-shard@.service", "state-server.service"} {
		text := read(t, name)
		if open, said := exposed(t, name, text); open {
			t.Errorf("%s\n%s", name, said)
		}
		if open, _ := exposed(t, name, strings.ReplaceAll(text, "CapabilityBoundingSet=\n", "")); !open {
			t.Errorf("%s with all capabilities passes", name)
		}
	}
}

var (
	setting = regexp.MustCompile(`^(BRIGADE_[A-Z_]+)=`)
	used    = regexp.MustCompile(`\$\{?(BRIGADE_[A-Z_]+)`)
)

// Each setting that a unit takes stands in the file with an explanation above it,
// and none stands there in vain.
func TestSettingsAreExplained(t *testing.T) {
	t.Parallel()
	explained := map[string]bool{}
	lines := bufio.NewScanner(strings.NewReader(read(t, "brigade.env")))
	about := false // whether a comment stands above
	for lines.Scan() {
		line := lines.Text()
		if m := setting.FindStringSubmatch(line); m != nil {
			if explained[m[1]] {
				t.Errorf("%s stands there twice", m[1])
			}
			explained[m[1]] = true
			if !about {
				t.Errorf("%s has no explanation", m[1])
			}
			continue
		}
		about = strings.HasPrefix(line, "# ")
		if line != "" && !strings.HasPrefix(line, "#") {
			t.Errorf("line %q is neither a setting nor a comment", line)
		}
	}
	var taken []string
	for _, file := range []string{"codec-shard@.service", "state-server.service", "tell-nginx"} {
		for _, m := range used.FindAllStringSubmatch(read(t, file), -1) {
			taken = append(taken, m[1])
			if !explained[m[1]] {
				t.Errorf("%s takes %s, which brigade.env does not explain", file, m[1])
			}
		}
	}
	for name := range explained {
		if !slices.Contains(taken, name) {
			t.Errorf("brigade.env explains %s, which nothing takes", name)
		}
	}
}

// What programs say names their flags, and the operator finds the setting by its name.
func TestSettingsAreNamedAsTheirFlags(t *testing.T) {
	t.Parallel()
	given := regexp.MustCompile(`-([a-z-]+)=\$\{BRIGADE_([A-Z_]+)\}`)
	for file, wait := range map[string]string{"codec-shard@.service": "SHARD_WAIT", "state-server.service": "STATE_WAIT"} {
		all := given.FindAllStringSubmatch(read(t, file), -1)
		if len(all) < 5 {
			t.Errorf("%s gives only %d settings to the program", file, len(all))
		}
		for _, m := range all {
			want := strings.ToUpper(strings.ReplaceAll(m[1], "-", "_"))
			if want == "WAIT" {
				want = wait
			}
			if m[2] != want {
				t.Errorf("%s: -%s is set by BRIGADE_%s, and brigade.env says by BRIGADE_%s", file, m[1], m[2], want)
			}
		}
	}
}

// A line that systemd does not understand it skips, so the file is read by systemd
// itself elsewhere; here is what people get wrong in this form.
func TestNoSettingIsFollowedByAComment(t *testing.T) {
	t.Parallel()
	for line := range bytes.Lines([]byte(read(t, "brigade.env"))) {
		if setting.Match(line) && bytes.Contains(line, []byte(" #")) {
			t.Errorf("%s: systemd takes the comment for a part of the value", line)
		}
	}
}
