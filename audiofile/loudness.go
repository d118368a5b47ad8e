package audiofile

import "math"

// How loud tracks are made. Loudness is that of ITU-R BS.1770-4, in LUFS: a sine
// of 1 kHz that reaches full scale in one channel has -3.0, one of half that
// amplitude -9.0.
const (
	// trackLoudness is where every track ends up. A song mastered to -13 LUFS in
	// stereo has about -16 once its channels are averaged, so most are left
	// nearly as they are.
	trackLoudness = -16.0
	// maxGain stops what is all but silent from being blown up to a roar, in dB.
	maxGain = 30.0
	// maxPeak is the greatest sample of a track: what would exceed it is turned
	// down as a whole, and stays less loud than the others, rather than clipped.
	maxPeak = 0.99
)

// level brings a track to trackLoudness, in place. For example a song of -20
// LUFS with a peak of 0.5 needs +4 dB, a factor of 1.58, and gets it: the peak
// becomes 0.79. With a peak of 0.9 that would be 1.43; it gets 0.99/0.9 = 1.1, or
// +0.8 dB. What is silent or too short or quiet to be measured stays as it is,
// but for its peak.
func level(pcm []float32) {
	var peak float64
	for _, x := range pcm {
		peak = max(peak, math.Abs(float64(x)))
	}
	gain := 1.0
	if loud := loudness(pcm); !math.IsInf(loud, -1) {
		gain = math.Pow(10, min(trackLoudness-loud, maxGain)/20)
	}
	if peak*gain > maxPeak {
		gain = maxPeak / peak
	}
	for i, x := range pcm {
		pcm[i] = float32(float64(x) * gain)
	}
}

const (
	hopSamples    = SampleRate / 10 // a block begins every 100 ms
	blockHops     = 4               // and lasts 400 ms
	absoluteGate  = -70.0           // LUFS: quieter blocks do not count
	relativeGate  = -10.0           // LU, from the mean of those that do
	loudnessShift = -0.691          // dB, makes up for what kWeighting adds at 1 kHz
)

// loudness is the integrated loudness of one channel at 48 kHz, in LUFS; -Inf
// if there is nothing to measure. Blocks of 400 ms, one every 100 ms, are
// weighted as the ear does. The mean of those above -70 LUFS is taken, and then
// of those less than 10 LU below that mean, so pauses do not count: a song of
// -16 LUFS that is silent for half of its time still has -16, where a plain mean
// would say -19. Sound of less than 400 ms is taken as one block.
func loudness(pcm []float32) float64 {
	hops := hopPowers(pcm)
	var blocks []float64 // mean powers
	for i := range max(len(hops)-blockHops+1, 0) {
		var sum float64
		for _, power := range hops[i : i+blockHops] {
			sum += power
		}
		blocks = append(blocks, sum/blockHops)
	}
	if len(blocks) == 0 {
		blocks = []float64{meanPower(pcm)}
	}
	gated := meanAbove(blocks, absoluteGate)
	return lufs(meanAbove(blocks, max(absoluteGate, lufs(gated)+relativeGate)))
}

// lufs gives the loudness of a mean weighted power, full scale 1.
func lufs(power float64) float64 { return loudnessShift + 10*math.Log10(power) }

// meanAbove is the mean of the powers louder than a gate; 0 if none is.
func meanAbove(powers []float64, gate float64) float64 {
	var sum float64
	n := 0
	for _, power := range powers {
		if lufs(power) > gate {
			sum += power
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// hopPowers gives the weighted mean power of each whole hop.
func hopPowers(pcm []float32) []float64 {
	shelf, highpass := kWeighting()
	hops := make([]float64, 0, len(pcm)/hopSamples)
	for ; len(pcm) >= hopSamples; pcm = pcm[hopSamples:] {
		var sum float64
		for _, x := range pcm[:hopSamples] {
			y := highpass.step(shelf.step(float64(x)))
			sum += y * y
		}
		hops = append(hops, sum/hopSamples)
	}
	return hops
}

// meanPower is the weighted mean power of all of a sound.
func meanPower(pcm []float32) float64 {
	shelf, highpass := kWeighting()
	var sum float64
	for _, x := range pcm {
		y := highpass.step(shelf.step(float64(x)))
		sum += y * y
	}
	return sum / float64(max(len(pcm), 1))
}

// biquad is a filter of second order, its denominator beginning with 1.
type biquad struct {
	b0, b1, b2, a1, a2 float64
	s1, s2             float64
}

func (f *biquad) step(x float64) float64 {
	y := f.b0*x + f.s1
	f.s1 = f.b1*x - f.a1*y + f.s2
	f.s2 = f.b2*x - f.a2*y
	return y
}

// kWeighting gives the two filters of BS.1770-4, tables 1 and 2, for 48 kHz: the
// head lifts what lies above 2 kHz by 4 dB, and the ear loses the deepest bass.
func kWeighting() (shelf, highpass biquad) {
	shelf = biquad{
		b0: 1.53512485958697, b1: -2.69169618940638, b2: 1.19839281085285,
		a1: -1.69065929318241, a2: 0.73248077421585,
	}
	highpass = biquad{b0: 1, b1: -2, b2: 1, a1: -1.99004745483398, a2: 0.99007225036621}
	return shelf, highpass
}
