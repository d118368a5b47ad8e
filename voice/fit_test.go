package voice

import (
	"math"
	"testing"
)

func TestFitSeparatesVoices(t *testing.T) {
	t.Parallel()
	const n = 2 * SampleRate
	leader, follower, absent := sungBy(1, 2), sungBy(2, 2), sungBy(3, 2)
	for _, c := range []struct {
		name   string
		lags   [2]int
		gains  [2]float64
		noise  float64
		strong float64 // partial correlation of both at least
	}{
		{"equal", [2]int{1000, 9000}, [2]float64{1, 1}, 0, 0.999},
		{"follower weak", [2]int{0, -12000}, [2]float64{1, 0.1}, 0.001, 0.98},
		{"leader weak", [2]int{-1, 1}, [2]float64{0.05, 1}, 0, 0.99},
		{"in noise", [2]int{20000, 500}, [2]float64{0.8, 0.4}, 0.02, 0.8},
	} {
		heard := heardOf(n, plant{leader, c.lags[0], c.gains[0]}, plant{follower, c.lags[1], c.gains[1]},
			plant{whiteNoise(9, 1, n), 0, c.noise})
		matches := Fit(heard, [][]float32{leader, follower, absent}, 24000)
		for i, m := range matches[:2] {
			if m.Lag != c.lags[i] || math.Abs(m.Gain-c.gains[i]) > 0.01 || m.Corr < c.strong {
				t.Errorf("%s, voice %d: %+v, want lag %d, gain %v, correlation %v", c.name, i, m, c.lags[i], c.gains[i], c.strong)
			}
		}
		if m := matches[2]; math.Abs(m.Corr) > 0.2 || math.Abs(m.Gain) > 0.05 {
			t.Errorf("%s: an absent voice matches with %+v", c.name, m)
		}
	}
}

// What explains most at first need not be the truth: the first voice lies best
// two samples early as long as the second is still in its way.
func TestFitCorrectsItsFirstPlaces(t *testing.T) {
	t.Parallel()
	a, b := []float32{2, 3, 1, 1}, []float32{3, 1, 3, -3}
	heard := heardOf(8, plant{a, 0, 1}, plant{b, 1, 1})
	for i, m := range Fit(heard, [][]float32{a, b}, 4) {
		if m.Lag != i || math.Abs(m.Gain-1) > 1e-6 || m.Corr < 0.999 {
			t.Errorf("voice %d: %+v, want lag %d with 1 and 1", i, m, i)
		}
	}
}

// Both sing the same notes at the same pitch, as in a choir.
func TestFitSeparatesUnison(t *testing.T) {
	t.Parallel()
	const n = 4 * SampleRate
	var voices [][]float32
	for seed := range uint64(3) {
		voices = append(voices, Render(NewSung(SungConfig{Seed: seed, Pitch: 131}), n))
	}
	heard := heardOf(n, plant{voices[0], 2000, 1}, plant{voices[1], 2300, 0.7})
	for i, m := range Fit(heard, voices, 12000)[:2] {
		if want := [2]int{2000, 2300}[i]; m.Lag != want || m.Corr < 0.99 {
			t.Errorf("voice %d: %+v, want lag %d", i, m, want)
		}
	}
}

func TestFitOfDegenerateInput(t *testing.T) {
	t.Parallel()
	song, zeros := sungBy(1, 1), make([]float32, SampleRate)
	if got := Fit(song, nil, 100); len(got) != 0 {
		t.Errorf("no voices give %v", got)
	}
	for name, matches := range map[string][]Match{
		"silence heard": Fit(zeros, [][]float32{song}, 100),
		"nothing heard": Fit(nil, [][]float32{song}, 100),
		"silence sung":  Fit(song, [][]float32{zeros}, 100),
	} {
		if len(matches) != 1 || matches[0] != (Match{}) {
			t.Errorf("%s: %v, want one empty match", name, matches)
		}
	}
	twice := Fit(song, [][]float32{song, song}, 100)
	var sum float64
	for _, m := range twice {
		if math.IsNaN(m.Gain) || math.IsNaN(m.Corr) {
			t.Fatalf("the same voice twice: %v", twice)
		}
		sum += m.Gain
	}
	if math.Abs(sum-1) > 0.01 {
		t.Errorf("the same voice twice: %v, want gains that sum to 1", twice)
	}
}

func TestSolve(t *testing.T) {
	t.Parallel()
	rows := [][]float64{{4, 1, 0, 9}, {1, 3, 1, 10}, {0, 1, 2, 8}}
	want := make([][]float64, 3)
	for i := range rows {
		want[i] = append([]float64(nil), rows[i]...)
	}
	x := solve(rows)
	for _, row := range want {
		if got := row[0]*x[0] + row[1]*x[1] + row[2]*x[2]; math.Abs(got-row[3]) > 1e-12 {
			t.Errorf("%v·%v = %v, want %v", row[:3], x, got, row[3])
		}
	}
}

func BenchmarkFit(b *testing.B) {
	voices := [][]float32{sungBy(1, 4), sungBy(2, 4)}
	heard := heardOf(4*SampleRate, plant{voices[0], 100, 1}, plant{voices[1], 9000, 0.5})
	for b.Loop() {
		Fit(heard, voices, SampleRate)
	}
}
