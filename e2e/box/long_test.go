package box

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What the long test does how often, under how many singers.
const (
	longUsers    = 100
	shardKills   = 10
	shardStarts  = 10
	serverKills  = 5
	betweenBlows = 6 // seconds
)

// TestBoxLong counts: the same blow over and over, with many singers.
func TestBoxLong(t *testing.T) {
	if !*long {
		t.Skip("this takes six minutes: `make e2e-long`")
	}
	m := boot(t)
	m.must(t, "systemctl", "enable", "--now", "nginx")
	m.bringUp(t)
	m.many(t, "kill -9 of a shard", shardKills, 2, func(t testing.TB, k int) {
		unit := shard(1 + k%shards)
		m.again(t, unit, m.kill(t, unit, syscall.SIGKILL))
	})
	m.many(t, "restart of a shard", shardStarts, 0, func(t testing.TB, k int) {
		m.must(t, "systemctl", "restart", shard(1+k%shards))
	})
	before := m.recordings(t)
	c, song := m.many(t, "kill -9 of the state server", serverKills, 0, func(t testing.TB, _ int) {
		m.again(t, stateServer, m.kill(t, stateServer, syscall.SIGKILL))
	})
	m.check(t, "one whole recording of the song that was sung across five kills", func(t testing.TB) {
		var made []string
		for _, name := range m.recordings(t) {
			if !strings.Contains(strings.Join(before, "\n"), name) {
				made = append(made, name)
			}
		}
		if len(made) != 1 {
			t.Fatalf("%d recordings were made: %v", len(made), made)
		}
		c.wholeRecording(t, made[0], song)
	})
}

// many lets the same blow fall again and again while a hundred singers sing one song,
// and gives how long that was.
func (m *machine) many(t *testing.T, what string, times, most int, do func(t testing.TB, k int)) (c *choir, song time.Duration) {
	t.Helper()
	const first = 10
	song = time.Duration(times*betweenBlows+8) * time.Second
	var blows []blow
	for k := range times {
		blows = append(blows, blow{
			fmt.Sprintf("%s, %d of %d", what, k+1, times), first + k*betweenBlows,
			func(t testing.TB) { do(t, k) }, most,
		})
	}
	return m.song(t, what, song, blows, 8*times), song
}

// song lets a hundred singers sing one while blows fall. Of pilots' voices there have to
// be heard so many pieces at the least.
func (m *machine) song(t *testing.T, what string, length time.Duration, blows []blow, least int) *choir {
	t.Helper()
	c := m.sing(t, longUsers, length+(4+26)*time.Second, oneSong(length), "-pilots", "8")
	c.strike(t, blows)
	m.check(t, what+": pilots hear each other all the time", func(t testing.TB) {
		if c.heard() < least {
			t.Errorf("only %d pieces of voices were heard: %v", c.heard(), c.result.Pilots)
		}
		for _, fault := range c.unheard() {
			t.Error(fault)
		}
	})
	return c
}

// TestBoxLongUpgrade installs the package over itself while a hundred sing: all
// programs are replaced, and nobody hears it.
func TestBoxLongUpgrade(t *testing.T) {
	if !*long {
		t.Skip("this takes a minute: `make e2e-long`")
	}
	m := boot(t)
	m.must(t, "systemctl", "enable", "--now", "nginx")
	m.bringUp(t)
	m.many(t, "an upgrade", 3, 0, func(t testing.TB, _ int) {
		units := append([]string{stateServer}, shard(1), shard(shards))
		before := map[string]int{}
		for _, unit := range units {
			before[unit] = m.pid(t, unit)
		}
		m.must(t, "dpkg", "-i", m.deb)
		for _, unit := range units {
			m.again(t, unit, before[unit])
		}
	})
}
