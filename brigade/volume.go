package brigade

import "math"

// Volumes come on a friendly scale, 0..2, where 1 changes (almost) nothing and
// steps sound alike. The ring works with scalars:
//
//	friendly   0    0.5        1          1.1      2
//	scalar     0    0.0316266  1.000245   1.9958   1000.49
const volumeSlope = 6.908 // ln 1000, so that 0..1 spans 60 dB

// scalarOf turns a friendly volume into a scalar; below 1e-7 it is silence.
func scalarOf(friendly float64) float64 {
	if friendly < 1e-7 {
		return 0
	}
	return math.Exp(volumeSlope*friendly) / 1000
}

// friendlyOf turns a scalar into a friendly volume; below 1e-4 it is 0.
func friendlyOf(scalar float64) float64 {
	if scalar < 1e-4 {
		return 0
	}
	return math.Log(1000*scalar) / volumeSlope
}

// micGain is the scalar of a friendly microphone volume, which has half the
// slope and is 1 at 1: 0 → 0, 0.5 → 0.178, 1 → 1, 1.5 → 5.62, 2 → 31.6.
func micGain(friendly float64) float32 {
	return float32(scalarOf(friendly*0.5) / scalarOf(0.5))
}

// leaderBoost is how much louder a leader is stored.
func leaderBoost() float32 { return float32(scalarOf(1.1)) }

// phantomPeople makes the gain fall more gently: it is 1 for one voice.
const phantomPeople = 2

// gainTable is sqrt(3/(n+2)) by the number n of voices.
type gainTable [1 << 16]float32

func newGainTable() *gainTable {
	t := new(gainTable)
	for n := range t {
		t[n] = float32(math.Sqrt((1 + phantomPeople) / float64(n+phantomPeople)))
	}
	return t
}
