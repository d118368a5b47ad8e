package audiofile

import (
	"context"
	"errors"
	"fmt"
	"runtime"
)

// mixer takes what a decoder makes and turns it into a track: channels become
// their mean, the rate becomes SampleRate, and at the end the level is set. A
// decoder calls start once, then write until all is said or an error comes. The
// end of ctx is such an error: whoever decodes something large must call write,
// or read from the file, every few milliseconds.
type mixer struct {
	ctx       context.Context
	limit     int64 // of samples that come out
	channels  int
	frames    int64 // that came in
	resampler *resampler
	mono      []float32 // scratch
	resampled []float32 // scratch
	pcm       heap
}

func newMixer(ctx context.Context, limit int64) *mixer { return &mixer{ctx: ctx, limit: limit} }

// start is told what will come.
func (m *mixer) start(rate, channels int) error {
	if err := checkShape(rate, channels); err != nil {
		return err
	}
	m.channels = channels
	if rate != SampleRate {
		m.resampler = newResampler(rate, SampleRate)
	}
	return nil
}

// write takes whole frames: one sample of every channel, side by side.
func (m *mixer) write(samples []float32) error {
	if err := m.ctx.Err(); err != nil {
		return err
	}
	runtime.Gosched() // a track takes seconds, and singers may have no other processor
	m.mono = m.mono[:0]
	for ; len(samples) >= m.channels; samples = samples[m.channels:] {
		var sum float64
		for _, x := range samples[:m.channels] {
			if !(x >= -maxMagnitude && x <= maxMagnitude) { // nor a number at all
				return fmt.Errorf("frame %d has a sample of %v, only ±%d are allowed: the file is damaged", m.frames+int64(len(m.mono)), x, int64(maxMagnitude))
			}
			sum += float64(x)
		}
		m.mono = append(m.mono, float32(sum/float64(m.channels)))
	}
	m.frames += int64(len(m.mono))
	if m.resampler == nil {
		return m.keep(m.mono)
	}
	m.resampled = m.resampler.push(m.resampled[:0], m.mono)
	return m.keep(m.resampled)
}

// keep adds samples of the track to come.
func (m *mixer) keep(samples []float32) error {
	if n := m.pcm.len() + int64(len(samples)); n > m.limit {
		return tooLong(n, m.limit)
	}
	m.pcm.add(samples)
	return nil
}

// finish gives the track.
func (m *mixer) finish() ([]float32, error) {
	if m.resampler != nil {
		if err := m.keep(m.resampler.flush(m.resampled[:0])); err != nil {
			return nil, err
		}
	}
	pcm := m.pcm.join()
	if len(pcm) == 0 {
		return nil, errors.New("holds no samples")
	}
	if err := m.ctx.Err(); err != nil {
		return nil, err
	}
	level(pcm)
	return pcm, nil
}

// heapBlock is how many samples are kept together.
const heapBlock = 1 << 18

// heap gathers samples of which nobody knows how many will come: a slice that
// grows by a quarter each time would hold up to more than twice of them while it
// moves.
type heap struct{ blocks [][]float32 }

func (h *heap) len() int64 {
	if len(h.blocks) == 0 {
		return 0
	}
	last := len(h.blocks) - 1
	return int64(last)*heapBlock + int64(len(h.blocks[last]))
}

func (h *heap) add(samples []float32) {
	for len(samples) > 0 {
		last := len(h.blocks) - 1
		if last < 0 || len(h.blocks[last]) == heapBlock {
			h.blocks = append(h.blocks, nil)
			last++
		}
		n := min(len(samples), heapBlock-len(h.blocks[last]))
		h.blocks[last] = append(h.blocks[last], samples[:n]...)
		samples = samples[n:]
	}
}

// join empties the heap into one slice of just the right size.
func (h *heap) join() []float32 {
	pcm := make([]float32, 0, h.len())
	for _, block := range h.blocks {
		pcm = append(pcm, block...)
	}
	h.blocks = nil
	return pcm
}
