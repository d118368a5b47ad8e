package voice

import (
	"fmt"
	"math"
	"math/cmplx"
)

// Sighting is what Find makes of a pattern.
type Sighting struct {
	Lag   int     // heard[i] holds the pattern's sample i-Lag
	Score float64 // height of the peak over the noise of all other lags
	Gain  float64 // of the pattern in heard; 1 is as loud as it was sung
}

// PresentScore separates the pattern from chance. Among millions of lags of
// voices and noise without it the highest scores are 5 to 5.7. With it, under
// two sung voices that are together 2.5 dB louder than a pattern of gain 1:
//
//	gain    0.25 s   0.5 s   1 s   2 s heard
//	1           35      55    90   137
//	0.4         31      50    77   111
//	0.13        18      33    49    66
//	0.04         6      13    20    27
//
// Two trips through Opus at 50 kbit/s cost about a fifth.
const PresentScore = 8

// Present tells whether the pattern is in what was heard.
func (s Sighting) Present() bool { return s.Score >= PresentScore }

// Find looks for the Pattern of an id in heard, at lags of minLag..maxLag
// samples: a lag of 5 says that the pattern began with heard[5], one of -48000
// that heard begins one second into the pattern. Two seconds of audio serve
// well; half a second is enough for a loud one. At least a tenth of heard must
// lie behind the pattern's beginning.
//
// heard is reduced to the phases of its spectrum within the pattern's band
// (C. H. Knapp and G. C. Carter, "The generalized correlation method for
// estimation of time delay", 1976): every line of it counts the same. Two
// seconds have 6400 lines in the band. A loud voice that takes a fifth of them
// to itself costs a fifth of the score, be it 20 dB above the pattern or 60;
// in a plain correlation it would drown the rest.
func Find(heard []float32, id uint64, minLag, maxLag int) Sighting {
	if minLag > maxLag {
		panic(fmt.Sprintf("voice: find a lag of %d..%d: no such lag", minLag, maxLag))
	}
	if len(heard) == 0 {
		return Sighting{}
	}
	// The noise needs to be seen at more lags than a short search has.
	const margin = SampleRate / 10
	low, high := minLag-margin, maxLag+margin
	pattern := patternFrom(id, -high, len(heard)+high-low)
	scores := phaseCorrelate(heard, pattern, high-low) // that of a lag is at high-lag
	levelScores(scores, pattern, len(heard))
	best := margin
	for i := margin; i <= high-minLag; i++ {
		if scores[i] > scores[best] {
			best = i
		}
	}
	noise := noiseBeside(scores, best)
	if scores[best] <= 0 || noise == 0 {
		return Sighting{}
	}
	return Sighting{
		Lag:   high - best,
		Score: scores[best] / noise,
		Gain:  gain(heard, pattern[best:best+len(heard)]),
	}
}

// levelScores divides the score of each window of n samples by the root of the
// pattern's energy there, so that the noise of all is the same. Those with
// less than a tenth of a full window's say too little and become 0.
func levelScores(scores []float64, pattern []float32, n int) {
	power := runningPower(pattern)
	least := 0.1 * float64(n) * patternRMS * patternRMS
	for i := range scores {
		if energy := power[i+n] - power[i]; energy >= least {
			scores[i] /= math.Sqrt(energy)
		} else {
			scores[i] = 0
		}
	}
}

// noiseBeside is the RMS of those scores that are known and not of the peak.
func noiseBeside(scores []float64, peak int) float64 {
	var sum float64
	var n int
	for i, s := range scores {
		if s != 0 && (i < peak-2*chipSamples || i > peak+2*chipSamples) {
			sum += s * s
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return math.Sqrt(sum / float64(n))
}

// patternFrom gives n samples of a pattern beginning at a position that may lie
// before its first; there it is silent.
func patternFrom(id uint64, position, n int) []float32 {
	pcm := make([]float32, n)
	p := NewPattern(id)
	silent := min(max(-position, 0), n)
	p.MoveTo(int64(max(position, 0)))
	p.Read(pcm[silent:])
	return pcm
}

// The band that is looked at, in Hz: that of the pattern.
const (
	bandLow  = 400
	bandHigh = 3600
)

// phaseCorrelate compares heard with the window of pattern that begins at
// index i, for i of 0..reach.
func phaseCorrelate(heard, pattern []float32, reach int) []float64 {
	f := newFFT(len(pattern))
	low, high := bandLow*f.n/SampleRate, bandHigh*f.n/SampleRate
	x := pack(f, pattern, heard)
	f.transform(x)
	// A line below this is the transform's rounding, not heard.
	least := 1e-7*root(heard) + 1e-12*root(pattern)
	f.crossSpectrum(x, func(k int, heard complex128) float64 {
		if k < low || k > high || cmplx.Abs(heard) <= least {
			return 0
		}
		return 1 / cmplx.Abs(heard)
	})
	f.inverse(x)
	scores := make([]float64, reach+1)
	for i := range scores {
		scores[i] = real(x[i])
	}
	return scores
}

// root is the root of the sum of the squares.
func root(pcm []float32) float64 { return math.Sqrt(productAt(pcm, pcm, 0, 0, len(pcm))) }

// gain is the factor at which part fits heard best: the sum of the products
// over the sum of part's squares. 2 4 6 holds 1 2 3 with a gain of 28/14 = 2.
func gain(heard, part []float32) float64 {
	var product, power float64
	for i, x := range part {
		product += float64(x) * float64(heard[i])
		power += float64(x) * float64(x)
	}
	if power == 0 {
		return 0
	}
	return product / power
}
