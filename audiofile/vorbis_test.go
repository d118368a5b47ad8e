package audiofile

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
)

// bitWriter is the counterpart of bitReader.
type bitWriter struct {
	data []byte
	at   int
}

func (b *bitWriter) put(n, x int) *bitWriter {
	for i := range n {
		if b.at%8 == 0 {
			b.data = append(b.data, 0)
		}
		b.data[b.at/8] |= byte(x>>i&1) << (b.at % 8)
		b.at++
	}
	return b
}

func TestBitReader(t *testing.T) {
	t.Parallel()
	var w bitWriter
	w.put(3, 5).put(24, 0x564342).put(1, 1).put(32, 0xDEADBEEF)
	r := &bitReader{data: w.data}
	for _, c := range []struct{ n, want int }{{3, 5}, {24, 0x564342}, {1, 1}, {32, 0xDEADBEEF}, {4, 0}} {
		if got := r.read(c.n); got != c.want {
			t.Errorf("%d bits are %x, want %x", c.n, got, c.want)
		}
	}
	if r.short {
		t.Error("short within the last byte")
	}
	if r.read(1); !r.short {
		t.Error("not short behind the last byte")
	}
}

func TestWholeRoot(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ x, n, want int }{{125, 3, 5}, {124, 3, 4}, {625, 4, 5}, {81, 4, 3}, {7, 1, 7}, {2, 16, 1}, {2, 65535, 1}, {1 << 20, 1, 1 << 20}} {
		if got := wholeRoot(c.x, c.n); got != c.want {
			t.Errorf("root %d of %d: %d, want %d", c.n, c.x, got, c.want)
		}
	}
}

// vorbisHeaders are the first packet and the set-up of a file.
func vorbisHeaders(t testing.TB, name string) (head, setup []byte) {
	t.Helper()
	r := &oggReader{in: bufio.NewReader(bytes.NewReader(read(t, name)))}
	packets, err := r.headers(3)
	if err != nil {
		t.Fatal(err)
	}
	return packets[0], packets[2]
}

func TestVorbisSetupOfRealFiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"q0-8000.ogg", "q3-44100-2.ogg", "q6-48000.ogg", "q10-32000.ogg"} {
		_, setup := vorbisHeaders(t, name)
		if err := checkVorbisSetup(setup); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := checkVorbisSetup(setup[:len(setup)/2]); err == nil {
			t.Errorf("%s: half of its set-up passes", name)
		}
	}
}

