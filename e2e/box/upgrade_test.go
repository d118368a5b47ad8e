package box

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// earlier is the commit whose package is upgraded under load. What it leaves of the room
// has to be readable: once files of state are two versions newer, take a later one.
const earlier = "6f8f979e45f95b045918812b1d46395115820358"

// checkout gives a tree of this repository as it was at a commit. A shallow clone may
// not have it.
func checkout(t testing.TB, commit string) string {
	t.Helper()
	root, tree := filepath.Join("..", ".."), filepath.Join(t.TempDir(), "tree")
	git := func(args ...string) (string, error) {
		out, err := exec.Command("git", append([]string{"-C", root}, args...)...).CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	if out, err := git("cat-file", "-e", commit+"^{commit}"); err != nil {
		if shallow, _ := git("rev-parse", "--is-shallow-repository"); shallow == "true" {
			t.Skipf("SKIPPED, NOTHING WAS PROVED: this clone is shallow and has no commit %.7s to upgrade from: git fetch --unshallow", commit)
		}
		t.Fatalf("no commit %.7s to upgrade from: %v: %s", commit, err, out)
	}
	for _, args := range [][]string{{"clone", "-q", "--shared", "--no-checkout", ".", tree}, {"-C", tree, "checkout", "-q", "--detach", commit}} {
		if out, err := git(args...); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	return tree
}

// lend lets a tree build with the tools that were built in this one.
func lend(t testing.TB, tree string) {
	t.Helper()
	tools, err := filepath.Abs(filepath.Join("..", "..", "build", "tools"))
	if err == nil {
		err = os.MkdirAll(filepath.Join(tree, "build"), 0o755)
	}
	if err == nil {
		err = os.Symlink(tools, filepath.Join(tree, "build", "tools"))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// room is what of a room has to be the same after an upgrade.
type room struct {
	Leader string `json:"leader"`
	Song   int64  `json:"song_start_clock"`
	BPM    int    `json:"bpm"`
	users  string // userid and name of each
}

// room asks the state server. What it tells is up to a second old.
func (m *machine) room(t testing.TB) room {
	t.Helper()
	var told struct {
		Server  struct{ State room }
		Clients map[string]struct{ Raw struct{ UserID, Name string } }
	}
	text := m.must(t, "curl", "-sf", "http://127.0.0.1:7200/api/telemetry")
	if err := json.Unmarshal([]byte(text), &told); err != nil {
		t.Fatalf("%v: %.300s", err, text)
	}
	var users []string
	for _, c := range told.Clients {
		users = append(users, c.Raw.UserID+" "+c.Raw.Name)
	}
	slices.Sort(users)
	told.Server.State.users = strings.Join(users, "\n")
	return told.Server.State
}

// TestBoxLongUpgradeFromEarlier installs this package over one of an earlier commit
// while a hundred sing: no request is lost, and song, room and settings stay.
func TestBoxLongUpgradeFromEarlier(t *testing.T) {
	if !*long {
		t.Skip("this takes two minutes: `make e2e-long`")
	}
	tree := checkout(t, earlier)
	m := boot(t)
	lend(t, tree)
	newer := m.deb
	m.deb = m.bring(t, buildPackage(t, tree))
	m.sh(t, "dpkg -x "+newer+" /mnt/share/newer")
	m.singers = "/mnt/share/newer/usr/bin/brigade-stress"
	m.must(t, "systemctl", "enable", "--now", "nginx")
	m.bringUp(t)
	m.sh(t, "echo '# mine' >>"+settings)

	const song, second = 40 * time.Second, 15
	what := fmt.Sprintf("an upgrade from %.7s", earlier)
	c := m.song(t, what, song, []blow{{what, second, func(t testing.TB) { m.upgrade(t, newer) }, 0}}, 16)
	m.check(t, "one whole recording of the song that was sung across the upgrade", func(t testing.TB) {
		made := m.recordings(t)
		if len(made) != 1 {
			t.Fatalf("%d recordings were made: %v", len(made), made)
		}
		c.wholeRecording(t, made[0], song)
	})
}

// upgrade installs a package over an older one, as an operator does who keeps his
// settings, and looks at what is there before and after.
func (m *machine) upgrade(t testing.TB, deb string) {
	before, pids := m.room(t), map[string]int{}
	if before.Leader == "" || before.Song == 0 || strings.Count(before.users, "\n") != longUsers-1 {
		t.Errorf("before it %d users are there, %q leads, the song began at %d", strings.Count(before.users, "\n")+1, before.Leader, before.Song)
	}
	for _, unit := range units() {
		if strings.HasSuffix(unit, ".service") && unit != "nginx.service" {
			pids[unit] = m.pid(t, unit)
		}
	}
	m.must(t, "dpkg", "--force-confold", "-i", deb)
	for unit, pid := range pids {
		m.again(t, unit, pid)
		program, _, _ := strings.Cut(strings.TrimSuffix(unit, ".service"), "@")
		m.sh(t, fmt.Sprintf("cmp /proc/%d/exe /mnt/share/newer/usr/bin/%s", m.pid(t, unit), program))
	}
	after := m.room(t)
	for deadline := time.Now().Add(patience); after != before && time.Now().Before(deadline); after = m.room(t) {
		<-time.After(lookEvery)
	}
	if after != before {
		t.Errorf("the room was\n%+v\nand is\n%+v", before, after)
	}
	m.sh(t, "tail -n 1 "+settings+" | grep -qx '# mine'")
}
