package voice

import "math"

// resonator is two poles: one formant. It passes 0 Hz unchanged, so in a
// cascade the levels of the formants settle themselves as in a throat (D. H.
// Klatt, "Software for a cascade/parallel formant synthesizer", 1980). With
// f = 700 Hz and a bandwidth of 80 Hz, a sine of 700 Hz comes out about nine
// times as strong as one of 100 Hz.
type resonator struct {
	a, b, c float64
	y1, y2  float64
}

// tune sets centre and bandwidth in Hz.
func (r *resonator) tune(centre, bandwidth float64) {
	radius := math.Exp(-math.Pi * bandwidth / SampleRate)
	r.c = -radius * radius
	r.b = 2 * radius * math.Cos(2*math.Pi*centre/SampleRate)
	r.a = 1 - r.b - r.c
}

func (r *resonator) step(x float64) float64 {
	y := r.a*x + r.b*r.y1 + r.c*r.y2
	r.y2, r.y1 = r.y1, y
	return y
}

// band lets one band of noise through: two poles and zeros at 0 Hz and the
// Nyquist frequency. White noise of mean square 1 comes out with about 1
// again, whatever the bandwidth.
type band struct {
	gain, b, c     float64
	x1, x2, y1, y2 float64
}

// tune sets centre and bandwidth in Hz.
func (f *band) tune(centre, bandwidth float64) {
	radius := math.Exp(-math.Pi * bandwidth / SampleRate)
	f.c = -radius * radius
	f.b = 2 * radius * math.Cos(2*math.Pi*centre/SampleRate)
	// The peak gain of (1 - z^-2) over these poles is 2/(1-radius^2); the
	// equivalent noise bandwidth is pi/2 times the bandwidth.
	f.gain = (1 - radius*radius) / 2 / math.Sqrt(math.Pi*bandwidth/SampleRate)
}

func (f *band) step(x float64) float64 {
	y := f.gain*(x-f.x2) + f.b*f.y1 + f.c*f.y2
	f.x2, f.x1 = f.x1, x
	f.y2, f.y1 = f.y1, y
	return y
}

// softLimit keeps a sample below 0.48 and leaves it alone up to 0.4:
// 0.3 -> 0.3, 0.45 -> 0.444, 1 -> 0.48.
func softLimit(x float64) float64 {
	const knee, room = 0.4, 0.08
	if x > knee {
		return knee + room*math.Tanh((x-knee)/room)
	}
	if x < -knee {
		return -knee - room*math.Tanh((-x-knee)/room)
	}
	return x
}
