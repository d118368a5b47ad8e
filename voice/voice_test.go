package voice

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// everyVoice makes one of each kind, for seeds that are told apart where the
// voice has one.
func everyVoice(seed uint64) map[string]Voice {
	return map[string]Voice{
		"sung":    NewSung(SungConfig{Seed: seed}),
		"spoken":  NewSpoken(SpokenConfig{Seed: seed}),
		"room":    NewRoomNoise(RoomNoiseConfig{Seed: seed, Level: 0.05}),
		"pattern": NewPattern(seed),
		"mix":     NewMix(Layer{NewSung(SungConfig{Seed: seed}), 0.7}, Layer{NewPattern(seed), 0.2}),
		"silence": Silence{},
	}
}

func TestCutsChangeNothing(t *testing.T) {
	t.Parallel()
	const n = 3 * SampleRate
	again := everyVoice(5)
	for name, v := range everyVoice(5) {
		whole := Render(v, n)
		cut := make([]float32, n)
		for i, part := range cut {
			cut[i] = part + 1 // Read must overwrite what it finds
		}
		rest := cut
		for i := 0; len(rest) > 0; i++ {
			size := min([]int{1, 2880, 47, 0, 960, 49, 24}[i%7], len(rest))
			again[name].Read(rest[:size])
			rest = rest[size:]
		}
		if !slices.Equal(whole, cut) {
			t.Errorf("%s: the samples depend on how the stream is cut, or on more than the seed", name)
		}
	}
}

func TestPeaksAndLevels(t *testing.T) {
	t.Parallel()
	limits := map[string]struct{ low, high float64 }{
		"sung":    {0.085, 0.105},
		"spoken":  {0.05, 0.08},
		"room":    {0.04, 0.06},
		"pattern": {0.098, 0.102},
		"mix":     {0.06, 0.08},
	}
	for seed := range uint64(3) {
		for name, v := range everyVoice(seed) {
			if name == "silence" {
				continue
			}
			pcm := Render(v, 10*SampleRate)
			if p := peak(pcm); !(p < 0.5) {
				t.Errorf("%s %d: peak %.3f, want below 0.5", name, seed, p)
			}
			level, _ := soundingRMS(pcm)
			if limit := limits[name]; !(level >= limit.low && level <= limit.high) {
				t.Errorf("%s %d: RMS while sounding %.4f, want %v..%v", name, seed, level, limit.low, limit.high)
			}
		}
	}
}

func TestSeedsDiffer(t *testing.T) {
	t.Parallel()
	const n = 5 * SampleRate / 2
	others := everyVoice(2)
	for name, v := range everyVoice(1) {
		if name == "silence" {
			continue
		}
		one, other := Render(v, n), Render(others[name], n)
		if _, corr := Align(one, other, 4800); corr > 0.2 {
			t.Errorf("%s: two seeds correlate by %.3f, want at most 0.2", name, corr)
		}
	}
}

func TestSilenceIsSilent(t *testing.T) {
	t.Parallel()
	pcm := []float32{1, 2, 3}
	Silence{}.Read(pcm)
	if !slices.Equal(pcm, []float32{0, 0, 0}) {
		t.Errorf("silence is %v", pcm)
	}
}

func TestMixAddsLayers(t *testing.T) {
	t.Parallel()
	const n = 1000 // more than one part, not a whole number of them
	a, b := Render(NewPattern(1), n), Render(NewPattern(2), n)
	mix := Render(NewMix(Layer{NewPattern(1), 0.5}, Layer{NewPattern(2), -2}), n)
	for i := range mix {
		if want := 0.5*a[i] - 2*b[i]; math.Abs(float64(mix[i]-want)) > 1e-6 {
			t.Fatalf("sample %d is %v, want %v", i, mix[i], want)
		}
	}
}

func TestFramesAllocateNothing(t *testing.T) {
	// Not parallel: others' allocations would count.
	frame := make([]float32, 2880)
	for name, v := range everyVoice(3) {
		if n := testing.AllocsPerRun(200, func() { v.Read(frame) }); n != 0 {
			t.Errorf("%s: %v allocations a frame, want 0", name, n)
		}
	}
}

func TestImpossibleConfigurationsPanic(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for name, make := range map[string]func(){
		"keynote too low":   func() { NewSung(SungConfig{Pitch: 59}) },
		"keynote NaN":       func() { NewSung(SungConfig{Pitch: nan}) },
		"tempo too high":    func() { NewSung(SungConfig{Tempo: 401}) },
		"melody empty":      func() { NewSung(SungConfig{Melody: []Note{}}) },
		"note without time": func() { NewSung(SungConfig{Melody: []Note{{Semitones: 3}}}) },
		"note too high":     func() { NewSung(SungConfig{Melody: []Note{{Semitones: 25, Beats: 1}}}) },
		"note NaN":          func() { NewSung(SungConfig{Melody: []Note{{Beats: nan}}}) },
		"speech too high":   func() { NewSpoken(SpokenConfig{Pitch: 401}) },
		"room too loud":     func() { NewRoomNoise(RoomNoiseConfig{Level: 0.06}) },
		"mains of nowhere":  func() { NewRoomNoise(RoomNoiseConfig{Mains: 400}) },
		"before a pattern":  func() { NewPattern(1).MoveTo(-1) },
		"lag below zero":    func() { Align([]float32{1}, []float32{1}, -1) },
		"no lag to find":    func() { Find([]float32{1}, 1, 2, 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			make()
		}()
	}
}

func BenchmarkFrame(b *testing.B) {
	frame := make([]float32, 2880)
	for name, v := range everyVoice(3) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				v.Read(frame)
			}
			b.ReportMetric(float64(b.N)*0.06/b.Elapsed().Seconds(), "×realtime")
		})
	}
}

func ExampleNewMix() {
	// Half a second of a pilot singer.
	pilot := NewMix(Layer{NewSung(SungConfig{Seed: 7}), 1}, Layer{NewPattern(7), 0.3})
	heard := Render(pilot, SampleRate/2)
	s := Find(heard, 7, -1000, 1000)
	fmt.Println(s.Present(), s.Lag)
	// Output: true 0
}
