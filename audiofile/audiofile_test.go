package audiofile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// chunk is one chunk with its padding.
func chunk(id string, body []byte) []byte {
	out := append([]byte(id), binary.LittleEndian.AppendUint32(nil, uint32(len(body)))...)
	out = append(out, body...)
	if len(body)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

// riff is a file of chunks.
func riff(chunks ...[]byte) []byte {
	body := slices.Concat(append([][]byte{[]byte("WAVE")}, chunks...)...)
	return slices.Concat([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body)
}

// fmtBody is the body of a format chunk.
func fmtBody(code, channels, rate, bits int) []byte {
	little := binary.LittleEndian
	frame := channels * bits / 8
	out := little.AppendUint16(nil, uint16(code))
	out = little.AppendUint16(out, uint16(channels))
	out = little.AppendUint32(out, uint32(rate))
	out = little.AppendUint32(out, uint32(rate*frame))
	out = little.AppendUint16(out, uint16(frame))
	return little.AppendUint16(out, uint16(bits))
}

// extensible is the body of an extended format chunk.
func extensible(code, channels, bits int, tail string) []byte {
	out := fmtBody(codeExtensible, channels, SampleRate, bits)
	out = append(out, 22, 0, byte(bits), 0, 0, 0, 0, 0, byte(code), 0)
	return append(out, tail...)
}

func floatBytes(samples ...float32) []byte {
	var out []byte
	for _, x := range samples {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
	}
	return out
}

func TestDecodeKinds(t *testing.T) {
	t.Parallel()
	const step16, step24, step32 = 1.0 / (1 << 15), 1.0 / (1 << 23), 1.0 / (1 << 31)
	for _, c := range []struct {
		name string
		file []byte
		want []float32
	}{
		{"16 bits", riff(chunk("fmt ", fmtBody(1, 1, 48000, 16)), chunk("data", []byte{0, 0, 1, 0, 0xFF, 0xFF, 0xFF, 0x7F, 0, 0x80})),
			[]float32{0, step16, -step16, 1 - step16, -1}},
		{"24 bits", riff(chunk("fmt ", fmtBody(1, 1, 48000, 24)), chunk("data", []byte{1, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0, 0, 0x80})),
			[]float32{step24, -step24, 1 - step24, -1}},
		{"32 bits", riff(chunk("fmt ", fmtBody(1, 1, 48000, 32)), chunk("data", []byte{1, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0x80})),
			[]float32{step32, 0.5, -1}},
		{"floats", riff(chunk("fmt ", fmtBody(3, 1, 48000, 32)), chunk("data", floatBytes(0.25, -3))),
			[]float32{0.25, -3}},
		{"stereo 16", riff(chunk("fmt ", fmtBody(1, 2, 48000, 16)), chunk("data", []byte{0, 0x40, 0, 0x20, 0, 0x80, 0, 0x80})),
			[]float32{0.375, -1}},
		{"stereo 24", riff(chunk("fmt ", fmtBody(1, 2, 48000, 24)), chunk("data", []byte{0, 0, 0x40, 0, 0, 0xC0})),
			[]float32{0}},
		{"stereo floats near overflow", riff(chunk("fmt ", fmtBody(3, 2, 48000, 32)), chunk("data", floatBytes(math.MaxFloat32, math.MaxFloat32))),
			[]float32{math.MaxFloat32}},
		{"extended integers", riff(chunk("fmt ", extensible(1, 1, 16, extensionTail)), chunk("data", []byte{0, 0x40})), []float32{0.5}},
		{"extended floats", riff(chunk("fmt ", extensible(3, 1, 32, extensionTail)), chunk("data", floatBytes(0.5))), []float32{0.5}},
		{"other chunks, one of odd size", riff(chunk("LIST", []byte("abc")), chunk("fmt ", append(fmtBody(1, 1, 48000, 16), 0, 0)), chunk("fact", nil),
			chunk("data", []byte{0, 0x40}), chunk("id3 ", []byte("x"))), []float32{0.5}},
		{"format chunk of odd size", riff(chunk("fmt ", append(fmtBody(1, 1, 48000, 16), 0)), chunk("data", []byte{0, 0x40})), []float32{0.5}},
		{"format chunk of odd and great size", riff(chunk("fmt ", append(extensible(1, 1, 16, extensionTail), 1, 2, 3)), chunk("data", []byte{0, 0x40})), []float32{0.5}},
		{"no samples", riff(chunk("fmt ", fmtBody(1, 1, 48000, 16)), chunk("data", nil)), nil},
		{"from a pipe", slices.Concat(riff(chunk("fmt ", fmtBody(1, 1, 48000, 16))), []byte("data\xff\xff\xff\xff\x00\x40\x00\x20\x01")), []float32{0.5, 0.25}},
	} {
		got, err := DecodeWAV(bytes.NewReader(c.file))
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	good := chunk("fmt ", fmtBody(1, 1, 48000, 16))
	samples := chunk("data", []byte{1, 2, 3, 4})
	dataOf := func(size uint32) []byte { return binary.LittleEndian.AppendUint32([]byte("data"), size) }
	damagedFrame := fmtBody(1, 1, 48000, 16)
	damagedFrame[12] = 0
	for _, c := range []struct {
		name  string
		file  []byte
		words []string // that the error must say
	}{
		{"empty", nil, []string{"cut short"}},
		{"an mp3", []byte("ID3\x04aaaaaaaaaaaaaaaa"), []string{"RIFF", "convert"}},
		{"big endian", append([]byte("RIFX"), riff(good, samples)[4:]...), []string{"RIFX"}},
		{"other rate", riff(chunk("fmt ", fmtBody(1, 1, 44100, 16)), samples), []string{"44100", "48000", "convert"}},
		{"eight bits", riff(chunk("fmt ", fmtBody(1, 1, 48000, 8)), samples), []string{"8 bits", "16, 24 or 32"}},
		{"doubles", riff(chunk("fmt ", fmtBody(3, 1, 48000, 64)), samples), []string{"64 bits"}},
		{"floats of 16 bits", riff(chunk("fmt ", fmtBody(3, 1, 48000, 16)), samples), []string{"code 3", "16 bits"}},
		{"A-law", riff(chunk("fmt ", fmtBody(6, 1, 48000, 8)), samples), []string{"code 6"}},
		{"no channel", riff(chunk("fmt ", fmtBody(1, 0, 48000, 16)), samples), []string{"0 channels", "1 or 2"}},
		{"surround", riff(chunk("fmt ", fmtBody(1, 6, 48000, 16)), samples), []string{"6 channels"}},
		{"frame size", riff(chunk("fmt ", damagedFrame), samples), []string{"0 bytes", "damaged"}},
		{"unknown extension", riff(chunk("fmt ", extensible(1, 1, 16, strings.Repeat("x", 14))), samples), []string{"extended"}},
		{"extension missing", riff(chunk("fmt ", fmtBody(codeExtensible, 1, 48000, 16)), samples), []string{"extended", "16 bytes"}},
		{"format too short", riff(chunk("fmt ", make([]byte, 14)), samples), []string{"14 bytes", "16"}},
		{"format missing", riff(samples), []string{"before their format"}},
		{"samples missing", riff(good), []string{"data", "cut short"}},
		{"cut short", slices.Concat(riff(good), dataOf(100), []byte{1, 2, 3, 4}), []string{"100 bytes", "cut short"}},
		{"cut in a chunk", slices.Concat(riff(good), []byte("LIST\xf0\xff\xff\xffabc")), []string{"cut short"}},
		{"half a sample", slices.Concat(riff(good), dataOf(3), []byte{1, 2, 3}), []string{"3 bytes", "2 bytes"}},
		{"an hour and a sample", slices.Concat(riff(good), dataOf(2*MaxSamples+2)), []string{"172800001", "172800000", "60 minutes"}},
		{"not a number", riff(chunk("fmt ", fmtBody(3, 1, 48000, 32)), chunk("data", floatBytes(0, float32(math.NaN())))), []string{"sample 1", "NaN"}},
		{"infinite", riff(chunk("fmt ", fmtBody(3, 1, 48000, 32)), chunk("data", floatBytes(float32(math.Inf(-1))))), []string{"sample 0", "Inf"}},
	} {
		pcm, err := DecodeWAV(bytes.NewReader(c.file))
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

// endless is a file written to a pipe that never ends.
type endless struct{ head *bytes.Reader }

func (e endless) Read(p []byte) (int, error) {
	if n, err := e.head.Read(p); err == nil {
		return n, nil
	}
	clear(p)
	return len(p), nil
}

func TestDecodeEndsAnEndlessFile(t *testing.T) {
	t.Parallel()
	head := slices.Concat(riff(chunk("fmt ", fmtBody(1, 1, 48000, 16))), []byte("data\xff\xff\xff\xff"))
	_, err := decodeWAV(endless{bytes.NewReader(head)}, 60*SampleRate)
	if err == nil || !strings.Contains(err.Error(), "2880000, 1 minutes") {
		t.Errorf("error %v, want one that allows 2880000 samples", err)
	}
}

func TestReadErrorsNameTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "slow.wav")
	file := riff(chunk("fmt ", fmtBody(1, 1, 44100, 16)), chunk("data", nil))
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadWAV(path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "44100") {
		t.Errorf("error %v, want one that names %s and 44100", err, path)
	}
	if _, err := ReadWAV(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v for a file that is not there", err)
	}
}

func TestEncodeGolden(t *testing.T) {
	t.Parallel()
	const want = "RIFF\x36\x00\x00\x00WAVE" +
		"fmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\xbb\x00\x00\x00\x77\x01\x00\x02\x00\x10\x00" +
		"data\x12\x00\x00\x00" +
		"\x00\x00" + "\x00\x40" + "\x00\xc0" + // 0, 0.5, -0.5
		"\xff\x7f" + "\x00\x80" + // 1, -1
		"\xff\x7f" + "\x00\x80" + // 7 and -Inf are clipped
		"\x01\x00" + "\x00\x00" // 0.6 and 0.4 steps are rounded
	var got bytes.Buffer
	err := EncodeWAV(&got, []float32{0, 0.5, -0.5, 1, -1, 7, float32(math.Inf(-1)), 0.6 / 32768, 0.4 / 32768})
	if err != nil || got.String() != want {
		t.Errorf("error %v, wrote\n% x, want\n% x", err, got.Bytes(), want)
	}
}

func TestWriteReplacesWholeFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "song.wav")
	for _, pcm := range [][]float32{make([]float32, 100000), {0.25, -0.25, 32767.0 / 32768}} {
		if err := WriteWAV(path, pcm); err != nil {
			t.Fatal(err)
		}
		got, err := ReadWAV(path)
		if err != nil || !slices.Equal(got, pcm) {
			t.Fatalf("%d samples come back as %d, error %v", len(pcm), len(got), err)
		}
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteWAV(path, []float32{0, float32(math.NaN())}); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "sample 1") {
		t.Errorf("error %v, want one that names %s and sample 1", err, path)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("a write that failed changed the file (%v)", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, want 0644 (%v)", info.Mode(), err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%d files are left, want 1 (%v)", len(entries), err)
	}
}

func TestWriteFailsWhereItCannot(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing", "song.wav")
	if err := WriteWAV(missing, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want one of a folder that is not there", err)
	}
	if err := EncodeWAV(full{}, make([]float32, 1<<17)); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("error %v from a full disk", err)
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestBitsSurviveTheRoundTrip(t *testing.T) {
	t.Parallel()
	var body []byte
	for x := math.MinInt16; x <= math.MaxInt16; x++ {
		body = binary.LittleEndian.AppendUint16(body, uint16(int16(x)))
	}
	file := riff(chunk("fmt ", fmtBody(1, 1, 48000, 16)), chunk("data", body))
	pcm, err := DecodeWAV(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := EncodeWAV(&again, pcm); err != nil || !bytes.Equal(again.Bytes(), file) {
		t.Errorf("65536 sample values do not come back as they were (%v)", err)
	}
}

func FuzzDecodeWAV(f *testing.F) {
	for _, body := range [][]byte{fmtBody(1, 1, 48000, 16), fmtBody(1, 2, 48000, 24), fmtBody(3, 2, 48000, 32), extensible(1, 1, 32, extensionTail)} {
		file := riff(chunk("LIST", []byte("abc")), chunk("fmt ", body), chunk("data", make([]byte, 24)))
		f.Add(file)
		f.Add(file[:len(file)-5])
	}
	f.Add(slices.Concat(riff(chunk("fmt ", fmtBody(1, 1, 48000, 16))), []byte("data\xff\xff\xff\xff\x00\x40")))
	f.Add(slices.Concat(riff(chunk("fmt ", fmtBody(1, 1, 48000, 16))), []byte("data\x00\x98\x99\x14")))
	f.Fuzz(func(t *testing.T, file []byte) {
		pcm, err := DecodeWAV(bytes.NewReader(file))
		if err != nil {
			if pcm != nil {
				t.Fatalf("samples with the error %v", err)
			}
			return
		}
		if 2*len(pcm) > len(file) || cap(pcm) > 2*len(file) {
			t.Fatalf("%d samples, room for %d, from %d bytes", len(pcm), cap(pcm), len(file))
		}
		for i, x := range pcm {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				t.Fatalf("sample %d is %v", i, x)
			}
		}
		var out bytes.Buffer
		if err := EncodeWAV(&out, pcm); err != nil {
			t.Fatal(err)
		}
		again, err := DecodeWAV(&out)
		if err != nil || len(again) != len(pcm) {
			t.Fatalf("%d samples written come back as %d: %v", len(pcm), len(again), err)
		}
	})
}
