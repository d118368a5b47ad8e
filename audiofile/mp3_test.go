package audiofile

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"bucketbrigade/voice"
)

func TestParseMP3Header(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		raw  string
		rate int
		mono bool
		size int // 0: no header
	}{
		{"\xFF\xFB\x90\x00", 44100, false, 417},
		{"\xFF\xFB\x92\x00", 44100, false, 418},
		{"\xFF\xFA\xE4\xC0", 48000, true, 960},
		{"\xFF\xFB\xE8\x40", 32000, false, 1440},
		{"\xFF\xF3\x42\xC0", 22050, true, 105},
		{"\xFF\xF3\x40\xC0", 22050, true, 104},
		{"\xFF\xE3\x20\xC0", 11025, true, 104},
		{"\xFF\xE3\x18\xC0", 8000, true, 72},
		{"\xFF\xFB\x00\x00", 0, false, 0}, // free format
		{"\xFF\xFB\xF0\x00", 0, false, 0},
		{"\xFF\xFB\x9C\x00", 0, false, 0}, // no such rate
		{"\xFF\xEB\x90\x00", 0, false, 0}, // no such version
		{"\xFF\xFD\x90\x00", 0, false, 0}, // layer II
		{"\xFF\xFB\x90\x02", 0, false, 0}, // no such emphasis
		{"\xFF\x1B\x90\x00", 0, false, 0},
		{"\xFF\xFB\x90", 0, false, 0},
	} {
		h, ok := parseMP3Header([]byte(c.raw))
		if ok != (c.size > 0) || ok && (h.rate != c.rate || h.mono != c.mono || h.size != c.size) {
			t.Errorf("% x: %v, %d Hz, mono %v, %d bytes; want %d Hz, %v, %d", c.raw, ok, h.rate, h.mono, h.size, c.rate, c.mono, c.size)
		}
	}
}

// Every frame that comes out is whole, has the size its header says and the sound
// that went in.
func TestPackerKeepsTheSound(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"bare-44100.mp3", "vbr-48000.mp3", "crc-44100-2.mp3", "cbr-22050.mp3", "cbr-22050-2.mp3", "cbr-12000-2.mp3"} {
		frames, err := newMP3Frames(bufio.NewReaderSize(bytes.NewReader(read(t, name)[2500:]), headBytes))
		if err != nil {
			t.Fatal(err)
		}
		var sounds [][]byte // of the frames as they are in the file
		var packed []byte
		var p, q mp3Packer
		for {
			h, frame, err := frames.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			side := bytes.Clone(frame[h.sideInfoAt():h.mainDataAt()])
			sound, err := q.sound(h, side, frame[h.mainDataAt():])
			if err != nil {
				t.Fatal(err)
			}
			sounds = append(sounds, sound)
			done, err := p.push(h, frame)
			if err != nil {
				t.Fatal(err)
			}
			packed = append(packed, done...)
		}
		packed = append(packed, p.last()...)
		again, err := newMP3Frames(bufio.NewReaderSize(bytes.NewReader(packed), headBytes))
		if err != nil {
			t.Fatal(err)
		}
		var r mp3Packer
		n := 0
		for ; ; n++ {
			h, frame, err := again.next()
			if err != nil {
				break
			}
			if h.checksum || h.version == mpeg25 {
				t.Fatalf("%s: frame %d comes out with the header % x", name, n, h.raw)
			}
			sound, err := r.sound(h, bytes.Clone(frame[h.sideInfoAt():h.mainDataAt()]), frame[h.mainDataAt():])
			if err != nil || !bytes.Equal(sound, sounds[n]) {
				t.Fatalf("%s: frame %d has %d bytes of sound, want %d (%v)", name, n, len(sound), len(sounds[n]), err)
			}
		}
		if n != len(sounds) || n < 3 || len(packed) == 0 || frames.at == 0 {
			t.Errorf("%s: %d frames come out of %d", name, n, len(sounds))
		}
	}
}

