package codec

import "math"

// RMS is the loudness of pcm: the root of the mean of the squares. A sine of
// amplitude 0.5 has 0.3536; silence, and nothing at all, have 0.
func RMS(pcm []float32) float64 {
	if len(pcm) == 0 {
		return 0
	}
	n, sum := vectorSquares(pcm)
	return math.Sqrt((sum + squares(pcm[n:])) / float64(len(pcm)))
}

// squares is the sum of the squares of x: of 1, 2 and 3 it is 14. Four sums side
// by side, for each addition waits for the one before.
func squares(x []float32) float64 {
	var a, b, c, d float64
	for ; len(x) >= 4; x = x[4:] {
		a += float64(x[0]) * float64(x[0])
		b += float64(x[1]) * float64(x[1])
		c += float64(x[2]) * float64(x[2])
		d += float64(x[3]) * float64(x[3])
	}
	for _, v := range x {
		a += float64(v) * float64(v)
	}
	return a + b + c + d
}
