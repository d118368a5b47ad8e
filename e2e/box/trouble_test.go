package box

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// settings is the operator's file.
const settings = "/etc/bucketbrigade/brigade.env"

// wrongSetting is a value that makes no sense. The unit has to say which one it is and
// of what, and what would be right; neither is a part of the other.
type wrongSetting struct{ unit, setting, value, says, allowed string }

var wrongSettings = []wrongSetting{
	{stateServer, "BRIGADE_MAX_USERS", "many", `"many" for flag -max-users`, "a whole number"},
	{stateServer, "BRIGADE_MAX_USERS", "0", "-max-users 0", "1..20000"},
	{stateServer, "BRIGADE_MAX_USERS", "300000", "-max-users 300000", "1..20000"},
	{stateServer, "BRIGADE_KEEP", "-3", "-keep -3", "at least 1"},
	{stateServer, "BRIGADE_STEMS", "perhaps", `"perhaps" for -stems`, "true or false"},
	{stateServer, "BRIGADE_FLAC", "2", `"2" for -flac`, "true or false"},
	{stateServer, "BRIGADE_STATE_WAIT", "long", `-wait "long"`, `"hybrid" or "spin"`},
	{stateServer, "BRIGADE_JSON_AREA", "5", "-json-area 5", "10000..65535"},
	{stateServer, "BRIGADE_RECORDINGS", "/usr/recordings", "-recordings: recordings cannot be kept in /usr/recordings", "so that it can be written to"},
	{stateServer, "BRIGADE_CONTROL_SECRET", "/etc/none", "-control-secret: open /etc/none", "no such file"},
	{stateServer, "BRIGADE_CONTROL_SECRET", "/etc/hostname", "-control-secret: /etc/hostname", "8 to 256"},
	{stateServer, "BRIGADE_SECRETS", "/etc/hostname", "-secrets: /etc/hostname", "no JSON from line 1"},
	{stateServer, "BRIGADE_STATE_FLAGS", "-loud", "not defined: -loud", "state-server -help"},
	{shard(1), "BRIGADE_COMPLEXITY", "11", "-complexity 11", "0..10"},
	{shard(1), "BRIGADE_ENCODE", "twice", `-encode "twice"`, `"shared" or "private"`},
	{shard(1), "BRIGADE_OPUS_APPLICATION", "voip", `"voip" for flag -opus-application`, "lowdelay and audio"},
	{shard(1), "BRIGADE_PROCS", "-1", "-procs -1", "1 or more, or 0"},
	{shard(1), "BRIGADE_SHARD_WAIT", "long", `-wait "long"`, `"hybrid" or "spin"`},
	{shard(1), "BRIGADE_UPLOADS", "/usr/uploads", "/usr/uploads", "name another with -uploads"},
	{shard(1), "BRIGADE_JSON_AREA", "70000", "-json-area 70000", "10000..65535"},
	{shard(1), "BRIGADE_SHARD_FLAGS", "-keep", "flag needs an argument: -keep", "codec-shard -help"},
	{shard(1), "BRIGADE_SHARD_FLAGS", "-keep=3", "-keep belongs to", "the state server"},
}

func TestWrongSettingsDemandBoth(t *testing.T) {
	t.Parallel()
	for _, c := range wrongSettings {
		value, _, _ := strings.Cut(c.value, "=")
		if !strings.Contains(c.says, value) {
			t.Errorf("%s=%s: %q does not name the value", c.setting, c.value, c.says)
		}
		if c.allowed == "" || strings.Contains(c.says, c.allowed) || strings.Contains(c.allowed, c.says) {
			t.Errorf("%s=%s: %q and %q are to be two things", c.setting, c.value, c.says, c.allowed)
		}
	}
}

