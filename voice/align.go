package voice

import "math"

// Align finds how late sung is in heard: heard[i] is compared with sung[i-lag]
// for every lag of -maxLag..maxLag samples, and the lag that explains the most
// of heard wins. Positive: heard later than sung. corr is the normalised cross
// correlation there, over the samples where the two overlap: 1 for a copy at
// any gain, about 0 for strangers, r/sqrt(1+r²) if the copy lies in noise and
// has r times its RMS. Inverted copies are not looked for.
//
// For example sung = 1 2 3 and heard = 0 0 2 4 6, maxLag = 4: at lag 2 the
// overlap is 2 4 6 against 1 2 3, the products sum to 28, and
// corr = 28/sqrt(56·14) = 1. At lag 3 it is 4 6 against 1 2 with 16 and
// 16/sqrt(52·5) = 0.99; yet it leaves the 2 unexplained, so lag 2 wins:
// 28²/14 = 56 of heard's energy against 16²/5 = 51.
//
// Without anything in common, and for silence, lag and corr are 0. maxLag is
// at least 0; a lag without overlap is no candidate.
func Align(heard, sung []float32, maxLag int) (lag int, corr float64) {
	a := align(heard, sung, maxLag)
	return a.lag, a.corr
}

// alignment is what one lag makes of heard.
type alignment struct {
	lag       int
	corr      float64
	explained float64 // energy of heard that goes away with the best gain
}

func align(heard, sung []float32, maxLag int) alignment {
	var best alignment
	heardPower, sungPower := runningPower(heard), runningPower(sung)
	all := sungPower[len(sung)]
	// Below this a transform's products are rounding.
	tiny := 1e-12 * math.Sqrt(all*heardPower[len(heard)])
	products := correlate(heard, sung, maxLag)
	reach := len(products) / 2
	if tiny == 0 {
		return best
	}
	for i, product := range products {
		lag := i - reach
		from, to := overlap(len(heard), len(sung), lag)
		if product <= tiny || from == to {
			continue
		}
		power := sungPower[to-lag] - sungPower[from-lag]
		if power <= 1e-9*all || product*product <= best.explained*power {
			continue
		}
		best = alignment{
			lag:       lag,
			corr:      min(product/math.Sqrt(power*(heardPower[to]-heardPower[from])), 1),
			explained: product * product / power,
		}
	}
	return best
}

// overlap is the range of heard that sung covers when it is lag late.
func overlap(heard, sung, lag int) (from, to int) {
	from = min(max(lag, 0), heard)
	return from, max(min(heard, sung+lag), from)
}

// runningPower gives at i the sum of the squares of the first i samples.
func runningPower(pcm []float32) []float64 {
	sums := make([]float64, len(pcm)+1)
	for i, x := range pcm {
		sums[i+1] = sums[i] + float64(x)*float64(x)
	}
	return sums
}

// directLimit is the number of products up to which adding them one by one is
// faster than a transform.
const directLimit = 1 << 19

// correlate gives the sum of heard[i]·sung[i-lag] at index lag+reach of the
// result, for lags of -reach..reach; reach is maxLag, or less if nothing
// overlaps beyond. The result has 2·reach+1 values.
func correlate(heard, sung []float32, maxLag int) []float64 {
	if maxLag < 0 {
		panic("voice: a negative limit for a lag")
	}
	if len(heard) == 0 || len(sung) == 0 {
		return nil
	}
	reach := min(maxLag, max(len(heard), len(sung))-1)
	if (2*reach+1)*min(len(heard), len(sung)) <= directLimit {
		return correlateDirect(heard, sung, reach)
	}
	return correlateFFT(heard, sung, reach)
}

func correlateDirect(heard, sung []float32, reach int) []float64 {
	products := make([]float64, 2*reach+1)
	for i := range products {
		lag := i - reach
		from, to := overlap(len(heard), len(sung), lag)
		var sum float64
		for j := from; j < to; j++ {
			sum += float64(heard[j]) * float64(sung[j-lag])
		}
		products[i] = sum
	}
	return products
}

// correlateFFT puts both signals on a circle long enough that no lag within
// reach meets itself coming round the other way.
func correlateFFT(heard, sung []float32, reach int) []float64 {
	f := newFFT(max(len(heard), len(sung)) + reach)
	x := pack(f, heard, sung)
	f.transform(x)
	f.crossSpectrum(x, nil)
	f.inverse(x)
	products := make([]float64, 2*reach+1)
	for i := range products {
		products[i] = real(x[(i-reach+f.n)%f.n])
	}
	return products
}

// pack puts two real signals into one complex one, padded with zeros.
func pack(f *fft, a, b []float32) []complex128 {
	x := make([]complex128, f.n)
	for i, v := range a {
		x[i] = complex(float64(v), 0)
	}
	for i, v := range b {
		x[i] += complex(0, float64(v))
	}
	return x
}
