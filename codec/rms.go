package codec

import "math"

// RMS is the loudness of pcm: the root of the mean of the squares. A sine of
// amplitude 0.5 has 0.3536; silence, and nothing at all, have 0.
func RMS(pcm []float32) float64 {
	if len(pcm) == 0 {
		return 0
	}
	var sum float64
	for _, x := range pcm {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum / float64(len(pcm)))
}
