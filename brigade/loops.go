package brigade

// The inner loops. Each takes slices of equal length (a longer source is cut)
// and allocates nothing. The processor's vectors do as much from the start as
// they can, if the build has them; the loops here do the rest.

// addScaled adds x × gain to dst.
func addScaled(dst, x []float32, gain float32) {
	x = x[:len(dst)]
	for i := vectorAddScaled(dst, x, gain); i < len(dst); i++ {
		dst[i] += x[i] * gain
	}
}

// scaleInto sets dst to x × gain.
func scaleInto(dst, x []float32, gain float32) {
	x = x[:len(dst)]
	for i := vectorScaleInto(dst, x, gain); i < len(dst); i++ {
		dst[i] = x[i] * gain
	}
}

// mixFlat sets dst to audio × voices + backing × back.
func mixFlat(dst, audio, backing []float32, voices, back float32) {
	audio, backing = audio[:len(dst)], backing[:len(dst)]
	for i := vectorMixFlat(dst, audio, backing, voices, back); i < len(dst); i++ {
		dst[i] = audio[i]*voices + backing[i]*back
	}
}

// count adds one to each number of people; 65535 stays.
func count(people []uint16) {
	for i := vectorCount(people); i < len(people); i++ {
		more := uint32(people[i]) + 1
		people[i] = uint16(more - more>>16)
	}
}

const (
	// longRun is the most that is looked at for equal numbers before it is mixed:
	// 4 kB, which lie in the fastest cache then.
	longRun = 2048
	// shortRun is below what equal numbers are not worth a loop of its own.
	shortRun = 16
)

// sameCrowd is how many of the first people, at most longRun, are as many as the
// first. A singer's voice has no gaps, so that mostly all are.
func sameCrowd(people []uint16) int {
	people = people[:min(longRun, len(people))]
	i := vectorSameCrowd(people)
	for i < len(people) && people[i] == people[0] {
		i++
	}
	return i
}

// mixGained sets dst to audio × gain[people] × voices + backing × back.
func mixGained(dst, audio, backing []float32, people []uint16, gain *gainTable, voices, back float32) {
	audio, backing, people = audio[:len(dst)], backing[:len(dst)], people[:len(dst)]
	for len(dst) > 0 {
		n := sameCrowd(people)
		if n >= shortRun {
			mixFlat(dst[:n], audio, backing, gain[people[0]]*voices, back)
		} else {
			n = min(shortRun, len(dst))
			for i := range n {
				dst[i] = audio[i]*(gain[people[i]]*voices) + backing[i]*back
			}
		}
		dst, audio, backing, people = dst[n:], audio[n:], backing[n:], people[n:]
	}
}

// gainInto sets dst to x × gain[people] × voices.
func gainInto(dst, x []float32, people []uint16, gain *gainTable, voices float32) {
	x, people = x[:len(dst)], people[:len(dst)]
	for len(dst) > 0 {
		n := sameCrowd(people)
		if n >= shortRun {
			scaleInto(dst[:n], x, gain[people[0]]*voices)
		} else {
			n = min(shortRun, len(dst))
			for i := range n {
				dst[i] = x[i] * (gain[people[i]] * voices)
			}
		}
		dst, x, people = dst[n:], x[n:], people[n:]
	}
}
