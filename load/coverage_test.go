package load

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
	"bucketbrigade/singer"
)

// Whoever leads, all pilots but the one who only listens have somebody behind them.
func TestPilotBuckets(t *testing.T) {
	t.Parallel()
	for pilots := 2; pilots <= maxPilots; pilots++ {
		for length := time.Duration(0); length < time.Minute; length += time.Second {
			last := min(lastBucket(length), pilots)
			for leader := range pilots - 1 {
				alone, buckets := 0, make([]int, pilots)
				for i := range buckets {
					if buckets[i] = pilotBucket(i, pilots, last); i == leader {
						buckets[i] = 1
					}
				}
				for _, b := range buckets {
					if b < 1 || b > last {
						t.Fatalf("%d pilots in %v: bucket %d of %d", pilots, length, b, last)
					}
					if b == last {
						alone++
					}
				}
				if alone != 1 {
					t.Errorf("%d pilots in %v, %d leads: %v, nobody stands behind %d of them", pilots, length, leader, buckets, alone)
				}
			}
		}
	}
}

// chorus is three pilots: ann sings since long, bob and joe listen.
func chorus(t *testing.T, ears chan<- window) (ann, bob, joe *pilot, start time.Time) {
	t.Helper()
	ann, err := newPilot("ann", 77, 20, ears)
	if err != nil {
		t.Fatal(err)
	}
	bob, joe = &pilot{name: "bob", ears: ears}, &pilot{name: "joe", ears: ears}
	for _, p := range []*pilot{ann, bob, joe} {
		p.connected()
	}
	ann.fellows, bob.fellows, joe.fellows = []*pilot{bob, joe}, []*pilot{ann, joe}, []*pilot{ann, bob}
	start = time.Unix(1_700_000_000, 0)
	for k := range 60 {
		at := start.Add(time.Duration(k) * singer.Pace)
		ann.sing(proto.ClockAt(at).Add(-3*proto.SampleRate), k%20, at).acknowledged = at
	}
	return ann, bob, joe, start
}

// answered has a pilot, so many seconds behind, hear n answers of a song from a time on.
func answered(t *testing.T, p *pilot, behind, n int, from time.Time, song proto.Clock) {
	t.Helper()
	silence, err := codec.NewEncoder().AppendPacked(nil, make([]float32, singer.BatchSamples))
	if err != nil {
		t.Fatal(err)
	}
	for k := range n {
		at := from.Add(time.Duration(k) * singer.Pace)
		server, samples := proto.ClockAt(at), singer.BatchSamples
		read := server.Add(-behind * proto.SampleRate)
		a := answer{told: told{ServerClock: &server, ClientReadClock: &read, Samples: &samples, SongStart: &song}, packed: silence}
		if err := p.hear(&flight{sent: at, arrived: at, answer: a}); err != nil {
			t.Fatal(err)
		}
	}
}

// It is told why a pilot was not listened for: nobody behind him, too short a
// song, or, which is a loss, since nobody looked.
func TestUnheard(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		before, behind int // answers to a pilot before ann and to one behind her
		want           string
	}{
		{"nobody behind", 40, 0, UnheardLast},
		{"two pieces", 0, 7, UnheardShort},
		{"as many pieces as there are pilots", 0, 30, UnheardMissed},
	} {
		ann, bob, joe, start := chorus(t, make(chan window)) // which nobody takes from
		song := proto.ClockAt(start.Add(-time.Minute))
		from := start.Add(16 * time.Second)
		answered(t, ann, 3, 1, from, song)
		answered(t, bob, 1, c.before, from, song)
		answered(t, joe, 12, c.behind, from, song)
		if got := ann.unheard(3); got != c.want {
			t.Errorf("%s: %s, want %s; %d pieces, %d certain", c.name, got, c.want, ann.pieces, ann.certain)
		}
	}
}

// Pieces in which nobody can be certain are a loss too, when there are many.
func TestUnheardForLong(t *testing.T) {
	t.Parallel()
	ann, _, joe, start := chorus(t, make(chan window))
	for _, s := range ann.sung {
		s.acknowledged = time.Time{}
	}
	song := proto.ClockAt(start.Add(-time.Minute))
	for k := range missedPieces * 3 {
		if got := ann.unheard(3); got == UnheardMissed {
			t.Errorf("missed after %d pieces", k)
		}
		joe.connected()
		joe.rest = time.Time{}
		answered(t, joe, 12, 4, start.Add(16*time.Second), song)
	}
	if got := ann.unheard(3); got != UnheardMissed || ann.certain != 0 {
		t.Errorf("%s; %d pieces, %d certain", got, ann.pieces, ann.certain)
	}
}

