package voice

import "math"

// Match says how one voice of several lies in what was heard.
type Match struct {
	// Lag in samples, as of Align: positive is heard later than sung.
	Lag int
	// Gain in heard: 0.5 is half as loud as sung. The gains of all voices
	// are fitted together, by least squares. A voice that explains nothing
	// has 0.
	Gain float64
	// Corr is the partial correlation: that of the voice with what is left of
	// heard when the other voices are taken out, -1 to 1, over the samples
	// where they overlap.
	Corr float64
}

// Fit finds several voices that sound at once: "does the listener hear leader
// and follower, and how late each?" It answers for voices in their order.
//
// A follower who is a quarter as loud as the leader correlates with the sum by
// only 0.24. Once the leader is taken out, little is left but the follower and
// the error of the codec. With a leader of RMS 0.1, a follower of 0.025 and
// errors of 0.01, the follower's partial correlation is
// 0.025/sqrt(0.025² + 0.01²) = 0.93, the leader's 0.995. Somebody who is not
// there gets less than 0.2 against six seconds of other voices that sing the
// same notes at the same pitch, but up to 0.4 against one second of them: hear
// four seconds or more and take 0.5 for a yes.
//
// The voice that explains most is placed first, then the next in what remains
// (S. Mallat and Z. Zhang, "Matching pursuits with time-frequency
// dictionaries", 1993); at last each is placed anew with all others out of the
// way. Each placing is two Fourier transforms of the length of heard plus
// maxLag; n voices take about n²/2 + 2n of them.
func Fit(heard []float32, voices [][]float32, maxLag int) []Match {
	f := &fit{
		heard:   heard,
		voices:  voices,
		maxLag:  maxLag,
		matches: make([]Match, len(voices)),
		rest:    append([]float32(nil), heard...),
	}
	for len(f.placed) < len(voices) && f.placeNext() {
		f.settleGains()
	}
	for range 3 {
		if !f.placeAgain() {
			break
		}
	}
	for _, i := range f.placed {
		alone := f.without(i)
		f.matches[i].Corr = corrAt(alone, voices[i], f.matches[i].Lag)
	}
	return f.matches
}

// fit is a fit under way.
type fit struct {
	heard   []float32
	voices  [][]float32
	maxLag  int
	matches []Match
	placed  []int     // voices with a lag
	rest    []float32 // heard without the placed voices
}

// placeNext places the voice that explains most of the rest.
func (f *fit) placeNext() bool {
	next, best := -1, alignment{}
	for i, v := range f.voices {
		if f.isPlaced(i) {
			continue
		}
		if a := align(f.rest, v, f.maxLag); a.explained > best.explained {
			next, best = i, a
		}
	}
	if next < 0 {
		return false
	}
	f.matches[next].Lag = best.lag
	f.placed = append(f.placed, next)
	return true
}

func (f *fit) isPlaced(voice int) bool {
	for _, i := range f.placed {
		if i == voice {
			return true
		}
	}
	return false
}

// placeAgain looks for each voice where the others are out of the way, and
// tells whether any moved.
func (f *fit) placeAgain() (moved bool) {
	for _, i := range f.placed {
		a := align(f.without(i), f.voices[i], f.maxLag)
		if a.explained == 0 || a.lag == f.matches[i].Lag {
			continue
		}
		f.matches[i].Lag = a.lag
		moved = true
		f.settleGains()
	}
	return moved
}

// without is heard without the placed voices other than i.
func (f *fit) without(i int) []float32 {
	pcm := append([]float32(nil), f.rest...)
	addAt(pcm, f.voices[i], f.matches[i].Lag, f.matches[i].Gain)
	return pcm
}

// settleGains fits the gains of all placed voices together and takes the
// voices out of the rest.
func (f *fit) settleGains() {
	n := len(f.placed)
	// Row i says: the products of voice i with the sum of all voices, each at
	// its gain, are its products with heard.
	rows := make([][]float64, n)
	for a, i := range f.placed {
		rows[a] = make([]float64, n+1)
		for b, j := range f.placed {
			rows[a][b] = f.product(i, j)
		}
		rows[a][a] *= 1 + 1e-9 // two identical voices share, instead of dividing by 0
		rows[a][n] = productAt(f.heard, f.voices[i], f.matches[i].Lag, 0, len(f.heard))
	}
	copy(f.rest, f.heard)
	for a, gain := range solve(rows) {
		m := &f.matches[f.placed[a]]
		m.Gain = gain
		addAt(f.rest, f.voices[f.placed[a]], m.Lag, -gain)
	}
}

// product is that of two voices where both lie within heard.
func (f *fit) product(i, j int) float64 {
	a, b := f.voices[i], f.voices[j]
	from, to := overlap(len(f.heard), len(a), f.matches[i].Lag)
	shift := f.matches[i].Lag
	return productAt(a, b, f.matches[j].Lag-shift, from-shift, to-shift)
}

// productAt sums heard[k]·sung[k-lag] for k of from..to-1 where both exist.
func productAt(heard, sung []float32, lag, from, to int) float64 {
	first, last := overlap(len(heard), len(sung), lag)
	var sum float64
	for k := max(first, from); k < min(last, to); k++ {
		sum += float64(heard[k]) * float64(sung[k-lag])
	}
	return sum
}

// addAt adds sung to pcm, lag late and scaled.
func addAt(pcm, sung []float32, lag int, gain float64) {
	from, to := overlap(len(pcm), len(sung), lag)
	for k := from; k < to; k++ {
		pcm[k] += float32(gain * float64(sung[k-lag]))
	}
}

// corrAt is the normalised correlation at one lag.
func corrAt(heard, sung []float32, lag int) float64 {
	from, to := overlap(len(heard), len(sung), lag)
	heard, sung = heard[from:to], sung[from-lag:to-lag]
	product := productAt(heard, sung, 0, 0, len(heard))
	power := productAt(heard, heard, 0, 0, len(heard)) * productAt(sung, sung, 0, 0, len(sung))
	if power == 0 {
		return 0
	}
	return product / math.Sqrt(power)
}

// solve gives x with rows[i][0..n-1]·x = rows[i][n], by elimination without
// pivoting: the matrix of a least-squares fit is positive definite.
func solve(rows [][]float64) []float64 {
	n := len(rows)
	for i := range n {
		for j := i + 1; j < n; j++ {
			factor := rows[j][i] / rows[i][i]
			for k := i; k <= n; k++ {
				rows[j][k] -= factor * rows[i][k]
			}
		}
	}
	x := make([]float64, n)
	for i := n - 1; i >= 0; i-- {
		x[i] = rows[i][n]
		for j := i + 1; j < n; j++ {
			x[i] -= rows[i][j] * x[j]
		}
		x[i] /= rows[i][i]
	}
	return x
}
