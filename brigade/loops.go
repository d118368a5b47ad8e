package brigade

// The inner loops. Each takes slices of equal length (a longer source is cut)
// and allocates nothing.

// scale multiplies x by gain in place.
func scale(x []float32, gain float32) {
	for i := range x {
		x[i] *= gain
	}
}

// scaleInto sets dst to x × gain.
func scaleInto(dst, x []float32, gain float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = x[i] * gain
	}
}

// add adds x to dst.
func add(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] += x[i]
	}
}

// count adds one to each number of people; 65535 stays.
func count(people []uint16) {
	for i, n := range people {
		more := uint32(n) + 1
		people[i] = uint16(more - more>>16)
	}
}

// mixGained sets dst to audio × gain[people] × voices + backing × back.
func mixGained(dst, audio, backing []float32, people []uint16, gain *gainTable, voices, back float32) {
	audio, backing, people = audio[:len(dst)], backing[:len(dst)], people[:len(dst)]
	for i := range dst {
		dst[i] = audio[i]*gain[people[i]]*voices + backing[i]*back
	}
}

// gainInto sets dst to x × gain[people] × voices.
func gainInto(dst, x []float32, people []uint16, gain *gainTable, voices float32) {
	x, people = x[:len(dst)], people[:len(dst)]
	for i := range dst {
		dst[i] = x[i] * gain[people[i]] * voices
	}
}

// mixFlat sets dst to audio × voices + backing × back.
func mixFlat(dst, audio, backing []float32, voices, back float32) {
	audio, backing = audio[:len(dst)], backing[:len(dst)]
	for i := range dst {
		dst[i] = audio[i]*voices + backing[i]*back
	}
}
