package main

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"bucketbrigade/proto"
	"bucketbrigade/singer"
)

// testSongs are two voices of 6 s.
func testSongs(t *testing.T) [2][]float32 {
	t.Helper()
	songs, err := demoSongs(demoConfig{seconds: 6})
	if err != nil {
		t.Fatal(err)
	}
	return songs
}

// late delays pcm by n samples and scales it.
func late(pcm []float32, n int, gain float32) []float32 {
	out := make([]float32, len(pcm))
	for i := max(0, n); i < len(out) && i-n < len(pcm); i++ {
		out[i] = gain * pcm[i-n]
	}
	return out
}

func sum(a, b []float32) []float32 {
	out := make([]float32, len(a))
	for i := range out {
		out[i] = a[i] + b[i]
	}
	return out
}

// noisy adds noise of the given amplitude.
func noisy(pcm []float32, amplitude float64) []float32 {
	out := make([]float32, len(pcm))
	x := uint32(1)
	for i := range out {
		x = x*1664525 + 1013904223
		out[i] = pcm[i] + float32(amplitude*(float64(x)/math.MaxUint32-0.5))
	}
	return out
}

func TestJudge(t *testing.T) {
	t.Parallel()
	songs := testSongs(t)
	quiet := make([]float32, len(songs[leader]))
	good := performance{heard: [roles][]float32{
		quiet,
		late(songs[leader], 432, 2),
		sum(late(songs[leader], 432, 1.7), late(songs[follower], 432, 0.9)),
	}}
	with := func(r role, pcm []float32) performance {
		p := good
		p.heard[r] = pcm
		return p
	}
	for _, c := range []struct {
		name   string
		p      performance
		faults map[[2]role]string // hearer, singer
	}{
		{"all is well", good, nil},
		{"the leader hears the follower", with(leader, late(songs[follower], 0, 1)),
			map[[2]role]string{{leader, follower}: "should not be"}},
		{"the follower hears nothing", with(follower, quiet),
			map[[2]role]string{{follower, leader}: "silence"}},
		{"the follower hears somebody else", with(follower, late(songs[follower], 432, 1)),
			map[[2]role]string{{follower, leader}: "not heard"}},
		{"the listener misses the follower", with(listener, late(songs[leader], 432, 1.7)),
			map[[2]role]string{{listener, follower}: "not heard"}},
		{"the leader comes early", with(follower, late(songs[leader], -100, 2)),
			map[[2]role]string{{follower, leader}: "off by more"}},
		{"the leader comes late", with(follower, late(songs[leader], 801, 2)),
			map[[2]role]string{{follower, leader}: "off by more"}},
		{"the leader is hoarse", with(follower, noisy(late(songs[leader], 432, 1), 0.2)),
			map[[2]role]string{{follower, leader}: "worse"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v, err := judge(c.p, songs)
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range v.pairs {
				want := c.faults[[2]role{q.hearer, q.singer}]
				if (want == "") != (q.fault == "") || !strings.Contains(q.fault, want) {
					t.Errorf("%s and %s: fault %q, want %q (%+v, codec alone %.3f)", q.hearer, q.singer, q.fault, want, q.match, q.baseline)
				}
			}
			if v.good() != (len(c.faults) == 0) {
				t.Errorf("verdict %v", v.good())
			}
			var table, picture bytes.Buffer
			v.print(&table)
			picture.Write(drawDemo(v, songs))
			for _, shown := range []string{table.String(), picture.String()} {
				if strings.Contains(shown, "FAULT") != (len(c.faults) > 0) {
					t.Error("table and picture must show a fault if there is one, and only then")
				}
			}
		})
	}
}

func TestSteadyNoteIsFoundWhereItShouldBe(t *testing.T) {
	t.Parallel()
	songs := testSongs(t)
	for i := range songs[leader] { // 130.8 Hz and an octave, dying away
		at := float64(i) / proto.SampleRate
		songs[leader][i] = float32(math.Exp(-at/2) * 0.3 * (math.Sin(2*math.Pi*130.8*at) + 0.5*math.Sin(4*math.Pi*130.8*at)))
	}
	quiet := make([]float32, len(songs[leader]))
	p := performance{heard: [roles][]float32{quiet, late(songs[leader], 432, 2),
		sum(late(songs[leader], 432, 1.7), late(songs[follower], 432, 0.9))}}
	v, err := judge(p, songs)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range v.pairs {
		if q.fault != "" || q.expected && (q.match.Lag < 0 || q.match.Lag > maxLag) {
			t.Errorf("%s and %s: fault %q, lag %d", q.hearer, q.singer, q.fault, q.match.Lag)
		}
	}
}

func TestTrackCutsByPosition(t *testing.T) {
	t.Parallel()
	answer := func(start proto.Clock, values ...float32) *singer.Answer {
		a := &singer.Answer{PCM: values}
		a.Metadata.ClientReadClock = start.Add(len(values))
		return a
	}
	for _, c := range []struct {
		name    string
		answers []*singer.Answer
		want    []float32
		err     string
	}{
		{"one after the other", []*singer.Answer{answer(8, 8, 9, 10), answer(11, 11, 12, 13)}, []float32{10, 11, 12}, ""},
		{"one is enough", []*singer.Answer{answer(9, 9, 10, 11, 12, 13)}, []float32{10, 11, 12}, ""},
		{"heard twice", []*singer.Answer{answer(9, 9, 10, 11), answer(10, 0, 0, 12, 13)}, []float32{10, 11, 12}, ""},
		{"a gap", []*singer.Answer{answer(9, 9, 10), answer(12, 12, 13)}, nil, "1 samples from position 11"},
		{"too short", []*singer.Answer{answer(9, 9, 10, 11)}, nil, "last 1 samples"},
		{"nothing", nil, nil, "last 3 samples"},
	} {
		tr := track{answers: c.answers}
		got, err := tr.cut(10, 3)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: error %v, want %q", c.name, err, c.err)
			}
			continue
		}
		if err != nil || len(got) != 3 || got[0] != c.want[0] || got[1] != c.want[1] || got[2] != c.want[2] {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{}, "stress demo"},
		{[]string{"karaoke"}, `command "karaoke" is not known`},
		{[]string{"-help"}, "Exit status"},
		{[]string{"demo", "-help"}, "-seconds"},
		{[]string{"demo", "-seconds", "3"}, "-seconds 3 is not in 4..120"},
		{[]string{"demo", "now"}, `argument "now"`},
		{[]string{"demo", "-voice", "/nowhere.wav"}, "/nowhere.wav"},
	} {
		var out, errs bytes.Buffer
		err := run(t.Context(), c.args, &out, &errs)
		if err == nil {
			t.Errorf("%v: no error", c.args)
			continue
		}
		if said := errs.String() + err.Error(); !strings.Contains(said, c.says) {
			t.Errorf("%v: said %q, want %q", c.args, said, c.says)
		}
	}
}
