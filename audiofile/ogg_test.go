package audiofile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"bucketbrigade/voice"
)

// oggPageOf is a page with packets that all end on it.
func oggPageOf(flags byte, granule int64, stream, number uint32, packets ...[]byte) []byte {
	var lengths, body []byte
	for _, packet := range packets {
		for range len(packet) / 255 {
			lengths = append(lengths, 255)
		}
		lengths = append(lengths, byte(len(packet)%255))
		body = append(body, packet...)
	}
	return rawPage(flags, granule, stream, number, lengths, body)
}

func rawPage(flags byte, granule int64, stream, number uint32, lengths, body []byte) []byte {
	page := append([]byte("OggS\x00"), flags)
	page = binary.LittleEndian.AppendUint64(page, uint64(granule))
	page = binary.LittleEndian.AppendUint32(page, stream)
	page = binary.LittleEndian.AppendUint32(page, number)
	page = append(page, 0, 0, 0, 0, byte(len(lengths)))
	page = append(page, lengths...)
	page = append(page, body...)
	binary.LittleEndian.PutUint32(page[22:], oggSum(0, page))
	return page
}

// pagesOf takes a file apart.
func pagesOf(t testing.TB, file []byte) [][]byte {
	t.Helper()
	var pages [][]byte
	for len(file) > 0 {
		size := oggHeadBytes + int(file[26])
		for _, length := range file[oggHeadBytes:size] {
			size += int(length)
		}
		pages = append(pages, file[:size])
		file = file[size:]
	}
	return pages
}

func opusHead(channels byte, skip uint16, gain int16, family byte) []byte {
	head := append([]byte(opusMark), 1, channels)
	head = binary.LittleEndian.AppendUint16(head, skip)
	head = binary.LittleEndian.AppendUint32(head, 48000)
	return append(binary.LittleEndian.AppendUint16(head, uint16(gain)), family)
}

func TestOggPackets(t *testing.T) {
	t.Parallel()
	head := opusHead(1, 0, 0, 0)
	long := bytes.Repeat([]byte{7}, 600)
	file := bytes.Join([][]byte{
		oggPageOf(oggFirst, 0, 8, 0, []byte("a picture")),
		oggPageOf(oggFirst, 0, 9, 0, head),
		oggPageOf(0, 0, 8, 1, []byte("more of it")),
		rawPage(0, -1, 9, 1, []byte{3, 255}, append([]byte("abc"), long[:255]...)),
		rawPage(oggContinued, -1, 9, 2, []byte{255}, long[:255]),
		rawPage(oggContinued, 5, 9, 3, []byte{90, 0, 2}, append(long[:90:90], 1, 2)),
		rawPage(oggLast, 7, 9, 4, nil, nil),
		oggPageOf(oggLast, 0, 8, 2, []byte("the last of it")),
	}, nil)
	r := &oggReader{in: bufio.NewReader(bytes.NewReader(file))}
	var got []string
	var granules []int64
	for {
		page, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		granules = append(granules, page.granule)
		for _, packet := range page.packets {
			got = append(got, string(packet))
		}
	}
	want := []string{string(head), "abc", string(long), "", "\x01\x02"}
	if len(got) != len(want) || len(granules) != 5 || granules[4] != 7 || !r.ended {
		t.Fatalf("%d packets, granules %v; want %d packets on 5 pages", len(got), granules, len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("packet %d is %q, want %q", i, got[i], want[i])
		}
	}
	if err := r.finish(); err != nil {
		t.Error(err)
	}
}

