package voice

// SampleRate is that of every voice, in samples a second.
const SampleRate = 48000

// Voice is an endless stream of samples.
type Voice interface {
	// Read fills dst, of any length, with the samples that follow those of
	// the call before. How a stream is cut into calls does not change it.
	Read(dst []float32)
}

// Render gives the next n samples of v.
func Render(v Voice, n int) []float32 {
	pcm := make([]float32, n)
	v.Read(pcm)
	return pcm
}

// Silence is a voice of zeros.
type Silence struct{}

// Read fills dst with zeros.
func (Silence) Read(dst []float32) { clear(dst) }

// Layer is a voice in a Mix and the factor it is multiplied by.
type Layer struct {
	Voice Voice
	Gain  float64
}

// Mix is the sum of its layers. It does not limit: the sum of loud layers may
// pass full scale.
type Mix struct {
	layers []Layer
	part   [480]float32
}

// NewMix makes the sum of layers. A pilot singer, for example, is a sung voice
// with a pattern a tenth as strong below it, 20 dB:
//
//	NewMix(Layer{NewSung(SungConfig{Seed: 7}), 1}, Layer{NewPattern(7), 0.1})
func NewMix(layers ...Layer) *Mix {
	return &Mix{layers: append([]Layer(nil), layers...)}
}

// Read fills dst with the sum of the layers' next samples.
func (m *Mix) Read(dst []float32) {
	for len(dst) > 0 {
		n := min(len(dst), len(m.part))
		out, part := dst[:n], m.part[:n]
		clear(out)
		for _, layer := range m.layers {
			layer.Voice.Read(part)
			gain := float32(layer.Gain)
			for i, x := range part {
				out[i] += gain * x
			}
		}
		dst = dst[n:]
	}
}
