package voice

// blockSamples is how long a gesture lasts: 1 ms, faster than any muscle.
const (
	blockSamples    = 48
	blocksPerSecond = SampleRate / blockSamples
)

// blockSource makes a stream one block after another.
type blockSource interface {
	fill(block *[blockSamples]float32)
}

// blockReader cuts a source's blocks to whatever lengths are read.
type blockReader struct {
	block [blockSamples]float32
	left  int // samples at the end of block not yet read
}

func (r *blockReader) read(dst []float32, source blockSource) {
	for len(dst) > 0 {
		if r.left == 0 {
			source.fill(&r.block)
			r.left = blockSamples
		}
		n := copy(dst, r.block[blockSamples-r.left:])
		r.left -= n
		dst = dst[n:]
	}
}