// Of several who must be heard the one is looked for who was looked for least.
func TestEarLooksForAll(t *testing.T) {
	t.Parallel()
	ann, w, start := stage(t)
	bea, _, _ := stage(t)
	bea.name = "bea"
	e := newEar(newRecorder(start, 0, time.Second, defaultListed), time.Second)
	e.pilots = []*pilot{ann, bea}
	for range 4 {
		w.listener = &pilot{name: "another"}
		e.take(w)
	}
	if voices := fmt.Sprint(e.voices()); voices != "[{ann 77 2 0 } {bea 77 2 0 }]" {
		t.Errorf("looked for %s, each should have been looked for twice", voices)
	}
}

// Who wants no pilots has none, however often that is checked.
func TestNoPilots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{URLs: []string{"http://brigade.test"}, Users: 5, Duration: 3 * time.Second, Pilots: -1}
		if err := cfg.Check(); err != nil {
			t.Fatal(err)
		}
		cfg.Scenario = nil
		if r := perform(t, newStub(), cfg); len(r.Voices) > 0 || r.Setup.Pilots != 0 {
			t.Errorf("%d pilots, %+v", r.Setup.Pilots, r.Voices)
		}
	})
}

func TestCoverage(t *testing.T) {
	t.Parallel()
	heard := Voice{Singer: "ann", Expected: 2, Heard: 2}
	unheard := func(name, why string) Voice { return Voice{Singer: name, Unheard: why} }
	for _, c := range []struct {
		voices []Voice
		says   string
		reason string
	}{
		{nil, "no voice listened for", "No pilot could be listened for"},
		{[]Voice{heard}, "1 of 1 pilots heard", ""},
		{
			[]Voice{heard, unheard("bea", UnheardShort), unheard("joe", UnheardLast)},
			"1 of 3 pilots heard; nobody stood behind joe; too little of a song came to those behind bea", "",
		},
		{[]Voice{unheard("bea", UnheardShort), unheard("joe", UnheardLast)}, "0 of 2 pilots heard", "No pilot could be listened for"},
		{[]Voice{heard, unheard("bea", UnheardMissed)}, "1 of 2 pilots heard; nobody listened for bea", "Nobody listened for bea"},
	} {
		r := &Result{Setup: Setup{Pilots: 3, Sings: true, Pace: PaceReal, ObjectiveP99MS: 300}, Totals: Totals{Answered: 1}, Voices: c.voices}
		r.judge()
		reasons := strings.Join(r.Verdict.Reasons, " ")
		if got := r.Coverage(); !strings.HasPrefix(got, c.says) || r.Verdict.Held != (c.reason == "") || !strings.Contains(reasons, c.reason) {
			t.Errorf("%+v: %q, reasons %q; want %q, %q", c.voices, got, reasons, c.says, c.reason)
		}
	}
	if got := namesOf(strings.Fields("a b c d e f g")); got != "a, b, c, d, e and 2 others" {
		t.Error(got)
	}
}

// Time runs once all is encoded: who joins first is not late.
func TestPilotsAreEncodedBeforeTheStart(t *testing.T) {
	t.Parallel()
	began := time.Now()
	if _, err := newPilots(4, loopBatches); err != nil {
		t.Fatal(err)
	}
	takes := time.Since(began)
	cfg := Config{URLs: []string{"http://brigade.test"}, Users: 8, Pilots: 4, Transport: newStub(), Scenario: quiet("")}
	if err := cfg.Check(); err != nil {
		t.Fatal(err)
	}
	r, err := prepare(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if late := time.Since(r.start); late > takes/2 {
		t.Errorf("the singers are ready %v after the start; to encode the pilots takes %v", late, takes)
	}
	if len(r.ear.pilots) != 4 || r.members[3].pilot != r.pilots[3] || r.pilots[3].user != r.members[3].user || r.pilots[2].id == r.pilots[3].id {
		t.Errorf("pilots %+v", r.ear.pilots)
	}
}