// testWrongSettings puts values that make no sense into the settings file. What a
// unit then says has to name the setting and the value, and what would be right; and
// it has to say so once, not over and over.
func (m *machine) testWrongSettings(t *testing.T) {
	for _, c := range wrongSettings {
		m.check(t, c.setting+"="+filepath.Base(c.value)+" is told", func(t testing.TB) { m.testWrongSetting(t, c) })
	}
	m.check(t, "BRIGADE_TRACKS=none is told, and all else goes on", func(t testing.TB) {
		m.sh(t, "cp "+settings+" /tmp/settings; echo BRIGADE_TRACKS=/etc/none >>"+settings)
		defer m.sh(t, "cp /tmp/settings "+settings+"; systemctl restart "+stateServer)
		began := time.Now()
		m.sh(t, "systemctl restart "+stateServer)
		m.soon(t, "the journal names folder and flag", func() bool {
			said := m.journal(t, stateServer, began)
			return strings.Contains(said, "open /etc/none: no such file") && strings.Contains(said, "make the folder, or name another with -tracks")
		})
	})
	m.check(t, "BRIGADE_SITE=--shards is told", func(t testing.TB) {
		m.sh(t, "cp "+settings+" /tmp/settings; echo 'BRIGADE_SITE=\"--listen 99999\"' >>"+settings)
		defer m.sh(t, "cp /tmp/settings "+settings+"; systemctl restart brigade-nginx")
		began := time.Now()
		if _, err := m.Run(t.Context(), "systemctl", "restart", "brigade-nginx"); err == nil {
			t.Error("it is taken")
		}
		if said := m.journal(t, "brigade-nginx", began); !strings.Contains(said, "port of --listen 99999: must be from 1 to 65535") || !strings.Contains(said, "BRIGADE_SITE") {
			t.Errorf("the journal says\n%s", said)
		}
		if got := m.get(t, "/api/01"); !strings.HasPrefix(got, "200 ") {
			t.Errorf("nginx answers %q", got)
		}
	})
	m.check(t, "all run again with good settings", func(t testing.TB) {
		for _, unit := range units() {
			m.active(t, unit)
		}
	})
}

func (m *machine) testWrongSetting(t testing.TB, c wrongSetting) {
	m.sh(t, "cp "+settings+" /tmp/settings; printf '%s=%s\\n' "+c.setting+" '"+c.value+"' >>"+settings)
	defer m.sh(t, "cp /tmp/settings "+settings+"; systemctl restart "+c.unit)
	began := time.Now()
	if _, err := m.Run(t.Context(), "systemctl", "restart", c.unit); err == nil {
		t.Errorf("%s starts", c.unit)
	}
	said := m.journal(t, c.unit, began)
	for _, want := range []string{c.says, c.allowed} {
		if !strings.Contains(said, want) {
			t.Errorf("the journal does not say %q:\n%s", want, said)
		}
	}
	if m.property(t, c.unit, "ExecMainStatus") != "2" {
		return // it may be another's fault, so it is tried again, and status shows how that goes
	}
	if n := strings.Count(said, c.says); n != 1 {
		t.Errorf("the journal says %q %d times:\n%s", c.says, n, said)
	}
	status, _ := m.Run(t.Context(), "systemctl", "status", "--no-pager", c.unit)
	if !strings.Contains(status, c.says) {
		t.Errorf("systemctl status does not say %q:\n%s", c.says, status)
	}
}

// knock asks a shard directly, some thirty times in three seconds, whatever it says.
const knock = "for i in $(seq 30); do curl -s -m 1 -o /dev/null 127.0.0.1:7101/ & sleep 0.1; done; wait"

// testCrashLoop lets a shard fail at its start, as it does when what it needs is not
// there, while singers come.
func (m *machine) testCrashLoop(t testing.TB) {
	m.sh(t, "mount -t tmpfs -o ro none /var/lib/bucketbrigade/uploads; systemctl restart --no-block codec-shard@01; "+knock)
	if state := m.property(t, shard(1), "ActiveState"); state == "active" {
		t.Error("it runs")
	}
	m.sh(t, "umount -l /var/lib/bucketbrigade/uploads")
	m.active(t, shard(1))
	if got := m.get(t, "/api/01"); !strings.HasPrefix(got, "200 ") {
		t.Errorf("it answers %q", got)
	}
}

