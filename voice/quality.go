package voice

import (
	"fmt"
	"math"
)

// Quality says how much of a sound survived a codec.
type Quality struct {
	// SNR is the mean of the signal-to-noise ratios of all 20 ms, in dB, each
	// kept within -10..35. It asks for the waveform: 35 is a copy, 10 is noise a
	// third as strong as the sound. Of noise no codec keeps the waveform.
	SNR float64
	// Distance is how far the loudness of a band is off, in dB: the root of the
	// mean of the squares over all 20 ms and all bands. A change of 1 dB is just
	// noticed; 0 is a copy.
	Distance float64
	// NoiseToMask is how far the noise is above what the sound itself hides
	// from the ear, in dB, in the mean of all 20 ms and all bands. Below 0 it is
	// hidden on the whole.
	NoiseToMask float64
}

const (
	qualityHop    = SampleRate / 50
	qualityWindow = 2048
	// quiet is the mean square below which 20 ms are not judged, and floor that
	// of a band that nobody hears: -60 and -90 dB of full scale.
	quiet, floor = 1e-6, 1e-9
)

// Compare judges got, which must be as long as want and not late: sample i of
// either is the same moment. Where want is quieter than -60 dB nothing is judged;
// if all of it is, Compare panics.
func Compare(want, got []float32) Quality {
	if len(want) != len(got) {
		panic(fmt.Sprintf("voice: %d samples are compared with %d", len(want), len(got)))
	}
	noise := make([]float32, len(want))
	for i := range noise {
		noise[i] = got[i] - want[i]
	}
	var snr, squares, mask float64
	var judged, bands int
	ear := newEar()
	for at := 0; at+qualityWindow <= len(want); at += qualityHop {
		// The 20 ms in the middle of the window.
		from := at + (qualityWindow-qualityHop)/2
		signal := meanSquare(want[from : from+qualityHop])
		if signal < quiet {
			continue
		}
		judged++
		snr += boundedSNR(signal, meanSquare(noise[from:from+qualityHop]))
		w, g := ear.levels(want[at:]), ear.levels(got[at:])
		for b := range w {
			d := 10 * math.Log10((g[b]+floor)/(w[b]+floor))
			squares += d * d
		}
		mask += ear.noiseToMask(w, ear.levels(noise[at:]))
		bands += len(w)
	}
	if judged == 0 {
		panic("voice: nothing but silence to compare")
	}
	return Quality{
		SNR:         snr / float64(judged),
		Distance:    math.Sqrt(squares / float64(bands)),
		NoiseToMask: 10 * math.Log10(mask/float64(judged)+1e-9),
	}
}

// boundedSNR is signal to noise within the bounds of Quality.SNR.
func boundedSNR(signal, noise float64) float64 {
	return min(max(10*math.Log10(signal/(noise+1e-20)), -10), 35)
}

func meanSquare(pcm []float32) float64 {
	return productAt(pcm, pcm, 0, 0, len(pcm)) / float64(len(pcm))
}

// ear splits sound into the bands of hearing, half a Bark wide, 100 Hz to 16 kHz:
// narrow as a whole tone above 1 kHz, 50 Hz below.
type ear struct {
	fft    *fft
	window []float64
	first  []int // line with which a band begins; the last ends there
	x      []complex128
}

const (
	barkStep = 0.5
	earLow   = 100
	earHigh  = 16000
)

// bark is the place of a frequency on the basilar membrane (M. R. Schroeder et
// al., 1979): 1 kHz lies at 8.5.
func bark(hz float64) float64 { return 7 * math.Asinh(hz/650) }

func newEar() *ear {
	e := &ear{fft: newFFT(qualityWindow), x: make([]complex128, qualityWindow), window: make([]float64, qualityWindow)}
	var energy float64
	for i := range e.window {
		e.window[i] = 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/qualityWindow)
		energy += e.window[i] * e.window[i]
	}
	// So that the levels of all bands add up to the mean square.
	for i := range e.window {
		e.window[i] *= math.Sqrt(2 / (energy * qualityWindow))
	}
	for z := bark(earLow); z <= bark(earHigh); z += barkStep {
		line := int(math.Ceil(650 * math.Sinh(z/7) * qualityWindow / SampleRate))
		e.first = append(e.first, line)
	}
	return e
}

// levels is the mean square in each band of the window that begins with pcm.
func (e *ear) levels(pcm []float32) []float64 {
	for i := range e.x {
		e.x[i] = complex(e.window[i]*float64(pcm[i]), 0)
	}
	e.fft.transform(e.x)
	levels := make([]float64, len(e.first)-1)
	for b := range levels {
		for k := e.first[b]; k < e.first[b+1]; k++ {
			levels[b] += real(e.x[k])*real(e.x[k]) + imag(e.x[k])*imag(e.x[k])
		}
	}
	return levels
}

// What a tone hides, after ITU-R BS.1387: it spreads to lower bands with 27 dB
// and to higher ones with 10 dB a Bark, and hides what is 3 dB below that, more
// above 12 Bark.
const (
	maskDown, maskUp = 27, 10
	maskOffset       = 3
)

// noiseToMask is the mean over the bands of noise to what sound hides.
func (e *ear) noiseToMask(sound, noise []float64) float64 {
	var sum float64
	for b := range noise {
		hidden := floor
		for from, level := range sound {
			slope := maskUp * barkStep * float64(b-from)
			if from > b {
				slope = maskDown * barkStep * float64(from-b)
			}
			hidden += level * math.Pow(10, -slope/10)
		}
		offset := max(maskOffset, 0.25*(bark(earLow)+barkStep*float64(b)))
		sum += noise[b] / (hidden * math.Pow(10, -offset/10))
	}
	return sum / float64(len(noise))
}
