package audiofile

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"
)

// The set-up header of Vorbis is a stream of bits that describes code books,
// floors and residues (Vorbis I specification, sections 3.2.1, 4.2.4, 7.2.2 and
// 8.6.1). The decoder makes tables as large as it says before it sees whether the
// rest is there, and loops as often. 60 bytes could have it take 16 GB or forever,
// and no recover helps against either: so it is read once before, and only bounds
// are asked for. What else may be wrong with it the decoder finds, or it panics
// and is caught.
const (
	maxCodeEntries = 1 << 20 // of all books; encoders write some 5000
	maxCodeValues  = 1 << 22 // of all books
	maxLookupKind  = 2
	maxFloorPoints = 65 // the encoder's own limit
)

var errSetupShort = errors.New("the Vorbis set-up header ends early: the file is damaged")

// checkVorbisSetup reads the code books and floors of a set-up header.
func checkVorbisSetup(packet []byte) error {
	if !bytes.HasPrefix(packet, []byte(vorbisSetupMark)) {
		return fmt.Errorf("a Vorbis set-up header begins with % x: the file is damaged", packet[:min(len(packet), len(vorbisSetupMark))])
	}
	b := &bitReader{data: packet[len(vorbisSetupMark):]}
	entries, values := 0, 0
	for range b.read(8) + 1 {
		e, v, err := readCodeBook(b)
		if err != nil {
			return err
		}
		entries, values = entries+e, values+v
		if entries > maxCodeEntries || values > maxCodeValues {
			return fmt.Errorf("a set of Vorbis code books of %d entries and %d values, at most %d and %d are allowed: the file is damaged", entries, values, maxCodeEntries, maxCodeValues)
		}
	}
	for range b.read(6) + 1 { // left over from drafts of the format
		b.read(16)
	}
	for range b.read(6) + 1 {
		if err := readFloor(b); err != nil {
			return err
		}
	}
	for range b.read(6) + 1 {
		if err := readResidue(b); err != nil {
			return err
		}
	}
	if b.short {
		return errSetupShort
	}
	return nil
}

// readCodeBook reads one book and gives how many entries and numbers it has.
func readCodeBook(b *bitReader) (entries, values int, err error) {
	if mark := b.read(24); mark != 0x564342 {
		return 0, 0, fmt.Errorf("a Vorbis code book begins with %06x: the file is damaged", mark)
	}
	dimensions := b.read(16)
	entries = b.read(24)
	// A book of one entry, which the decoder gives no room, has no code at all.
	if dimensions == 0 || entries < 2 || entries > maxCodeEntries || entries*dimensions > maxCodeValues {
		return 0, 0, fmt.Errorf("a Vorbis code book of %d entries with %d numbers each, only 2 to %d entries and 1 to %d numbers are allowed", entries, dimensions, maxCodeEntries, maxCodeValues)
	}
	if err := readCodeLengths(b, entries); err != nil {
		return 0, 0, err
	}
	lookup := b.read(4)
	if lookup == 0 {
		return entries, 0, nil
	}
	if lookup > maxLookupKind {
		return 0, 0, fmt.Errorf("a Vorbis code book of kind %d, only 0 to %d are known: the file is damaged", lookup, maxLookupKind)
	}
	b.read(32) // least value
	b.read(32) // step
	width := b.read(4) + 1
	b.read(1)
	values = entries * dimensions
	multiplicands := values
	if lookup == 1 {
		multiplicands = wholeRoot(entries, dimensions)
	}
	b.skip(multiplicands * width)
	return entries, values, nil
}

// readCodeLengths reads how long the code of each entry is. In a book without any
// code the decoder would look for one without end.
func readCodeLengths(b *bitReader, entries int) error {
	if ordered := b.read(1) == 1; !ordered {
		sparse, used := b.read(1) == 1, 0
		for range entries {
			if !sparse || b.read(1) == 1 {
				b.read(5)
				used++
			}
			if b.short {
				return errSetupShort
			}
		}
		if used == 0 {
			return fmt.Errorf("a Vorbis code book of %d entries that has no codes: the file is damaged", entries)
		}
		return nil
	}
	length := b.read(5) + 1
	for done := 0; done < entries; length++ {
		n := b.read(bits.Len(uint(entries - done)))
		if b.short {
			return errSetupShort
		}
		if done += n; done > entries || length > 32 {
			return fmt.Errorf("a Vorbis code book of %d entries counts %d, of up to %d bits: the file is damaged", entries, done, length)
		}
	}
	return nil
}

// readFloor reads the description of one floor. The first kind, which encoders
// gave up before Vorbis was finished, costs the decoder seconds for a packet.
func readFloor(b *bitReader) error {
	if kind := b.read(16); kind != 1 {
		if b.short {
			return errSetupShort
		}
		return fmt.Errorf("a Vorbis floor of kind %d, only 1 is allowed; convert it first (ffmpeg -i IN OUT.flac)", kind)
	}
	classes := make([]int, b.read(5))
	most := -1
	for i := range classes {
		classes[i] = b.read(4)
		most = max(most, classes[i])
	}
	// Without any partition the decoder still reads one class, so do we.
	dimensions := make([]int, max(most, 0)+1)
	for i := range dimensions {
		dimensions[i] = b.read(3) + 1
		subclass := b.read(2)
		if subclass != 0 {
			b.read(8)
		}
		b.skip(8 << subclass)
	}
	b.read(2)
	width := b.read(4)
	points := 2
	for _, class := range classes {
		points += dimensions[class]
		b.skip(dimensions[class] * width)
	}
	if points > maxFloorPoints {
		return fmt.Errorf("a Vorbis floor of %d points, at most %d are allowed: the file is damaged", points, maxFloorPoints)
	}
	return nil
}

// readResidue reads the description of one residue. From its bounds the decoder
// takes the size of a table.
func readResidue(b *bitReader) error {
	b.read(16) // kind
	begin, end := b.read(24), b.read(24)
	if begin > end {
		return fmt.Errorf("a Vorbis residue from %d to %d: the file is damaged", begin, end)
	}
	b.read(24) // size of a partition
	classes := b.read(6) + 1
	b.read(8) // book
	books := 0
	for range classes {
		books += bits.OnesCount(uint(b.read(3)))
		if b.read(1) == 1 {
			books += bits.OnesCount(uint(b.read(5)))
		}
	}
	b.skip(8 * books)
	return nil
}

// wholeRoot is the greatest whole number whose power to n is at most x.
func wholeRoot(x, n int) int {
	root := 1
	for power := 1; ; root++ {
		power = 1
		for range n {
			if power *= root + 1; power > x {
				return root
			}
		}
	}
}

// bitReader reads bits from the lowest of each byte on. Behind the end all are 0.
type bitReader struct {
	data  []byte
	at    int // in bits
	short bool
}

// read gives n bits, at most 32, the first being the lowest.
func (b *bitReader) read(n int) int {
	x := 0
	for i := range n {
		if b.at/8 >= len(b.data) {
			b.short = true
			return 0
		}
		x |= int(b.data[b.at/8]>>(b.at%8)&1) << i
		b.at++
	}
	return x
}

// skip passes over n bits.
func (b *bitReader) skip(n int) {
	if b.at += n; b.at > 8*len(b.data) {
		b.short = true
	}
}