func TestOggRefuses(t *testing.T) {
	t.Parallel()
	first := oggPageOf(oggFirst, 0, 9, 0, opusHead(1, 0, 0, 0))
	tags := oggPageOf(0, 0, 9, 1, []byte("OpusTags"))
	silence := []byte{0xF8, 0xFF, 0xFE} // 20 ms
	last := oggPageOf(oggLast, 960, 9, 2, silence)
	good := bytes.Join([][]byte{first, tags, last}, nil)
	if pcm, err := decodeTrack(t.Context(), bytes.NewReader(good), MaxSamples); err != nil || len(pcm) != 960 {
		t.Fatalf("%d samples, error %v; want 960", len(pcm), err)
	}
	flipped := bytes.Clone(good)
	flipped[len(first)+30] ^= 4
	endless := slicesOf(first, rawPage(0, -1, 9, 1, []byte{8, 255}, append([]byte("OpusTags"), make([]byte, 255)...)))
	for number := range uint32(300) {
		endless = append(endless, rawPage(oggContinued, -1, 9, number+2, bytes.Repeat([]byte{255}, 255), make([]byte, 255*255))...)
	}
	for _, c := range []struct {
		name  string
		file  []byte
		words []string
	}{
		{"a bit changed", flipped, []string{"checksum", "damaged"}},
		{"a page missing", slicesOf(first, last), []string{"page 2", "where 1", "damaged"}},
		{"no page", slicesOf(first, tags, []byte("something else that is long enough")), []string{"Ogg page should", "damaged"}},
		{"no last page", slicesOf(first, tags), []string{"next Ogg page", "cut short"}},
		{"a packet broken off", slicesOf(first, tags, rawPage(0, -1, 9, 2, []byte{255}, make([]byte, 255)), oggPageOf(oggLast, 960, 9, 3, silence)), []string{"page 3", "breaks"}},
		{"goes on with nothing", slicesOf(first, tags, oggPageOf(oggLast|oggContinued, 960, 9, 2, silence)), []string{"page 2", "goes on"}},
		{"a packet without end", endless, []string{"16777216", "damaged"}},
		{"pictures only", slicesOf(oggPageOf(oggFirst, 0, 9, 0, []byte("\x80theora")), oggPageOf(oggLast, 0, 9, 1, []byte("x"))), []string{"without a Vorbis or Opus"}},
		{"another file first", slicesOf(oggPageOf(oggFirst|oggLast, 0, 8, 0, []byte("x")), oggPageOf(0, 0, 8, 1, []byte("x")), good), []string{"without a Vorbis or Opus"}},
		{"another file behind", slicesOf(good, good), []string{"several Ogg streams"}},
		{"sound among the headers", slicesOf(first, oggPageOf(oggLast, 960, 9, 1, []byte("OpusTags"), silence)), []string{"headers"}},
		{"Opus head too short", slicesOf(oggPageOf(oggFirst, 0, 9, 0, []byte("OpusHead\x01\x01"))), []string{"10 bytes", "19"}},
		{"surround", slicesOf(oggPageOf(oggFirst, 0, 9, 0, opusHead(6, 0, 0, 1))), []string{"6 channels", "family 1", "mix it down"}},
		{"no channels", slicesOf(oggPageOf(oggFirst, 0, 9, 0, opusHead(0, 0, 0, 0))), []string{"0 channels"}},
		{"later version", slicesOf(oggPageOf(oggFirst, 0, 9, 0, append([]byte("OpusHead\x10"), opusHead(1, 0, 0, 0)[9:]...))), []string{"version 16"}},
		{"no Opus packet", slicesOf(first, tags, oggPageOf(oggLast, 960, 9, 2, []byte{0xFF, 0xFF, 0})), []string{"Opus packet of 3 bytes", "damaged"}},
		{"empty Opus packet", slicesOf(first, tags, oggPageOf(oggLast, 960, 9, 2, nil)), []string{"Opus packet of 0 bytes"}},
		{"nothing but pre-skip", slicesOf(oggPageOf(oggFirst, 0, 9, 0, opusHead(1, 960, 0, 0)), tags, last), []string{"no samples"}},
	} {
		pcm, err := decodeTrack(t.Context(), bytes.NewReader(c.file), MaxSamples)
		if err == nil || pcm != nil {
			t.Errorf("%s: %d samples, error %v; want only an error", c.name, len(pcm), err)
			continue
		}
		for _, word := range c.words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %q does not say %q", c.name, err, word)
			}
		}
	}
}

