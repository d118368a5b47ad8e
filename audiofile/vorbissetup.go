package audiofile

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// The set-up header of Vorbis is a stream of bits that describes code books,
// floors and residues (Vorbis I specification, sections 3.2.1, 4.2.4, 7.2.2 and
// 8.6.1). The decoder makes tables as large as it says before it sees whether the
// rest is there, and loops as often. 60 bytes could have it take 16 GB or forever,
// and no recover helps against either: so it is read once before, and only bounds
// are asked for. What else may be wrong with it the decoder finds, or it panics
// and is caught. Within these bounds a packet costs some milliseconds at most.
const (
	maxCodeEntries = 1 << 20 // of all books; encoders write some 5000
	maxCodeValues  = 1 << 22 // of all books
	maxLookupKind  = 2
	maxFloorPoints = 65 // the encoder's own limit
	maxClassWords  = 64 // partitions that one code word describes; encoders have up to 8
)

var errSetupShort = errors.New("the Vorbis set-up header ends early: the file is damaged")

// checkVorbisSetup reads the code books and floors of a set-up header.
func checkVorbisSetup(packet []byte) error {
	if !bytes.HasPrefix(packet, []byte(vorbisSetupMark)) {
		return fmt.Errorf("a Vorbis set-up header begins with % x: the file is damaged", packet[:min(len(packet), len(vorbisSetupMark))])
	}
	b := &bitReader{data: packet[len(vorbisSetupMark):]}
	books := make([]codeBook, b.read(8)+1)
	entries, values := 0, 0
	for i := range books {
		var err error
		if books[i], err = readCodeBook(b); err != nil {
			return err
		}
		entries, values = entries+books[i].entries, values+books[i].values
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
		if err := readResidue(b, books); err != nil {
			return err
		}
	}
	if b.short {
		return errSetupShort
	}
	return nil
}

// codeBook is how large a book is.
type codeBook struct {
	dimensions int // numbers that one entry stands for
	entries    int
	values     int // numbers in all; 0 if it has none
}

// readCodeBook reads one book.
func readCodeBook(b *bitReader) (codeBook, error) {
	if mark := b.read(24); mark != 0x564342 {
		return codeBook{}, fmt.Errorf("a Vorbis code book begins with %06x: the file is damaged", mark)
	}
	c := codeBook{dimensions: b.read(16), entries: b.read(24)}
	// A book of one entry, which the decoder gives no room, has no code at all.
	if c.dimensions == 0 || c.entries < 2 || c.entries > maxCodeEntries || c.entries*c.dimensions > maxCodeValues {
		return c, fmt.Errorf("a Vorbis code book of %d entries with %d numbers each, only 2 to %d entries and 1 to %d numbers are allowed", c.entries, c.dimensions, maxCodeEntries, maxCodeValues)
	}
	if err := readCodeLengths(b, c.entries); err != nil {
		return c, err
	}
	lookup := b.read(4)
	if lookup == 0 {
		return c, nil
	}
	if lookup > maxLookupKind {
		return c, fmt.Errorf("a Vorbis code book of kind %d, only 0 to %d are known: the file is damaged", lookup, maxLookupKind)
	}
	b.read(32) // least value
	b.read(32) // step
	width := b.read(4) + 1
	b.read(1)
	c.values = c.entries * c.dimensions
	multiplicands := c.values
	if lookup == 1 {
		multiplicands = wholeRoot(c.entries, c.dimensions)
		if decoders := decodersRoot(c.entries, c.dimensions); decoders != multiplicands {
			return c, fmt.Errorf("a Vorbis code book of %d entries with %d numbers each, of which the decoder would read %d and not %d; convert it first (ffmpeg -i IN OUT.flac)", c.entries, c.dimensions, decoders, multiplicands)
		}
	}
	b.skip(multiplicands * width)
	return c, nil
}

// decodersRoot is wholeRoot as the decoder computes it, which by rounding is one
// less for 27 and 3, for example. It would then take what follows for something
// else than is checked here.
func decodersRoot(x, n int) int {
	return int(math.Floor(math.Pow(float64(x), 1/float64(n))))
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
// takes the size of a table. It fills each partition from books of values, and
// writes all of an entry even if the partition ends before: with 16 384 numbers
// in an entry and partitions of one, a packet of 18 bytes would take seconds.
func readResidue(b *bitReader, books []codeBook) error {
	b.read(16) // kind
	begin, end := b.read(24), b.read(24)
	if begin > end {
		return fmt.Errorf("a Vorbis residue from %d to %d: the file is damaged", begin, end)
	}
	partition := b.read(24) + 1
	classes := b.read(6) + 1
	if classBook := b.read(8); classBook >= len(books) || books[classBook].dimensions > maxClassWords {
		return fmt.Errorf("a Vorbis residue takes its classes from book %d of %d, which must exist and have at most %d numbers an entry: the file is damaged", classBook, len(books), maxClassWords)
	}
	used := 0
	for range classes {
		used += bits.OnesCount(uint(b.read(3)))
		if b.read(1) == 1 {
			used += bits.OnesCount(uint(b.read(5)))
		}
	}
	for range used {
		if book := b.read(8); book >= len(books) || books[book].dimensions > partition {
			return fmt.Errorf("a Vorbis residue with partitions of %d takes values from book %d of %d, which must exist and have no more numbers an entry: the file is damaged", partition, book, len(books))
		}
	}
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
