package voice

import (
	"math"
	"testing"
)

func TestSpeechHasVoicedUnvoicedAndPauses(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		pcm := Render(NewSpoken(SpokenConfig{Seed: seed}), 12*SampleRate)
		var voiced, unvoiced, silent, all float64
		for ; len(pcm) >= 960; pcm = pcm[960:] {
			all++
			level := rms(pcm[:960])
			switch high := bandPower(pcm[:960], 2500, 12000); {
			case level < 0.003:
				silent++
			case high > 0.6:
				unvoiced++
			case high < 0.2:
				voiced++
			}
		}
		if voiced/all < 0.35 || unvoiced/all < 0.04 || silent/all < 0.05 || silent/all > 0.4 {
			t.Errorf("seed %d: %.2f voiced (want 0.35), %.2f unvoiced (0.04), %.2f silent (0.05..0.4)",
				seed, voiced/all, unvoiced/all, silent/all)
		}
	}
}

func TestPhrasesSinkInPitch(t *testing.T) {
	t.Parallel()
	s := NewSpoken(SpokenConfig{Seed: 3, Pitch: 120})
	var block [blockSamples]float32
	var first, last, firsts, lasts float64 // semitones, and of how many
	for range 60 * blocksPerSecond {
		s.fill(&block)
		if s.ms != s.coda {
			continue
		}
		heard := 12 * math.Log2(s.tract.now.pitch/120)
		if s.spoken == 1 {
			first, firsts = first+heard, firsts+1
		} else if s.left == 0 {
			last, lasts = last+heard, lasts+1
		}
	}
	if firsts < 10 || lasts < 10 {
		t.Fatalf("%v phrases begin and %v end in a minute, want 10", firsts, lasts)
	}
	if fall := first/firsts - last/lasts; fall < 4 || fall > 10 {
		t.Errorf("phrases fall by %.1f semitones, want 4..10", fall)
	}
}

func TestRoomHums(t *testing.T) {
	t.Parallel()
	for _, mains := range []float64{50, 60} {
		pcm := Render(NewRoomNoise(RoomNoiseConfig{Seed: 1, Mains: mains}), 5*SampleRate)
		for k := 1.0; k <= 3; k++ {
			at := bandPower(pcm, k*mains-1, k*mains+1)
			beside := bandPower(pcm, k*mains+3, k*mains+5)
			if at < 5*beside {
				t.Errorf("%v Hz: overtone %v holds %.2g of the power, %.2g beside it", mains, k, at, beside)
			}
		}
		if level := rms(pcm); level < 0.0024 || level > 0.0036 {
			t.Errorf("%v Hz: RMS %.5f, want about 0.003", mains, level)
		}
	}
}

func TestRoomFallsOffUpwardsAndBreathes(t *testing.T) {
	t.Parallel()
	pcm := Render(NewRoomNoise(RoomNoiseConfig{Seed: 2, Level: 0.05}), 10*SampleRate)
	if low, high := bandPower(pcm, 200, 1000)/800, bandPower(pcm, 5000, 10000)/5000; low < 5*high {
		t.Errorf("power a Hz is %.2g below 1 kHz and %.2g above 5 kHz, want a fall by 5", low, high)
	}
	quietest, loudest := math.Inf(1), 0.0
	for ; len(pcm) >= 9600; pcm = pcm[9600:] {
		level := rms(pcm[:9600]) * math.Sqrt(bandPower(pcm[:9600], 900, 2500))
		quietest, loudest = min(quietest, level), max(loudest, level)
	}
	if loudest < 2*quietest {
		t.Errorf("between 900 and 2500 Hz the RMS is %.4f to %.4f: nobody breathes", quietest, loudest)
	}
}

func TestFiltersKeepTheirPromises(t *testing.T) {
	t.Parallel()
	c := newChance(1, 0)
	for _, shape := range []struct{ centre, width float64 }{{1500, 300}, {4000, 2000}, {6500, 2600}} {
		var f band
		f.tune(shape.centre, shape.width)
		var power float64
		for range SampleRate {
			y := f.step(c.white())
			power += y * y / SampleRate
		}
		if power < 0.8 || power > 1.25 {
			t.Errorf("band %v: white noise comes out with mean square %.3f, want 1", shape, power)
		}
	}
	var r resonator
	r.tune(700, 80)
	ratio := resonance(r, 700) / resonance(r, 100)
	if ratio < 8 || ratio > 10 {
		t.Errorf("a formant of 700 Hz is %.2f times as strong there as at 100 Hz, want 9", ratio)
	}
}

// resonance is the RMS of what r makes of a sine, once it has swung in.
func resonance(r resonator, hz float64) float64 {
	var power float64
	for i := range 2 * SampleRate {
		y := r.step(math.Sin(2 * math.Pi * hz * float64(i) / SampleRate))
		if i >= SampleRate {
			power += y * y
		}
	}
	return math.Sqrt(power / SampleRate)
}

func TestSoftLimit(t *testing.T) {
	t.Parallel()
	for x, want := range map[float64]float64{0: 0, 0.3: 0.3, -0.3: -0.3, 0.45: 0.4444, -0.45: -0.4444, 1: 0.48, -50: -0.48} {
		if got := softLimit(x); math.Abs(got-want) > 1e-4 {
			t.Errorf("softLimit(%v) = %v, want %v", x, got, want)
		}
	}
}