// A piece from the middle of a file decodes but for its first frames, whose sound
// begins before it.
func TestMP3FromTheMiddle(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"bare-44100.mp3", "cbr-22050-2.mp3"} {
		file := read(t, name)
		pcm, err := decodeTrack(t.Context(), bytes.NewReader(file[len(file)/2:]), MaxSamples)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, corr := voice.Align(pcm[4800:], sweep(1), 60000); corr < 0.98 || len(pcm) < 20000 {
			t.Errorf("%s: half of it is %d samples with a correlation of %.3f", name, len(pcm), corr)
		}
	}
}

// Tags and odd bytes around the sound do not matter, and what stands between two
// frames must be a tag.
func TestMP3Surroundings(t *testing.T) {
	t.Parallel()
	file := read(t, "bare-44100.mp3")
	plain, err := decodeTrack(t.Context(), bytes.NewReader(file), MaxSamples)
	if err != nil {
		t.Fatal(err)
	}
	first, _ := parseMP3Header(file)
	second, ok := parseMP3Header(file[first.size:])
	if !ok {
		t.Fatal("no two frames at the beginning")
	}
	two := first.size + second.size
	tag := []byte("ID3\x04\x00\x00\x00\x00\x00\x03abc")
	for _, c := range []struct {
		name string
		file []byte
	}{
		{"padding in front", append(make([]byte, 3000), file...)},
		{"ID3v1", append(bytes.Clone(file), "TAG and so on"...)},
		{"APE", slices.Concat(file, []byte("APETAGEX"), make([]byte, 2*headBytes))},
		{"odd bytes at the end", append(bytes.Clone(file), make([]byte, 1000)...)},
		{"part of a frame at the end", append(bytes.Clone(file), file[:200]...)},
		{"a tag in between", slices.Concat(file[:two], tag, file[two:])},
	} {
		pcm, err := decodeTrack(t.Context(), bytes.NewReader(c.file), MaxSamples)
		if err != nil || !slices.Equal(pcm, plain) {
			t.Errorf("%s: %d samples, want %d: %v", c.name, len(pcm), len(plain), err)
		}
	}
	lost := slices.Concat(file[:two], make([]byte, 2*headBytes), file[two:])
	if _, err := decodeTrack(t.Context(), bytes.NewReader(append(file[:len(file):len(file)], lost...)), MaxSamples); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("error %v for much that is no frame", err)
	}
}

func TestReadMP3Note(t *testing.T) {
	t.Parallel()
	note := func(mark string, flags byte, delays string) []byte {
		frame := append([]byte("\xFF\xFB\x90\x00"), make([]byte, 32)...)
		frame = append(frame, mark...)
		frame = append(frame, 0, 0, 0, flags)
		size := 0
		for bit, n := range []int{4, 4, 100, 4} {
			if flags>>bit&1 != 0 {
				size += n
			}
		}
		frame = append(frame, make([]byte, size+21)...)
		return append(frame, delays...)
	}
	for _, c := range []struct {
		name        string
		frame       []byte
		isNote      bool
		front, back int
	}{
		{"all parts", note("Xing", 15, "\x24\x04\x58"), true, 576 + 529, 0x458 - 529},
		{"one part", note("Info", 1, "\x24\x04\x58"), true, 576 + 529, 0x458 - 529},
		{"little padding", note("Info", 1, "\x24\x00\x10"), true, 576 + 529, 0},
		{"a name without numbers", note("Info", 1, "\x00\x00\x00"), true, 0, 0},
		{"no name", note("Info", 1, ""), true, 0, 0},
		{"the other kind", note("VBRI", 0, ""), true, 0, 0},
		{"sound", note("abcd", 1, "\x24\x04\x58"), false, 0, 0},
	} {
		h, _ := parseMP3Header(c.frame)
		isNote, front, back := readMP3Note(h, c.frame)
		if isNote != c.isNote || front != c.front || back != c.back {
			t.Errorf("%s: %v, %d, %d; want %v, %d, %d", c.name, isNote, front, back, c.isNote, c.front, c.back)
		}
	}
}
