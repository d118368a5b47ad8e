package codec

// FadeIn turns the first n samples of pcm, at most all, up from silence in a
// straight line: of four samples of 1, faded in over four, come 0, 0.25, 0.5 and
// 0.75.
func FadeIn(pcm []float32, n int) {
	step := 1 / float32(n)
	for i := range min(n, len(pcm)) {
		pcm[i] *= float32(i) * step
	}
}
