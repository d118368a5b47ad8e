package brigade

import (
	"math"
	"slices"
	"testing"

	"bucketbrigade/proto"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(1, math.Abs(b)) }

func TestVolumes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"scalar of 0", scalarOf(0), 0},
		{"scalar of 1e-8", scalarOf(1e-8), 0},
		{"scalar of 0.5", scalarOf(0.5), 0.031622},
		{"scalar of 1", scalarOf(1), 1.000245},
		{"scalar of 1.1", scalarOf(1.1), 1.995799498155731},
		{"scalar of 1.6", scalarOf(1.6), 63.12044464915925},
		{"scalar of 2", scalarOf(2), 1000.49},
		{"friendly of 1.2", friendlyOf(1.2), 1.0263573879235801},
		{"friendly of 1", friendlyOf(1), 0.9999645742591396},
		{"friendly of 0", friendlyOf(0), 0},
		{"mic 0", float64(micGain(0)), 0},
		{"mic 0.5", float64(micGain(0.5)), 0.177817},
		{"mic 1", float64(micGain(1)), 1},
		{"mic 1.5", float64(micGain(1.5)), 5.623757304281707},
		{"mic 2", float64(micGain(2)), 31.62664621746186},
		{"leader", float64(leaderBoost()), 1.995799498155731},
	} {
		if math.Abs(c.got-c.want) > 2e-5*math.Max(0.3, math.Abs(c.want)) {
			t.Errorf("%s: got %v, want %v", c.what, c.got, c.want)
		}
	}
	for v := 0.01; v <= 2; v += 0.01 {
		if back := friendlyOf(scalarOf(v)); scalarOf(v) > 1e-3 && !near(back, v) {
			t.Errorf("%v comes back as %v", v, back)
		}
	}
}

func TestGainTable(t *testing.T) {
	t.Parallel()
	table := newGainTable()
	for n, want := range []float64{1.224745, 1, 0.866025, 0.774597, 0.707107} {
		if got := float64(table[n]); math.Abs(got-want) > 1e-6 {
			t.Errorf("%d people: got %v, want %v", n, got, want)
		}
	}
	if last := table[len(table)-1]; !(last > 0 && last < 0.01) {
		t.Errorf("65535 people: %v", last)
	}
}

func TestMetronome(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	b, at := r.b, epoch
	for i, c := range []struct {
		bpm, n int
		clicks []int
		left   int
	}{
		{120, 60000, []int{0, 24000, 48000}, 12000},
		{120, 12000, nil, 0},
		{120, 1, []int{0}, 23999},
		{120, 50000, []int{23999, 47999}, 21999},
		{0, 5000, nil, 21999},            // no tempo: the distance waits
		{500, 22000, []int{21999}, 5759}, // the old distance holds for one beat
	} {
		b.state.bpm = c.bpm
		b.ring.clear(at, c.n, at.Add(-b.ring.size))
		b.fillClicks(at, c.n)
		var got []int
		for k := range c.n {
			if b.ring.Backing[b.ring.runs(at.Add(k), 1)[0].lo] == 1 {
				got = append(got, k)
			}
		}
		if !slices.Equal(got, c.clicks) || b.state.nextClick != c.left {
			t.Errorf("fill %d: clicks at %v, left %d; want %v, %d", i, got, b.state.nextClick, c.clicks, c.left)
		}
		at = at.Add(c.n)
	}
}

func TestDelayRoundsHalfToEven(t *testing.T) {
	t.Parallel()
	for samples, want := range map[int]int{24000: 0, 24001: 1, 72000: 2, 120000: 2, 144000: 3, 0: 0} {
		if got := (&user{delay: samples}).delaySeconds(); got != want {
			t.Errorf("%d samples: %d s, want %d", samples, got, want)
		}
	}
}

func TestRuns(t *testing.T) {
	t.Parallel()
	r := wrapRings(nil, 10, false)
	for _, c := range []struct {
		from proto.Clock
		n    int
		want [2]run
	}{
		{18, 4, [2]run{{8, 10, 0}, {0, 2, 2}}},
		{20, 4, [2]run{{0, 4, 0}, {0, 0, 4}}},
		{13, 10, [2]run{{3, 10, 0}, {0, 3, 7}}},
		{-1, 3, [2]run{{9, 10, 0}, {0, 2, 1}}},
		{5, 0, [2]run{{5, 5, 0}, {0, 0, 0}}},
	} {
		if got := r.runs(c.from, c.n); got != c.want {
			t.Errorf("%d samples from %d: %v, want %v", c.n, c.from, got, c.want)
		}
	}
}

func TestCountStays(t *testing.T) {
	t.Parallel()
	people := []uint16{0, 1, 40000, 65534, 65535}
	count(people)
	if want := []uint16{1, 2, 40001, 65535, 65535}; !slices.Equal(people, want) {
		t.Errorf("got %v, want %v", people, want)
	}
}

// Whatever was written, clearing all leaves nothing, though it touches only
// what may sound.
func TestClearAllLeavesNothing(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	silent := r.ringSum()
	size := r.b.ring.size
	for _, from := range []int{-size, -size + 5, -size / 2, -4000} {
		r.b.ring.addVoice(r.now.Add(from), 4000, slices.Repeat([]float32{0.5}, 4000), voicing{gain: 1, soloed: true})
		r.b.ring.setBacking(r.now.Add(from+4), 1)
		if r.ringSum() == silent {
			t.Fatal("nothing was written")
		}
		r.b.ring.clearAll(r.now)
		if r.ringSum() != silent {
			t.Errorf("sound is left that was written %d samples before now", -from)
		}
	}
}

func TestConfigIsJudged(t *testing.T) {
	t.Parallel()
	short := newRings(100, false)
	short.People = short.People[:99]
	for name, c := range map[string]Config{
		"small JSON area": {JSONArea: proto.OldJSONArea - 1},
		"large JSON area": {JSONArea: proto.MaxJSONArea + 1},
		"negative room":   {MaxUsers: -1},
		"uneven rings":    {Rings: short},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			newBrigade(c, 100)
		}()
	}
	if b := New(Config{}); b.maxUsers != proto.DefaultMaxUsers || b.ring.size != proto.RingSamples || b.rand == nil {
		t.Errorf("defaults: %d users, ring of %d", b.maxUsers, b.ring.size)
	}
}

// Rings that come from elsewhere hold who knows what.
func TestForeignRingsAreCleared(t *testing.T) {
	t.Parallel()
	rings := newRings(ringSeconds*proto.SampleRate, false)
	for i := range rings.Audio {
		rings.Audio[i], rings.Monitor[i] = 1, 1
	}
	r := newRoom(t, Config{Rings: rings})
	s := r.join(1, 5000, 0)
	s.ask(params{"hear_monitor": "1"})
	if rings.Audio[0] != 0 || rings.Monitor[len(rings.Monitor)-1] != 0 || slices.Max(r.audio()) != 0 {
		t.Error("what the rings held is still there")
	}
}
