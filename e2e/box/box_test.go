package box

import (
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shards is how many are brought up.
const shards = 8

const stateServer = "state-server.service"

func shard(n int) string { return fmt.Sprintf("codec-shard@%02d.service", n) }

// units are all that run.
func units() []string {
	list := []string{"brigade.target", stateServer, "nginx.service"}
	for n := range shards {
		list = append(list, shard(n+1), fmt.Sprintf("codec-shard@%02d.socket", n+1))
	}
	return list
}

// bringUp installs the package and starts all of it with the line that the
// manual has.
func (m *machine) bringUp(t *testing.T) {
	t.Helper()
	m.check(t, "apt installs the package", func(t testing.TB) {
		m.must(t, "apt-get", "install", "-y", m.deb)
	})
	m.check(t, "one line brings up eight shards", func(t testing.TB) {
		m.sh(t, "systemctl enable --now brigade.target codec-shard@{01..08}")
		for _, unit := range units() {
			if state := m.property(t, unit, "ActiveState"); state != "active" {
				t.Errorf("%s is %s", unit, state)
			}
		}
	})
}

// One of each thing that can happen to an installed brigade.
func TestBox(t *testing.T) {
	m := boot(t)
	m.must(t, "systemctl", "enable", "--now", "nginx")
	before := map[string]bool{}
	for _, name := range m.files(t) {
		before[name] = true
	}
	m.bringUp(t)
	m.check(t, "nginx serves page, recordings and all shards", m.testSite)
	m.check(t, "systemctl status tells what each does", m.testStatus)
	m.check(t, "what the services run as", m.testSandbox)
	m.check(t, "what Prometheus shall scrape is there", m.testScrape)
	m.check(t, "every flag has a setting", m.testFlags)
	m.check(t, "a ninth shard comes and goes", m.testNinthShard)
	m.testUnderLoad(t)
	m.testWrongSettings(t)
	m.check(t, "a shard that cannot start comes when it can", m.testCrashLoop)
	m.check(t, "a shard that makes no sense is given up, and mended", m.testUselessStarts)
	m.check(t, "the state server before all others", m.testPriority)
	m.check(t, "a full disk costs the recording only", m.testFullDisk)
	m.check(t, "too little room fails at the first start, and only there", m.testLittleRoom)
	m.check(t, "an upgrade leaves all running", m.testUpgrade)
	m.testRemoval(t, before)
}

func (m *machine) testSite(t testing.TB) {
	for path, want := range map[string]string{
		"/":                    "200 <!",
		"/recordings/":         "200 ",
		"/api/01":              "200 ",
		"/api/08":              "200 ",
		"/api":                 "200 ",
		"/api/09":              "404 There is no shard 09 here",
		"/recordings/writable": "404 ",
	} {
		if got := m.get(t, path); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %.200q, want %q", path, got, want)
		}
	}
}

func (m *machine) testStatus(t testing.TB) {
	for _, unit := range []string{stateServer, shard(1)} {
		if m.property(t, unit, "StatusText") == "" {
			t.Errorf("%s says nothing", unit)
		}
	}
}

// testSandbox looks at what the kernel has of the processes.
func (m *machine) testSandbox(t testing.TB) {
	user := m.must(t, "id", "-u", "bucketbrigade")
	for _, unit := range []string{stateServer, shard(1)} {
		pid := fmt.Sprint(m.pid(t, unit))
		status := m.must(t, "cat", "/proc/"+pid+"/status")
		for _, want := range []string{`Uid:\t` + user + `\t`, `CapBnd:\t0+\n`, `CapEff:\t0+\n`, `NoNewPrivs:\t1\n`, `Seccomp:\t2\n`} {
			if !regexp.MustCompile(want).MatchString(status) {
				t.Errorf("%s: no %q in /proc/PID/status", unit, want)
			}
		}
		if slack := m.must(t, "cat", "/proc/"+pid+"/timerslack_ns"); slack != "50000000" {
			t.Errorf("%s: timers may be %s ns late", unit, slack)
		}
		// Root in the service's view of the files: what it cannot write there, nobody can.
		for file, want := range map[string]bool{
			"/usr/probe": false, "/etc/probe": false, "/var/lib/probe": false,
			"/var/lib/bucketbrigade/tracks/probe": false, "/run/bucketbrigade/probe": true, "/tmp/probe": true,
		} {
			_, err := m.Run(t.Context(), "nsenter", "-t", pid, "-m", "sh", "-c", "touch "+file+" && rm "+file)
			if (err == nil) != want {
				t.Errorf("%s: writing %s: %v", unit, file, err)
			}
		}
		m.sh(t, "set -o pipefail; systemd-analyze security --no-pager --threshold=15 "+unit+" | tail -n 1")
	}
}

