package proto

import "math"

// CheckPCM refuses audio with a sample that is no finite number or lies beyond
// MaxLevel. It belongs behind every decoder: a client can make up packets that
// pass PacketSamples and decode to this.
func CheckPCM(pcm []float32) error {
	if within(pcm) {
		return nil
	}
	for i, x := range pcm {
		if !(x >= -MaxLevel && x <= MaxLevel) { // written so that NaN is caught
			return malformed("sample %d of the audio is %v, not in -%d..%d", i, x, MaxLevel, MaxLevel)
		}
	}
	panic("proto: a sample that was too high is gone")
}

// within tells whether all of pcm lies within MaxLevel. Where the processor has no
// vectors it goes without a branch for each sample. The bits of a float without its sign are ordered as the numbers are: 1
// is 0x3F800000, 2 is 0x40000000, infinity 0x7F800000, and what is no number lies
// above. So the highest allowed minus a sample's bits has its top bit set if the
// sample is too high, and in the end one look at the top bit of all together does.
func within(pcm []float32) bool {
	const magnitude, top = 1<<31 - 1, 1 << 31
	highest := math.Float32bits(MaxLevel)
	var a, b uint32
	pcm = pcm[vectorWithin(pcm):]
	for len(pcm) >= 8 {
		p := (*[8]float32)(pcm)
		a |= (highest - math.Float32bits(p[0])&magnitude) | (highest - math.Float32bits(p[1])&magnitude)
		b |= (highest - math.Float32bits(p[2])&magnitude) | (highest - math.Float32bits(p[3])&magnitude)
		a |= (highest - math.Float32bits(p[4])&magnitude) | (highest - math.Float32bits(p[5])&magnitude)
		b |= (highest - math.Float32bits(p[6])&magnitude) | (highest - math.Float32bits(p[7])&magnitude)
		pcm = pcm[8:]
	}
	for _, x := range pcm {
		a |= (highest - math.Float32bits(x)&magnitude)
	}
	return (a|b)&top == 0
}
