package voice

import (
	"math"
	"slices"
	"testing"
)

// held is one long note.
func held(seed uint64, pitch, semitones float64) []float32 {
	return Render(NewSung(SungConfig{Seed: seed, Pitch: pitch, Tempo: 60,
		Melody: []Note{{Semitones: semitones, Beats: 8}}}), 6*SampleRate)
}

// measuredPitch finds the pitch of a tone in Hz from the lag after which it is
// most like itself.
func measuredPitch(pcm []float32) float64 {
	const low, high = SampleRate / 900, SampleRate / 55
	products := correlate(pcm[high:], pcm, high)
	most := slices.Max(products[low : high-low])
	for i := low; i < high-low; i++ {
		// Any multiple of a period is as good: take the first.
		left, top, right := products[i-1], products[i], products[i+1]
		if top > 0.85*most && top >= left && top > right {
			return SampleRate / (float64(i) + (right-left)/2/(2*top-left-right))
		}
	}
	return 0
}

func TestNotesHaveTheirPitch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ pitch, semitones float64 }{
		{100, 0}, {100, 12}, {147, 7}, {220, -5}, {440, 3},
	} {
		for seed := range uint64(3) {
			want := c.pitch * math.Exp2(c.semitones/12)
			pcm := held(seed, c.pitch, c.semitones)[3*SampleRate/2:]
			// The vibrato of a second averages out.
			var sum float64
			for i := range 50 {
				sum += measuredPitch(pcm[i*960 : i*960+4800])
			}
			if cents := 1200 * math.Log2(sum/50/want); math.Abs(cents) > 35 {
				t.Errorf("seed %d, %v Hz %+v semitones: %.1f Hz, want %.1f, off by %.0f cents", seed, c.pitch, c.semitones, sum/50, want, cents)
			}
		}
	}
}

func TestToneIsHarmonic(t *testing.T) {
	t.Parallel()
	// The quarter second before the vibrato holds still.
	pcm := held(4, 200, 0)[SampleRate*12/100 : SampleRate*25/100]
	var on, between float64
	power, width := spectrum(pcm)
	for i, p := range power {
		hz := float64(i) * width
		if hz < 100 || hz > 1500 {
			continue
		}
		if off := math.Abs(hz/200 - math.Round(hz/200)); off < 0.2 {
			on += p
		} else if off > 0.4 {
			between += p
		}
	}
	if db := decibels(math.Sqrt(on / between)); db < 25 {
		t.Errorf("overtones of 200 Hz stand %.1f dB above what lies between, want 25", db)
	}
	for k := 1.0; k <= 4; k++ {
		if share := bandPower(pcm, 200*k-40, 200*k+40); share < 1e-4 {
			t.Errorf("overtone %v has %.2g of the power, want 1e-4", k, share)
		}
	}
}

func TestPulseIsTheSumOfItsOvertones(t *testing.T) {
	t.Parallel()
	for _, a := range []float64{0.3, 0.9, 0.97} {
		for x := 0.0; x < 2*math.Pi; x += 0.1 {
			var want float64
			for k := 1; k < 2000; k++ {
				want += math.Pow(a, float64(k)) * math.Cos(float64(k)*x)
			}
			if got := pulse(a, math.Cos(x)); math.Abs(got-want) > 1e-9 {
				t.Errorf("a=%v x=%v: %v, want %v", a, x, got, want)
			}
		}
	}
}

func TestPulseDoesNotAlias(t *testing.T) {
	t.Parallel()
	// 1000*pi Hz: no alias of an overtone falls on another below 10 kHz.
	const pitch = 1000 * math.Pi / 2
	pcm := make([]float32, 1<<15)
	a := math.Exp(-tilt * pitch)
	for i := range pcm {
		pcm[i] = float32(pulse(a, math.Cos(2*math.Pi*pitch*float64(i)/SampleRate)))
	}
	power, width := spectrum(pcm)
	var on, off float64
	for i, p := range power {
		hz := float64(i) * width
		if k := math.Round(hz / pitch); k >= 1 && math.Abs(hz-k*pitch) < 20 {
			on += p
		} else {
			off += p
		}
	}
	if db := decibels(math.Sqrt(on / off)); db < 50 {
		t.Errorf("overtones stand %.1f dB above aliases, want 50", db)
	}
}