var flagName = regexp.MustCompile(`(?m)^  -([a-z-]+)`)

// testFlags finds flags that the unit does not give, but for what the socket unit says.
func (m *machine) testFlags(t testing.TB) {
	for program, unit := range map[string]string{"state-server": stateServer, "codec-shard": shard(1)} {
		help := m.must(t, program, "-help")
		given := m.property(t, unit, "ExecStart")
		for _, flag := range flagName.FindAllStringSubmatch(help, -1) {
			about := help[strings.Index(help, flag[0]):]
			if strings.Contains(strings.SplitN(about, "\n", 3)[1], "without -segment: ") {
				continue // not for a shard of many
			}
			if flag[1] != "listen" && !strings.Contains(given, " -"+flag[1]+"=") {
				t.Errorf("%s has a flag -%s, and the unit has no setting for it", program, flag[1])
			}
		}
	}
}

func (m *machine) testNinthShard(t testing.TB) {
	m.sh(t, "systemctl enable --now codec-shard@09")
	m.soon(t, "nginx knows shard 09, and the state server serves it", func() bool { return strings.HasPrefix(m.get(t, "/api/09"), "200 ") })
	m.sh(t, "systemctl disable --now codec-shard@09.{socket,service}; systemctl start brigade-nginx")
	m.soon(t, "nginx knows it no more", func() bool { return strings.HasPrefix(m.get(t, "/api/09"), "404 ") })
	if state := m.property(t, shard(9), "ActiveState"); state != "inactive" {
		t.Errorf("shard 09 is %s", state)
	}
	began := time.Now()
	m.sh(t, "systemctl enable codec-shard@10; ! systemctl start brigade-nginx; systemctl disable codec-shard@10; systemctl start brigade-nginx")
	if said := m.journal(t, "brigade-nginx", began); !strings.Contains(said, "codec-shard@09 is not: shards are numbered 01, 02, … without gaps") {
		t.Errorf("a gap is not told:\n%s", said)
	}
}

// blow is something that befalls a machine under load.
type blow struct {
	what   string
	second int
	do     func(t testing.TB)
	// most is how many requests may fail of it.
	most int
}

// testUnderLoad lets singers sing while all processes are ended in all ways, once
// each.
func (m *machine) testUnderLoad(t *testing.T) {
	const users = 30
	kill := func(unit string, sig syscall.Signal) func(t testing.TB) {
		return func(t testing.TB) {
			m.again(t, unit, m.kill(t, unit, sig))
		}
	}
	restart := func(unit string) func(t testing.TB) {
		return func(t testing.TB) { m.must(t, "systemctl", "restart", unit) }
	}
	c := m.sing(t, users, 55*time.Second, oneSong(45*time.Second), "-pilots", "6")
	c.strike(t, []blow{
		{"kill -9 of a shard", 9, kill(shard(1), syscall.SIGKILL), 2},
		{"restart of a shard", 12, restart(shard(2)), 0},
		{"kill -9 of the state server", 16, kill(stateServer, syscall.SIGKILL), 0},
		{"restart of the state server", 20, restart(stateServer), 0},
		{"restart of the target", 24, restart("brigade.target"), 0},
		{"restart of nginx", 29, restart("nginx.service"), users},
		{"kill -9 of nginx", 33, kill("nginx.service", syscall.SIGKILL), 2 * users},
		{"a state server that hangs", 38, kill(stateServer, syscall.SIGSTOP), users},
		{"a shard that hangs", 44, kill(shard(3), syscall.SIGSTOP), users},
	})
	m.check(t, "the song is recorded", func(t testing.TB) {
		if made := m.recordings(t); len(made) != 1 {
			t.Errorf("recordings: %v, want one", made)
		}
	})
	m.check(t, "pilots hear each other all the time", func(t testing.TB) {
		if c.heard() < 10 {
			t.Errorf("only %d pieces of voices were heard: %v", c.heard(), c.result.Pilots)
		}
		for _, fault := range c.unheard() {
			t.Error(fault)
		}
	})
}