func slicesOf(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestTrimmer(t *testing.T) {
	t.Parallel()
	type step struct {
		n, granule int64
		last       bool
		from, to   int64
	}
	for _, c := range []struct {
		name  string
		skip  int64
		steps []step
	}{
		{"Opus", 312, []step{{48000, 48000, false, 312, 48000}, {960, 48500, true, 0, 500}}},
		{"pre-skip longer than a page", 1000, []step{{960, 960, false, 960, 960}, {960, 1920, false, 40, 960}, {960, 2880, true, 0, 960}}},
		{"begins later", 312, []step{{960, 10960, false, 312, 960}, {960, 11500, true, 0, 540}}},
		{"one page", 312, []step{{960, 700, true, 312, 700}}},
		{"all skipped", 800, []step{{960, 700, true, 700, 700}}},
		{"Vorbis cut in front", 0, []step{{1000, 900, false, 100, 1000}, {1000, 1500, true, 0, 600}}},
		{"no granule", 0, []step{{1000, -1, false, 0, 1000}, {1000, 2000, false, 0, 1000}, {0, -1, true, 0, 0}}},
		{"the end is told by an empty page", 0, []step{{1000, 1000, false, 0, 1000}, {0, 900, true, 0, 0}}},
		{"claims more than there is", 0, []step{{1000, 1000, false, 0, 1000}, {1000, 1 << 62, true, 0, 1000}}},
		{"claims less than nothing", 0, []step{{1000, 1000, false, 0, 1000}, {1000, 10, true, 0, 0}}},
	} {
		trim := trimmer{skip: c.skip}
		for i, s := range c.steps {
			from, to := trim.page(s.n, oggPage{granule: s.granule, last: s.last})
			if from != s.from || to != s.to {
				t.Errorf("%s, page %d: [%d, %d), want [%d, %d)", c.name, i, from, to, s.from, s.to)
			}
		}
	}
}

// The gain in the header is applied: what it lifts out of the noise is measured.
func TestOpusGain(t *testing.T) {
	t.Parallel()
	pages := pagesOf(t, read(t, "96k-2.opus"))
	levelOf := func(gain int16) float64 {
		head := bytes.Clone(pages[0][oggHeadBytes+1:])
		binary.LittleEndian.PutUint16(head[16:], uint16(gain))
		file := oggPageOf(oggFirst, 0, binary.LittleEndian.Uint32(pages[0][14:]), 0, head)
		in := bufio.NewReader(bytes.NewReader(append(file, bytes.Join(pages[1:], nil)...)))
		out := newMixer(t.Context(), MaxSamples)
		if err := decodeOgg(in, out); err != nil {
			t.Fatal(err)
		}
		return loudness(out.pcm.join())
	}
	if plain, less := levelOf(0), levelOf(-6*256); plain-less < 5.99 || plain-less > 6.01 {
		t.Errorf("a gain of -6 dB changes %.2f LUFS to %.2f", plain, less)
	}
}

// A file that was cut out of a longer one begins late, and loses nothing.
func TestOpusThatBeginsLate(t *testing.T) {
	t.Parallel()
	file := bytes.Clone(read(t, "24k.opus"))
	for _, page := range pagesOf(t, file)[2:] {
		if granule := int64(binary.LittleEndian.Uint64(page[6:])); granule >= 0 {
			binary.LittleEndian.PutUint64(page[6:], uint64(granule+480000))
		}
		clear(page[22:26])
		binary.LittleEndian.PutUint32(page[22:], oggSum(0, page))
	}
	pcm, err := decodeTrack(t.Context(), bytes.NewReader(file), MaxSamples)
	if err != nil {
		t.Fatal(err)
	}
	// With one page of sound there is no telling that it begins late.
	if lag, corr := voice.Align(pcm, sweep(1), 6000); lag != 0 || corr < 0.98 {
		t.Errorf("%d samples, %d late, correlation %.3f", len(pcm), lag, corr)
	}
}
