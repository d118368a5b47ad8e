package codec

// inaudible is the level, full scale being 1, below which a sample is taken for
// digital silence: -180 dB. A decoder that is fed silence ends there, not at 0.
const inaudible = 1e-9

// IsSilent tells whether all of pcm is digital silence. Nothing is.
func IsSilent(pcm []float32) bool {
	for _, x := range pcm {
		if !(x <= inaudible && x >= -inaudible) { // written so that NaN is not silent
			return false
		}
	}
	return true
}

// fadeSamples is how long a voice fades in after packets that were not decoded:
// 20 ms.
const fadeSamples = 960

// FadeIn turns the first n samples of pcm, at most all, up from silence in a
// straight line: of four samples of 1, faded in over four, come 0, 0.25, 0.5 and
// 0.75.
func FadeIn(pcm []float32, n int) {
	step := 1 / float32(n)
	for i := range min(n, len(pcm)) {
		pcm[i] *= float32(i) * step
	}
}