func TestVowelsHaveTheirFormants(t *testing.T) {
	t.Parallel()
	vowelSound := func(v formants) []float32 {
		tract := newTract(newChance(1, 1), 0.1, 0, v, 110)
		pcm := make([]float32, 0, SampleRate)
		var block [blockSamples]float32
		for range blocksPerSecond {
			tract.sound(&block, &gesture{pitch: 110, voiced: 1, shape: v, centre: 1500, width: 1000})
			pcm = append(pcm, block[:]...)
		}
		return pcm[SampleRate/4:]
	}
	a, i, u := vowelSound(vowels[0]), vowelSound(vowels[2]), vowelSound(vowels[4])
	for _, c := range []struct {
		name         string
		more, less   []float32
		low, high    float64
		atLeastTimes float64
	}{
		{"a has its first formant, i has not", a, i, 600, 850, 20},
		{"i has its second formant, u has not", i, u, 2000, 2600, 20},
		{"a has its second formant, i has not", a, i, 950, 1250, 20},
		{"i has its first formant, a has not", i, a, 200, 340, 5},
	} {
		ratio := bandPower(c.more, c.low, c.high) / bandPower(c.less, c.low, c.high)
		if ratio < c.atLeastTimes {
			t.Errorf("%s: %v..%v Hz differ by a factor of %.1f, want %v", c.name, c.low, c.high, ratio, c.atLeastTimes)
		}
	}
}

func TestVibrato(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		s := NewSung(SungConfig{Seed: seed})
		for ms := range 250 {
			if b := s.bend(ms); b != 0 {
				t.Fatalf("seed %d: a bend of %v cents %d ms after the note, want 0 until 250", seed, b, ms)
			}
		}
		var most float64
		crossings, before := 0, 0.0
		for ms := 1000; ms < 21000; ms++ {
			b := s.bend(ms)
			if b >= 0 && before < 0 {
				crossings++
			}
			before, most = b, max(most, math.Abs(b))
		}
		if rate := float64(crossings) / 20; rate < 4.9 || rate > 6.1 {
			t.Errorf("seed %d: vibrato of %v Hz, want 5..6", seed, rate)
		}
		if most < 20 || most > 55 {
			t.Errorf("seed %d: vibrato of ±%v cents, want 20..55", seed, most)
		}
	}
}

// The web client turns a singer down whose 600 ms have an RMS above 0.118.
func TestClientLimiterStaysIdle(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		sums := runningPower(sungBy(seed, 20))
		for i := 0; i+28800 < len(sums); i += 480 {
			if level := math.Sqrt((sums[i+28800] - sums[i]) / 28800); level > 0.115 {
				t.Fatalf("seed %d: RMS %.4f in the 600 ms from sample %d, want at most 0.115", seed, level, i)
			}
		}
	}
}

func TestNotesBeginOnTheBeat(t *testing.T) {
	t.Parallel()
	melody := []Note{{Beats: 1, Rest: true}, {Beats: 1}}
	s := NewSung(SungConfig{Seed: 1, Tempo: 97, Melody: melody})
	pcm := Render(s, 60*29691+SampleRate/10)
	// A beat is 29690.72 samples. Rounded to blocks one by one, each would be
	// 21 samples long, and beat 60 1277 late.
	if due := 60 * 60.0 / 97 * SampleRate; math.Abs(float64(s.start*blockSamples)-due) > blockSamples/2 {
		t.Errorf("beat 60 begins at sample %d, want %.0f", s.start*blockSamples, due)
	}
	for beat := 1; beat < 60; beat += 2 {
		due := float64(beat) * 60 / 97 * SampleRate
		quiet := pcm[int(due)-4800 : int(due)-blockSamples]
		if level := rms(quiet); level > 1e-4 {
			t.Errorf("beat %d: RMS %.5f in the rest before it", beat, level)
		}
		if level := rms(pcm[int(due) : int(due)+7200]); level < 0.01 {
			t.Errorf("beat %d: RMS %.5f in the 150 ms after it", beat, level)
		}
	}
}

func TestBreathBetweenPhrases(t *testing.T) {
	t.Parallel()
	s := NewSung(SungConfig{Seed: 2, Tempo: 60, Melody: []Note{{Beats: 2, Breath: true}}})
	pcm := Render(s, 2*SampleRate)
	breath := pcm[2*SampleRate-SampleRate*inhaleMs/1000+9600:][:4800]
	if level := rms(breath); level < 0.002 || level > 0.012 {
		t.Errorf("a breath of RMS %.4f, want 0.002..0.012", level)
	}
	if share := bandPower(breath, 500, 4000); share < 0.6 {
		t.Errorf("%.2f of the breath lies in 500..4000 Hz, want 0.6", share)
	}
}
