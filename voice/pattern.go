package voice

import "math"

// Pattern is a noise-like voice that belongs to one id, for pilot singers who
// must be told apart in a mix. Each id has its own endless pseudo-random row of
// signs, 2000 a second, each carried by one turn of a cosine of 2000 Hz and
// faded into the next:
//
//	signs       +1          -1          -1          +1
//	            ├─24 samples─┤
//	envelope    ▔▔▔▔\____________/▔▔▔▔     (raised cosine between signs)
//	spectrum    0.15 … 4 kHz, half the power within 1.4 … 2.6 kHz
//
// Opus keeps that band at any rate worth singing with. The RMS is 0.1 and the
// peak below 0.2. The sample at a position depends on id and position alone.
type Pattern struct {
	id    uint64
	at    int64 // position of the next sample
	index int64 // of the word in signs
	signs uint64
	shape [chipSamples]struct{ from, to float32 }
}

// chipSamples is the length of one sign, and of one turn of the carrier.
const chipSamples = 24

// patternRMS is the loudness of every Pattern.
const patternRMS = 0.1

// NewPattern makes the pattern of an id, at its beginning.
func NewPattern(id uint64) *Pattern {
	p := &Pattern{id: id, index: -1}
	var power float64
	for i := range p.shape {
		angle := math.Pi * float64(i) / chipSamples
		to := 0.5 - 0.5*math.Cos(angle)
		carrier := math.Cos(2 * angle)
		p.shape[i].from = float32((1 - to) * carrier)
		p.shape[i].to = float32(to * carrier)
		// Neighbouring signs are independent: their powers add.
		power += ((1-to)*(1-to) + to*to) * carrier * carrier / chipSamples
	}
	scale := float32(patternRMS / math.Sqrt(power))
	for i := range p.shape {
		p.shape[i].from *= scale
		p.shape[i].to *= scale
	}
	return p
}

// MoveTo makes position the place of the next sample read, at least 0.
func (p *Pattern) MoveTo(position int64) {
	if position < 0 {
		panic("voice: a pattern has no sample before its first")
	}
	p.at = position
}

// Read fills dst with the next samples.
func (p *Pattern) Read(dst []float32) {
	for len(dst) > 0 {
		chip, phase := p.at/chipSamples, int(p.at%chipSamples)
		from, to := p.sign(chip), p.sign(chip+1)
		n := min(len(dst), chipSamples-phase)
		for i, s := range p.shape[phase : phase+n] {
			dst[i] = from*s.from + to*s.to
		}
		p.at += int64(n)
		dst = dst[n:]
	}
}

func (p *Pattern) sign(chip int64) float32 {
	if word := chip / 64; word != p.index {
		p.index, p.signs = word, keyedWord(p.id, uint64(word))
	}
	if p.signs>>(chip%64)&1 == 0 {
		return -1
	}
	return 1
}

// keyedWord is the 64 signs of one word: two rounds of the mixing step of
// SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom
// number generators", 2014), the id between them.
func keyedWord(id, word uint64) uint64 {
	return mixBits(mixBits(word+0x9e3779b97f4a7c15) ^ id*0xd1342543de82ef95)
}

func mixBits(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
