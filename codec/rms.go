package codec

import "math"

// RMS is the loudness of pcm: the root of the mean of the squares. A sine of
// amplitude 0.5 has 0.3536; silence, and nothing at all, have 0.
func RMS(pcm []float32) float64 {
	if len(pcm) == 0 {
		return 0
	}
	// Four sums side by side: each addition waits for the one before.
	var a, b, c, d float64
	rest := pcm
	for ; len(rest) >= 4; rest = rest[4:] {
		a += float64(rest[0]) * float64(rest[0])
		b += float64(rest[1]) * float64(rest[1])
		c += float64(rest[2]) * float64(rest[2])
		d += float64(rest[3]) * float64(rest[3])
	}
	for _, x := range rest {
		a += float64(x) * float64(x)
	}
	return math.Sqrt((a + b + c + d) / float64(len(pcm)))
}
