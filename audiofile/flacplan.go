package audiofile

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/mewkiz/flac/frame"
)

// A flacPlanner chooses how a block of samples is written, the shortest way of
// these:
//
//	constant  one sample for all
//	fixed     the difference to the polynomial through the 0 to 4 samples before
//	LPC       the difference to a weighted sum of the 8 samples before
//	verbatim  as they are, 16 bits each
//
// Differences are written as Rice codes: n as n>>k zeros, a one and the k lowest
// bits of n, where 0, -1, 1, -2 … are numbered 0, 1, 2, 3 … The block is cut into 1
// to 64 equal parts, each with a k of its own. For example a tone of 300 Hz at half
// of full scale has samples up to ±16384. They differ by up to ±25 from the line
// through the two samples before: k = 5, some 7 bits a sample.
type flacPlanner struct {
	lpc   lpcFinder
	now   []int32 // samples of the block
	spare []int32 // differences of the way that is being looked at
}

// A way is how to write a block, and how many bits that takes. The number is near,
// not exact: no more is needed to compare.
type way struct {
	frame.SubHeader
	bits int
}

const (
	// headBits is the header of a subframe.
	headBits = 8
	// shortBlock is below what prediction pays for.
	shortBlock = 64
	// maxDifference bounds what predictors may be off, far below the 32 bits that
	// decoders have. The fixed ones stay below.
	maxDifference = 1 << 20
)

// frame plans a block of samples of 16 bits as a WAV file has them. The frame is
// good until the next call.
func (p *flacPlanner) frame(raw []byte) *frame.Frame {
	p.now = p.now[:0]
	for ; len(raw) > 0; raw = raw[2:] {
		p.now = append(p.now, int32(int16(binary.LittleEndian.Uint16(raw))))
	}
	return &frame.Frame{
		Header: frame.Header{
			HasFixedBlockSize: true, BlockSize: uint16(len(p.now)),
			SampleRate: SampleRate, Channels: frame.ChannelsMono, BitsPerSample: 16,
		},
		Subframes: []*frame.Subframe{{SubHeader: p.best().SubHeader, Samples: p.now, NSamples: len(p.now)}},
	}
}

// best chooses the way for the block.
func (p *flacPlanner) best() way {
	if constant(p.now) {
		return way{frame.SubHeader{Pred: frame.PredConstant}, headBits + 16}
	}
	best := way{frame.SubHeader{Pred: frame.PredVerbatim}, headBits + 16*len(p.now)}
	if len(p.now) < shortBlock {
		return best
	}
	order := bestFixed(p.now)
	p.consider(&best, frame.SubHeader{Pred: frame.PredFixed, Order: order}, frame.FixedCoeffs[order])
	if predictor, ok := p.lpc.find(p.now); ok {
		p.consider(&best, predictor, predictor.Coeffs)
	}
	return best
}

func constant(samples []int32) bool {
	for _, sample := range samples {
		if sample != samples[0] {
			return false
		}
	}
	return true
}

// consider makes a predictor the best way if it is.
func (p *flacPlanner) consider(best *way, predictor frame.SubHeader, coeffs []int32) {
	var ok bool
	p.spare, ok = differences(p.spare[:0], p.now, coeffs, predictor.CoeffShift)
	if !ok {
		return
	}
	rice, n := riceParts(p.spare, len(p.now))
	n += headBits + 16*predictor.Order
	if predictor.Pred == frame.PredFIR {
		n += 4 + 5 + int(predictor.CoeffPrec)*predictor.Order
	}
	if n >= best.bits {
		return
	}
	predictor.ResidualCodingMethod = frame.ResidualCodingMethodRice1
	predictor.RiceSubframe = rice
	*best = way{predictor, n}
}

// bestFixed is the order of the polynomial that comes closest.
func bestFixed(samples []int32) int {
	var sums [5]int64
	var before [4]int32 // difference of each order, one sample ago
	for i, sample := range samples {
		d := sample
		for order := range sums {
			if i >= len(before) {
				sums[order] += int64(max(d, -d))
			}
			if order < len(before) {
				d, before[order] = d-before[order], d
			}
		}
	}
	best := 0
	for order, sum := range sums {
		if sum < sums[best] {
			best = order
		}
	}
	return best
}

// differences appends what the samples are more than predicted, from the first one
// that has enough others before it. It fails where one is out of bounds.
func differences(dst, samples, coeffs []int32, shift int32) ([]int32, bool) {
	for i := len(coeffs); i < len(samples); i++ {
		var sum int64
		for j, c := range coeffs {
			sum += int64(c) * int64(samples[i-1-j])
		}
		d := int64(samples[i]) - sum>>shift
		if d > maxDifference || d < -maxDifference {
			return dst, false
		}
		dst = append(dst, int32(d))
	}
	return dst, true
}

const (
	maxPartsLog = 6  // 64 parts
	maxRiceK    = 14 // 15 has another meaning
)

// riceParts cuts the differences of a block of n samples into parts and finds k
// for each; it tells how many bits all that takes. Parts are equal but that the
// first one lacks the samples without a difference.
func riceParts(differences []int32, n int) (*frame.RiceSubframe, int) {
	missing := n - len(differences)
	log := 0
	for log < maxPartsLog && n>>log&1 == 0 && n>>(log+1) > missing {
		log++
	}
	var sums [1 << maxPartsLog]uint64
	part := n >> log
	for i, d := range differences {
		sums[(i+missing)/part] += uint64(uint32(d<<1 ^ d>>31))
	}
	var best *frame.RiceSubframe
	least := math.MaxInt
	for ; log >= 0; log-- {
		rice, total := &frame.RiceSubframe{PartOrder: log}, 2+4
		for i := range 1 << log {
			count := n >> log
			if i == 0 {
				count -= missing
			}
			k, took := bestRice(uint64(count), sums[i])
			rice.Partitions = append(rice.Partitions, frame.RicePartition{Param: k})
			total += 4 + took
		}
		if total < least {
			best, least = rice, total
		}
		for i := range 1 << log / 2 {
			sums[i] = sums[2*i] + sums[2*i+1]
		}
	}
	return best, least
}

// bestRice finds k for a number of codes with a sum, and about how many bits they
// take: the k lowest bits of each have a mean of half their greatest value.
func bestRice(count, sum uint64) (k uint, total int) {
	total = math.MaxInt
	likely := min(max(0, bits.Len64(sum/count)-2), maxRiceK)
	for at := uint(likely); at <= maxRiceK; at++ {
		low := min(sum, count*(1<<at-1)/2)
		n := int(count*uint64(at+1) + (sum-low)>>at)
		if n >= total {
			break
		}
		k, total = at, n
	}
	return k, total
}
