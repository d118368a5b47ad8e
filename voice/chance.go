package voice

import "math/rand/v2"

// chance is one generator's own source of randomness.
type chance struct {
	pcg rand.PCG
}

// newChance gives the stream of a seed; the salt keeps voices of different
// kinds apart that were given the same seed.
func newChance(seed, salt uint64) chance {
	return chance{*rand.NewPCG(seed, salt)}
}

// signed is uniform in [-1, 1).
func (c *chance) signed() float64 {
	return float64(int64(c.pcg.Uint64())) * (1.0 / (1 << 63))
}

// white is uniform noise of mean square 1.
func (c *chance) white() float64 { return sqrt3 * c.signed() }

// sqrt3 undoes the mean square of uniform noise in [-1, 1), which is 1/3.
const sqrt3 = 1.73205080756887729352744634150587237

// between is uniform in [low, high).
func (c *chance) between(low, high float64) float64 {
	return low + (high-low)*(0.5+0.5*c.signed())
}

// upTo is uniform in 0..n-1.
func (c *chance) upTo(n int) int {
	return min(int(c.between(0, float64(n))), n-1)
}

// spread maps seeds to 0..1 so that neighbouring seeds lie far apart: multiples
// of the golden ratio, without their whole part. 0, 1, 2, 3 give 0, 0.62, 0.24,
// 0.85.
func spread(seed uint64) float64 {
	return float64(seed*0x9e3779b97f4a7c15) / (1 << 64)
}

// wander is a value that strays around zero and is pulled back, a little noise
// filtered to a few hertz: pitch and strength of a human voice stray so.
type wander struct {
	at, goal float64
}

// next takes one step a block. After some time the value has a spread of about
// spread/3 and changes direction several times a second.
func (w *wander) next(c *chance, spread float64) float64 {
	w.goal += 0.04 * (spread*4*c.signed() - w.goal)
	w.at += 0.05 * (w.goal - w.at)
	return w.at
}