// Each of these would cost the decoder memory or time without end.
func TestVorbisSetupRefuses(t *testing.T) {
	t.Parallel()
	book := func(w *bitWriter, dimensions, entries int) *bitWriter {
		return w.put(24, 0x564342).put(16, dimensions).put(24, entries)
	}
	start := func(books int) *bitWriter { return (&bitWriter{}).put(8, books-1) }
	// A book of two codes of one bit, and nothing to look up.
	small := func(w *bitWriter) *bitWriter { return book(w, 1, 2).put(2, 0).put(5, 0).put(5, 0).put(4, 0) }
	floor := func(w *bitWriter) *bitWriter { // without partitions
		return w.put(6, 0).put(16, 1).put(5, 0).put(3, 0).put(2, 0).put(8, 0).put(2, 0).put(4, 0)
	}
	good := func() *bitWriter { return small(start(1)).put(6, 0).put(16, 0) }
	residue := func(w *bitWriter, begin, end int) *bitWriter {
		return w.put(6, 0).put(16, 2).put(24, begin).put(24, end).put(24, 0).put(6, 0).put(8, 0).put(3, 1).put(1, 0).put(8, 0)
	}
	many := start(200)
	for range 200 {
		book(many, 1, 1<<16).put(1, 1).put(5, 15).put(17, 1<<16).put(4, 0)
	}
	for _, c := range []struct {
		name  string
		setup *bitWriter
		word  string // "": it passes
	}{
		{"small and right", residue(floor(good()), 0, 10), ""},
		{"no book", start(1).put(24, 1), "begins with 000001"},
		{"no dimensions", book(start(1), 0, 2), "0 numbers"},
		{"no entries", book(start(1), 1, 0), "0 entries"},
		{"one entry", book(start(1), 1, 1), "1 entries"},
		{"16 million entries", book(start(1), 1, 1<<24-1), "16777215 entries"},
		{"too many numbers", book(start(1), 65535, 1000), "65535 numbers"},
		{"ends in the codes", book(start(1), 1, 100000).put(2, 0), "ends early"},
		{"ends in ordered codes", book(start(1), 1, 100000).put(1, 1).put(5, 0), "ends early"},
		{"no codes at all", book(start(1), 1, 8).put(2, 2).put(8, 0), "no codes"},
		{"counts more than it has", book(start(1), 1, 5).put(1, 1).put(5, 0).put(3, 7), "counts 7"},
		{"codes of 33 bits", book(start(1), 1, 2).put(1, 1).put(5, 31).put(2, 0).put(2, 0).put(2, 2), "33 bits"},
		{"unknown kind of book", book(start(1), 1, 2).put(2, 0).put(10, 0).put(4, 3), "kind 3"},
		{"many large books", many, "1048576"},
		{"floor of the first kind", good().put(6, 0).put(16, 0), "floor of kind 0"},
		{"floor of 250 points", func() *bitWriter {
			w := good().put(6, 0).put(16, 1).put(5, 31)
			for range 31 {
				w.put(4, 0)
			}
			w.put(3, 7).put(2, 0).put(8, 0).put(2, 0).put(4, 1)
			return w.put(31*8, 0)
		}(), "250 points"},
		{"residue that ends before it begins", residue(floor(good()), 11, 10), "from 11 to 10"},
		{"residue with classes from no book", floor(good()).put(6, 0).put(16, 2).put(48, 0).put(24, 0).put(6, 0).put(8, 1).put(3, 0).put(1, 0), "book 1 of 1"},
		{"residue with values from no book", floor(good()).put(6, 0).put(16, 2).put(48, 0).put(24, 0).put(6, 0).put(8, 0).put(3, 1).put(1, 0).put(8, 7), "book 7 of 1"},
		{"entries longer than a partition", residue(floor(small(book(start(2), 2, 2).put(2, 0).put(10, 0).put(4, 0)).put(6, 0).put(16, 0)), 0, 10), "partitions of 1 takes values from book 0"},
		{"too many classes a word", residue(floor(book(start(1), 65, 2).put(2, 0).put(10, 0).put(4, 0).put(6, 0).put(16, 0)), 0, 10), "at most 64 numbers"},
		{"a root that the decoder gets wrong", book(start(1), 3, 27).put(2, 0).put(27*5, 0).put(4, 1).put(32, 0).put(32, 0).put(5, 0), "read 2 and not 3"},
		{"ends in a residue", floor(good()).put(6, 0).put(16, 2), "ends early"},
	} {
		err := checkVorbisSetup(append([]byte(vorbisSetupMark), c.setup.data...))
		if (err == nil) != (c.word == "") || err != nil && !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s: error %v, want one that says %q", c.name, err, c.word)
		}
	}
	if err := checkVorbisSetup([]byte("\x05vorbi")); err == nil {
		t.Error("no mark, no error")
	}
}

// Headers that claim what they like cost nothing.
func TestVorbisHeadRefuses(t *testing.T) {
	t.Parallel()
	head, setup := vorbisHeaders(t, "q3-44100-2.ogg")
	for _, c := range []struct {
		name   string
		change func(head []byte) []byte
		word   string
	}{
		{"as it is", func(h []byte) []byte { return h }, "no samples"},
		{"short", func(h []byte) []byte { return h[:29] }, "29 bytes"},
		{"version", func(h []byte) []byte { h[7] = 1; return h }, "version 1"},
		{"channels", func(h []byte) []byte { h[11] = 255; return h }, "255 channels"},
		{"rate", func(h []byte) []byte { h[15] = 0xFF; return h }, "sample rate of -"},
		{"blocks too long", func(h []byte) []byte { h[28] = 0xF8; return h }, "2^15"},
		{"blocks too short", func(h []byte) []byte { h[28] = 0xB0; return h }, "2^0"},
		{"blocks in the wrong order", func(h []byte) []byte { h[28] = 0x8B; return h }, "2^11 and 2^8"},
		{"no end mark", func(h []byte) []byte { h[29] = 0; return h }, "headers are damaged"},
	} {
		file := slicesOf(oggPageOf(oggFirst, 0, 1, 0, c.change(bytes.Clone(head))), oggPageOf(0, 0, 1, 1, []byte("\x03vorbis"), setup), oggPageOf(oggLast, 0, 1, 2))
		if _, err := decodeTrack(t.Context(), bytes.NewReader(file), MaxSamples); err == nil || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s: error %v, want one that says %q", c.name, err, c.word)
		}
	}
}
