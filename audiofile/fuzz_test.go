package audiofile

import (
	"bufio"
	"bytes"
	"math"
	"path/filepath"
	"testing"
)

// fuzzLimit keeps each input short.
const fuzzLimit = SampleRate / 2

// checkTrack is what holds for any file.
func checkTrack(t *testing.T, pcm []float32, err error) {
	t.Helper()
	if err != nil {
		if pcm != nil {
			t.Fatalf("%d samples with the error %v", len(pcm), err)
		}
		return
	}
	if len(pcm) == 0 || len(pcm) > fuzzLimit {
		t.Fatalf("%d samples", len(pcm))
	}
	for i, x := range pcm {
		if !(math.Abs(float64(x)) <= 1) {
			t.Fatalf("sample %d is %v", i, x)
		}
	}
}

// addGolden adds the first bytes of files of testdata.
func addGolden(f *testing.F, pattern string, n int) {
	f.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(names) == 0 {
		f.Fatalf("no files %s (%v)", pattern, err)
	}
	for _, name := range names {
		file := read(f, filepath.Base(name))
		f.Add(file[:min(len(file), n)])
	}
}

// fuzzDecoder has one decoder read whatever comes.
func fuzzDecoder(f *testing.F, decode func(*bufio.Reader, *mixer) error) {
	f.Helper()
	f.Fuzz(func(t *testing.T, file []byte) {
		out := newMixer(t.Context(), fuzzLimit)
		if err := decode(bufio.NewReaderSize(bytes.NewReader(file), headBytes), out); err != nil {
			return
		}
		pcm, err := out.finish()
		checkTrack(t, pcm, err)
	})
}

func FuzzDecodeTrack(f *testing.F) {
	for _, pattern := range []string{"u8*.wav", "*.flac", "cbr-1*.mp3", "q*.ogg", "*.opus"} {
		addGolden(f, pattern, 9000)
	}
	f.Add([]byte("ID3\x04\x00\x00\x00\x00\x02\x01"))
	f.Fuzz(func(t *testing.T, file []byte) {
		pcm, err := decodeTrack(t.Context(), bytes.NewReader(file), fuzzLimit)
		checkTrack(t, pcm, err)
	})
}

func FuzzDecodeWAVTrack(f *testing.F) {
	for _, body := range [][]byte{fmtBody(1, 1, 8000, 8), fmtBody(1, 2, 44100, 24), fmtBody(3, 8, 192000, 64), extensible(1, 1, 32, extensionTail)} {
		f.Add(riff(chunk("LIST", []byte("abc")), chunk("fmt ", body), chunk("data", make([]byte, 192))))
	}
	f.Add(append(wavHead(1, 1, 191999, 16), 1, 2, 3))
	fuzzDecoder(f, decodeWAVTrack)
}

func FuzzDecodeMP3(f *testing.F) {
	addGolden(f, "*.mp3", 1500)
	fuzzDecoder(f, decodeMP3)
}

func FuzzDecodeFLAC(f *testing.F) {
	addGolden(f, "*.flac", 9000)
	fuzzDecoder(f, decodeFLAC)
}

func FuzzDecodeOgg(f *testing.F) {
	addGolden(f, "*.ogg", 9000)
	addGolden(f, "*.opus", 9000)
	f.Add(slicesOf(oggPageOf(oggFirst, 0, 1, 0, opusHead(1, 0, 0, 0)), oggPageOf(0, 0, 1, 1, nil), oggPageOf(oggLast, 960, 1, 2, []byte{0xF8, 0xFF, 0xFE})))
	fuzzDecoder(f, decodeOgg)
}

// Checksums keep changed bytes away from what lies behind the pages; here they
// are right.
func fuzzPackets(f *testing.F, comments string) {
	f.Helper()
	f.Fuzz(func(t *testing.T, head, setup, sound, more []byte, granule int64) {
		if len(head)+len(setup)+len(sound)+len(more) > 200*255 {
			t.Skip()
		}
		headers := [][]byte{[]byte(comments)}
		if len(setup) > 0 {
			headers = append(headers, setup)
		}
		file := slicesOf(oggPageOf(oggFirst, 0, 1, 0, head), oggPageOf(0, 0, 1, 1, headers...),
			oggPageOf(0, granule, 1, 2, sound, more), oggPageOf(oggLast, granule+1000, 1, 3, more, sound))
		out := newMixer(t.Context(), fuzzLimit)
		if err := decodeOgg(bufio.NewReaderSize(bytes.NewReader(file), headBytes), out); err != nil {
			return
		}
		pcm, err := out.finish()
		checkTrack(t, pcm, err)
	})
}

// soundOf gives some packets of a file behind its headers.
func soundOf(f *testing.F, name string, headers int) [][]byte {
	f.Helper()
	r := &oggReader{in: bufio.NewReader(bytes.NewReader(read(f, name)))}
	if _, err := r.headers(headers); err != nil {
		f.Fatal(err)
	}
	page, err := r.next()
	if err != nil || len(page.packets) < 2 {
		f.Fatalf("%d packets, error %v", len(page.packets), err)
	}
	return page.packets
}

func FuzzVorbisPackets(f *testing.F) {
	for _, name := range []string{"q0-8000.ogg", "q3-44100-2.ogg", "q10-32000.ogg"} {
		head, setup := vorbisHeaders(f, name)
		sound := soundOf(f, name, 3)
		f.Add(head, setup, sound[0], sound[1], int64(500))
	}
	fuzzPackets(f, "\x03vorbis")
}

func FuzzOpusPackets(f *testing.F) {
	for _, name := range []string{"24k.opus", "96k-2.opus"} {
		sound := soundOf(f, name, 2)
		f.Add(opusHead(2, 312, -256, 0), []byte(nil), sound[0], sound[1], int64(960))
	}
	fuzzPackets(f, "OpusTags")
}