// testUselessStarts lets singers come to a shard whose command line makes no sense: each
// of them starts it, until systemd refuses them; the documented line mends it.
func (m *machine) testUselessStarts(t testing.TB) {
	began := time.Now()
	m.sh(t, "cp "+settings+" /tmp/settings; echo BRIGADE_COMPLEXITY=11 >>"+settings+"; systemctl restart --no-block codec-shard@01; "+knock)
	if n := strings.Count(m.journal(t, shard(1), began), "-complexity 11 is not in 0..10"); n < 1 || n > 30 {
		t.Errorf("it was started %d times", n)
	}
	m.sh(t, "cp /tmp/settings "+settings+"; systemctl restart brigade.target")
	for _, unit := range units() {
		m.active(t, unit)
	}
	if got := m.get(t, "/api/01"); !strings.HasPrefix(got, "200 ") {
		t.Errorf("it answers %q", got)
	}
}

// testPriority puts the example for a busy machine to work, on a processor that all
// machines have.
func (m *machine) testPriority(t testing.TB) {
	m.sh(t, `d=/etc/systemd/system/state-server.service.d; mkdir -p $d
		sed s/^CPUAffinity=3/CPUAffinity=0/ /usr/share/doc/bucketbrigade/examples/state-server-priority.conf >$d/priority.conf
		systemctl daemon-reload; systemctl restart state-server`)
	defer m.sh(t, "rm -r /etc/systemd/system/state-server.service.d; systemctl daemon-reload; systemctl restart state-server")
	pid := m.pid(t, stateServer)
	if said := m.sh(t, fmt.Sprintf("chrt -a -p %d; taskset -p %d", pid, pid)); strings.Contains(said, "SCHED_OTHER") || !strings.Contains(said, "priority: 10") || !strings.HasSuffix(said, "mask: 1") {
		t.Errorf("the kernel has\n%s", said)
	}
}

// testFullDisk gives the recordings a disk that a few seconds fill.
func (m *machine) testFullDisk(t testing.TB) {
	m.sh(t, "mount -t tmpfs -o size=100k,mode=755,uid=$(id -u bucketbrigade) full /var/lib/bucketbrigade/recordings; systemctl restart state-server")
	defer m.sh(t, "umount -l /var/lib/bucketbrigade/recordings; systemctl restart state-server")
	began := time.Now()
	c := m.sing(t, 10, 23*time.Second, twoSongs, "-pilots", "4")
	result := c.wait(t)
	if len(result.Totals.Errors) > 0 || !result.Verdict.Held {
		t.Errorf("singers notice: %v\n%s", result.Totals.Errors, strings.Join(result.Verdict.Reasons, "\n"))
	}
	if said := m.journal(t, stateServer, began); !strings.Contains(said, "no space left on device") {
		t.Errorf("the journal does not tell of the disk:\n%s", said)
	}
	if n := m.restarts(t, stateServer); n > 0 {
		t.Errorf("the state server was started %d times more", n)
	}
}

// testLittleRoom gives the brigade a tmpfs of its own, first one that is too small by the
// manual, then one that is just large enough.
func (m *machine) testLittleRoom(t testing.TB) {
	began := time.Now()
	m.sh(t, `systemctl stop 'codec-shard@*.socket' brigade.target
		mount -t tmpfs -o size=140m,mode=750,uid=bucketbrigade,gid=bucketbrigade own /run/bucketbrigade
		systemctl start --no-block brigade.target`)
	defer m.sh(t, "umount -l /run/bucketbrigade; systemctl restart brigade.target")
	m.soon(t, "the journal tells how much is needed", func() bool {
		return strings.Contains(m.journal(t, stateServer, began), "/run/bucketbrigade must hold 149.1 MB (rings 86.8 MB, state twice 31.2 MB) and 0.3 MB a shard")
	})
	m.sh(t, "mount -o remount,size=150m /run/bucketbrigade")
	m.active(t, stateServer)
	began = time.Now()
	for range 2 {
		m.again(t, stateServer, m.kill(t, stateServer, syscall.SIGKILL))
	}
	if said := m.journal(t, stateServer, began); strings.Count(said, "going on where the last server ended") != 2 || strings.Contains(said, "must hold") {
		t.Errorf("a start fails, or nobody goes on:\n%s", said)
	}
}
