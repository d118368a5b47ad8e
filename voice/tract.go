package voice

import "math"

// formants are the resonances of a throat in Hz, lowest first.
type formants [5]float64

// bandwidths of the formants in Hz.
var bandwidths = formants{70, 90, 130, 200, 280}

// gesture is where the voice organs are going during one block.
type gesture struct {
	pitch  float64  // of the vocal folds, Hz
	voiced float64  // strength of the tone, 0..1
	shape  formants // of mouth and throat
	hiss   float64  // strength of consonant or breath noise, RMS
	centre float64  // of that noise, Hz
	width  float64  // of that noise, Hz
}

// tract turns gestures into sound.
type tract struct {
	chance chance
	level  float64 // RMS of a full tone
	airy   float64 // share of breath in the tone

	now     gesture
	phase   float64 // of the vocal folds, in turns
	folds   float64 // state of the low-pass behind the glottis
	mouth   [len(formants{})]resonator
	power   float64 // mean square behind the mouth, before levelling
	gain    float64 // levelling and strength, as it was at the end of the last block
	hiss    band
	air     float64 // state of the high-pass for breath
	shimmer wander  // strays of the strength
	jitter  wander  // strays of the pitch
}

// newTract makes a tract that waits with its mouth in the shape given.
func newTract(c chance, level, airy float64, shape formants, pitch float64) tract {
	t := tract{chance: c, level: level, airy: airy}
	t.now = gesture{pitch: pitch, shape: shape, centre: 1500, width: 1000}
	// The levelling needs a tenth of a second to learn how loud a throat is.
	var unheard [blockSamples]float32
	for range blocksPerSecond / 10 {
		t.sound(&unheard, &gesture{pitch: pitch, shape: shape, centre: 1500, width: 1000})
	}
	return t
}

// sound makes one block on the way to the gesture's goal.
func (t *tract) sound(block *[blockSamples]float32, goal *gesture) {
	hiss := t.now.hiss
	t.glide(goal)
	pitch := t.now.pitch * math.Exp2(t.jitter.next(&t.chance, 0.012))
	step := pitch / SampleRate
	a := math.Exp(-tilt * pitch)
	gain, gainStep := t.gain, (t.targetGain()-t.gain)/blockSamples
	hissStep := (t.now.hiss - hiss) / blockSamples
	for i := range block {
		t.phase += step
		if t.phase >= 1 {
			t.phase--
		}
		cos := math.Cos(2 * math.Pi * t.phase)
		white := t.chance.white()
		x := t.throat(pulse(a, cos))
		t.power += (x*x - t.power) * (1.0 / 1500) // 31 ms
		t.air += 0.5 * (white - t.air)
		breath := t.airy * t.level * t.now.voiced * (1 + 0.7*cos) * (white - t.air)
		noise := hiss * t.hiss.step(white)
		block[i] = float32(softLimit(gain*x + breath + noise))
		gain += gainStep
		hiss += hissStep
	}
	t.gain = gain
}

// throat is what glottis and mouth make of a pulse.
func (t *tract) throat(x float64) float64 {
	t.folds += 0.1 * (x - t.folds) // 800 Hz
	x = t.folds
	for i := range t.mouth {
		x = t.mouth[i].step(x)
	}
	return x
}

// targetGain brings the tone to its level, whatever vowel and pitch.
func (t *tract) targetGain() float64 {
	strength := 1 + t.shimmer.next(&t.chance, 0.12)
	return t.level * t.now.voiced * strength / math.Sqrt(t.power+1e-12)
}

// glide moves the organs for one block.
func (t *tract) glide(goal *gesture) {
	n := &t.now
	n.pitch *= math.Pow(goal.pitch/n.pitch, 1.0/12) // 12 ms
	speed := 1.0 / 14
	if goal.voiced < n.voiced {
		speed = 1.0 / 22
	}
	n.voiced += speed * (goal.voiced - n.voiced)
	n.hiss += 0.25 * (goal.hiss - n.hiss)
	// What has faded below 16 bits ends, before it gets too small to be fast.
	if goal.voiced == 0 && n.voiced < 1e-5 {
		n.voiced = 0
	}
	if goal.hiss == 0 && n.hiss < 1e-6 {
		n.hiss = 0
	}
	n.centre, n.width = goal.centre, goal.width
	t.hiss.tune(n.centre, n.width)
	for i, f := range goal.shape {
		n.shape[i] += (1.0 / 28) * (f - n.shape[i])
		t.mouth[i].tune(n.shape[i], bandwidths[i])
	}
}

// tilt is chosen so that the overtone at 24 kHz is 60 dB below the fundamental:
// what lies above and would fold down is weaker still.
const tilt = 6.9 / (SampleRate / 2)

// pulse is the sum of a^k cos(k x) over k = 1, 2, 3, …, given cos x. It has a
// closed form, so a hundred overtones cost one division, and with
// a = exp(-tilt*pitch) they fade before the Nyquist frequency. At 200 Hz
// a = 0.944: the second overtone is 0.944 times the first, the tenth 0.56, the
// hundredth 0.003.
func pulse(a, cos float64) float64 {
	return (1-a*cos)/(1-2*a*cos+a*a) - 1
}