// strike lets blows befall the machine while the choir sings, and checks what came
// of each.
func (c *choir) strike(t *testing.T, blows []blow) {
	t.Helper()
	gone := map[string]string{} // why something did not come back
	for _, b := range blows {
		c.until(t, b.second)
		c.note(b.what)
		if fault, ok := try(t, b.what, b.do); !ok {
			gone[b.what] = "it did not come back: " + fault
		}
	}
	c.wait(t)
	for _, b := range blows {
		failed := c.after(b.what)
		c.m.check(t, fmt.Sprintf("%s: %d requests fail, %d may", b.what, len(failed), b.most), func(t testing.TB) {
			if why, is := gone[b.what]; is {
				t.Error(why)
			}
			if len(failed) > b.most {
				t.Errorf("%d requests failed:\n%s", len(failed), strings.Join(failed, "\n"))
			}
		})
	}
	c.m.check(t, "every failure is listed", func(t testing.TB) {
		if fault := c.uncounted(); fault != "" {
			t.Error(fault)
		}
	})
	c.m.check(t, "nothing fails before the first blow", func(t testing.TB) {
		for _, f := range c.result.Failures {
			if at := c.result.Machines[0].Start.Add(time.Duration(f.AtS * float64(time.Second))); at.Before(c.events[0].at) {
				t.Errorf("%.1f s: %s: %s", f.AtS, f.Singer, f.Text)
			}
		}
	})
	c.m.check(t, "no unit is left failed", func(t testing.TB) {
		if failed := c.m.must(t, "systemctl", "list-units", "--failed", "--plain", "--no-legend"); failed != "" {
			t.Error(failed)
		}
	})
}

// testUpgrade installs the package over itself.
func (m *machine) testUpgrade(t testing.TB) {
	m.sh(t, "echo '# mine' >>/etc/bucketbrigade/brigade.env")
	before, rings := m.pid(t, stateServer), m.must(t, "stat", "-c", "%i", "/run/bucketbrigade/brigade-rings")
	m.must(t, "dpkg", "-i", m.deb)
	if m.must(t, "stat", "-c", "%i", "/run/bucketbrigade/brigade-rings") != rings {
		t.Error("the state server goes on with other rings")
	}
	if m.pid(t, stateServer) == before {
		t.Error("the state server of before still runs")
	}
	for _, unit := range units() {
		if state := m.property(t, unit, "ActiveState"); state != "active" {
			t.Errorf("%s is %s", unit, state)
		}
	}
	if m.sh(t, "tail -n 1 /etc/bucketbrigade/brigade.env") != "# mine" {
		t.Error("the operator's settings are lost")
	}
}

// files lists what there is, but for what apt, systemd and the tests themselves keep.
func (m *machine) files(t testing.TB) []string {
	t.Helper()
	return strings.Split(m.sh(t, `find /etc /var /run /usr/bin /usr/lib /usr/share -xdev \( -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/cache -o \
		-path /var/lib/PackageKit -o -path /run/systemd -o -path /run/log \) -prune -o -print`), "\n")
}

// testRemoval takes the package off again; before are the files of the time before.
func (m *machine) testRemoval(t *testing.T, before map[string]bool) {
	m.check(t, "dpkg removes it, nothing runs any more", func(t testing.TB) {
		m.must(t, "dpkg", "--remove", "bucketbrigade")
		if left, err := m.Run(t.Context(), "pgrep", "-l", "-u", "bucketbrigade"); err == nil {
			t.Errorf("processes are left: %s", left)
		}
		// What is not found is only the memory of a name.
		if left := m.sh(t, "systemctl list-units --all --plain --no-legend 'codec-shard@*' 'state-server*' 'brigade*' | grep -v ' not-found ' || true"); left != "" {
			t.Errorf("units are left:\n%s", left)
		}
		m.must(t, "nginx", "-t")
		m.must(t, "test", "-d", "/var/lib/bucketbrigade/recordings")
		if left := m.must(t, "ls", "-A", "/run/bucketbrigade"); left != "" {
			t.Errorf("in memory there is left:\n%s", left)
		}
		if state := m.property(t, "nginx.service", "ActiveState"); state != "active" {
			t.Errorf("nginx is %s", state)
		}
	})
	m.check(t, "purge leaves nothing", func(t testing.TB) {
		m.must(t, "dpkg", "--purge", "bucketbrigade")
		var left []string
		for _, name := range m.files(t) {
			if !before[name] {
				left = append(left, name)
			}
		}
		if len(left) > 0 {
			t.Errorf("left behind:\n%s", strings.Join(left, "\n"))
		}
		if user, err := m.Run(t.Context(), "getent", "passwd", "bucketbrigade"); err == nil {
			t.Errorf("the user is left: %s", user)
		}
	})
}
