package audiofile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bucketbrigade/voice"
)

// sweep is what is in the files of testdata, at 48 kHz: a sine that goes from
// 300 to 3300 Hz within the file.
func sweep(seconds float64) []float32 {
	pcm := make([]float32, int(math.Round(seconds*SampleRate)))
	for i := range pcm {
		t := float64(i) / SampleRate
		pcm[i] = float32(math.Sin(2 * math.Pi * (300*t + 1500*t*t/seconds)))
	}
	return pcm
}

// golden are all files of testdata that are tracks. Length and lag are exact
// where nothing is said.
var golden = []struct {
	name      string
	seconds   float64
	late      int     // in samples
	longer    int     // in samples
	tolerance int     // of lag, in samples
	corr      float64 // at least
}{
	{name: "u8-8000.wav", seconds: 1, corr: 0.999},
	{name: "s16-16000-8.wav", seconds: 0.1, corr: 0.999},
	{name: "s16-44100-2.wav", seconds: 0.1, corr: 0.999},
	{name: "s16-192000.wav", seconds: 0.05, corr: 0.999},
	{name: "s24-96000.wav", seconds: 0.1, corr: 0.999},
	{name: "s32-22050.wav", seconds: 0.2, corr: 0.999},
	{name: "f32-32000.wav", seconds: 0.2, corr: 0.999},
	{name: "f64-48000.wav", seconds: 0.05, corr: 0.999},
	{name: "s16-44100-2.flac", seconds: 0.25, corr: 0.999},
	{name: "s24-96000.flac", seconds: 0.1, corr: 0.999},
	{name: "cbr-44100-2.mp3", seconds: 1, corr: 0.99},
	{name: "cbr192-44100.mp3", seconds: 1, corr: 0.99},
	{name: "vbr-48000.mp3", seconds: 1, corr: 0.99},
	{name: "vbr-32000-2.mp3", seconds: 1, corr: 0.99},
	// No note on the encoder: its 576 samples and the decoder's 529 stay.
	{name: "cbr-22050.mp3", seconds: 1, corr: 0.99, late: 2405, longer: 3409, tolerance: 2},
	{name: "cbr-22050-2.mp3", seconds: 1, corr: 0.99},
	{name: "vbr-24000.mp3", seconds: 1, corr: 0.99},
	{name: "cbr-16000-2.mp3", seconds: 1, corr: 0.99},
	{name: "cbr-11025.mp3", seconds: 1, corr: 0.98, late: 4810, longer: 7171, tolerance: 2},
	{name: "cbr-12000-2.mp3", seconds: 1, corr: 0.98},
	{name: "crc-44100-2.mp3", seconds: 1, corr: 0.99},
	{name: "bare-44100.mp3", seconds: 1, corr: 0.99, late: 1203, longer: 2156, tolerance: 2},
	{name: "q0-8000.ogg", seconds: 1, corr: 0.98},
	{name: "q3-44100-2.ogg", seconds: 1, corr: 0.99},
	{name: "q6-48000.ogg", seconds: 1, corr: 0.99},
	{name: "q10-32000.ogg", seconds: 1, corr: 0.99},
	{name: "24k.opus", seconds: 1, corr: 0.98},
	{name: "96k-2.opus", seconds: 1, corr: 0.99},
}

func TestReadGolden(t *testing.T) {
	t.Parallel()
	for _, c := range golden {
		pcm, err := ReadTrack(filepath.Join("testdata", c.name))
		if err != nil {
			t.Error(err)
			continue
		}
		want := sweep(c.seconds)
		if got := len(pcm) - c.longer; got != len(want) {
			t.Errorf("%s: %d samples, want %d", c.name, got, len(want))
		}
		lag, corr := voice.Align(pcm, want, 6000)
		if corr < c.corr || lag < c.late-c.tolerance || lag > c.late+c.tolerance {
			t.Errorf("%s: found %d samples late with a correlation of %.4f, want %d±%d and %.3f", c.name, lag, corr, c.late, c.tolerance, c.corr)
		}
		if loud := loudness(pcm); math.Abs(loud-trackLoudness) > 0.1 {
			t.Errorf("%s: %.2f LUFS, want %v", c.name, loud, trackLoudness)
		}
	}
}

// Before the level is set it is that of the encoder's input: in the middle of the
// file the sine has half of full scale, 3/8 where the right channel has half of
// the left one, and lies around 0. Lame turns down by 5 % what it codes at a fixed
// bit rate.
func TestLevelBeforeItIsSet(t *testing.T) {
	t.Parallel()
	for _, c := range golden {
		want := 0.5
		if strings.Contains(c.name, "-2.") {
			want = 0.375
		}
		out := newMixer(t.Context(), MaxSamples)
		if err := mixTrack(bytes.NewReader(read(t, c.name)), out); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		pcm := out.pcm.join()
		pcm = pcm[len(pcm)/3 : 2*len(pcm)/3]
		var sum, power float64
		for _, x := range pcm {
			sum += float64(x)
			power += float64(x) * float64(x)
		}
		mean, got := sum/float64(len(pcm)), math.Sqrt(2*power/float64(len(pcm)))
		if math.Abs(got/want-1) > 0.06 || math.Abs(mean) > 0.003 {
			t.Errorf("%s: amplitude %.4f around %.4f, want %v around 0", c.name, got, mean, want)
		}
	}
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// endlessOf goes on with one pattern of bytes for ever.
type endlessOf struct {
	head    *bytes.Reader
	pattern []byte
	at      int
}

func (e *endlessOf) Read(p []byte) (int, error) {
	if n, err := e.head.Read(p); err == nil {
		return n, nil
	}
	for i := range p {
		p[i] = e.pattern[e.at]
		e.at = (e.at + 1) % len(e.pattern)
	}
	return len(p), nil
}

// wavHead is that of a WAV file written to a pipe.
func wavHead(code, channels, rate, bits int) []byte {
	return append(riff(chunk("fmt ", fmtBody(code, channels, rate, bits))), "data\xff\xff\xff\xff"...)
}

func TestDecodeTrackRefuses(t *testing.T) {
	t.Parallel()
	wav := func(code, channels, rate, bits int, body []byte) []byte {
		return riff(chunk("fmt ", fmtBody(code, channels, rate, bits)), chunk("data", body))
	}
	flac := read(t, "s16-44100-2.flac")
	broken := bytes.Clone(flac)
	broken[len(broken)/2] ^= 1
	mp3 := read(t, "bare-44100.mp3")
	holed := append(bytes.Clone(mp3[:3000]), mp3[3400:]...)
	for _, c := range []struct {
		name  string
		file  []byte
		words []string // that the error must say
	}{
		{"empty", nil, []string{"no sound", "no bytes"}},
		{"tag only", []byte("ID3\x04\x00\x00\x00\x00\x00\x02ab"), []string{"no sound"}},
		{"tag cut short", []byte("ID3\x04\x00\x00\x00\x00\x02\x01ab"), []string{"ID3 tag of 267 bytes", "cut short"}},
		{"text", []byte("Once upon a time there was a song"), []string{"neither WAV, MP3, FLAC, Ogg Vorbis nor Ogg Opus", "4f 6e 63 65", "convert"}},
		{"one byte", []byte{0xFF}, []string{"neither", "ff"}},
		{"rate too low", wav(1, 1, 7999, 16, []byte{1, 2}), []string{"7999", "8000", "192000"}},
		{"rate too high", wav(1, 1, 192001, 16, []byte{1, 2}), []string{"192001", "192000"}},
		{"no channel", wav(1, 0, 48000, 16, []byte{1, 2}), []string{"0 channels", "1 to 8"}},
		{"nine channels", wav(1, 9, 48000, 16, make([]byte, 18)), []string{"9 channels", "1 to 8"}},
		{"12 bits", wav(1, 1, 48000, 12, []byte{1, 2}), []string{"12 bits", "8, 16, 24 or 32"}},
		{"half a frame", wav(1, 2, 48000, 16, make([]byte, 6)), []string{"6 bytes", "4 bytes", "damaged"}},
		{"no samples", wav(1, 1, 48000, 16, nil), []string{"no samples"}},
		{"no samples from a pipe", wavHead(1, 2, 48000, 16), []string{"no samples"}},
		{"not a number", wav(3, 1, 48000, 32, floatBytes(0, float32(math.NaN()))), []string{"frame 1", "NaN"}},
		{"far too loud", wav(3, 2, 48000, 32, floatBytes(0, 0, 0, 1e20)), []string{"frame 1", "1e+20", "4294967296"}},
		{"FLAC with a bit changed", broken, []string{"FLAC", "damaged"}},
		{"MP3 with a hole", holed, []string{"byte", "damaged"}},
		{"MP3 at 8000 Hz", read(t, "cbr-8000.mp3"), []string{"8000 Hz", "11025", "convert"}},
		{"two Ogg files", append(read(t, "24k.opus"), read(t, "24k.opus")...), []string{"several Ogg streams", "join"}},
	} {
		pcm, err := DecodeTrack(bytes.NewReader(c.file), "the.file")
		if err == nil || pcm != nil {
			t.Errorf("%s: %d samples, error %v; want only an error", c.name, len(pcm), err)
			continue
		}
		for _, word := range append(c.words, "the.file") {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %q does not say %q", c.name, err, word)
			}
		}
	}
}

// Wherever a file is cut off, that is an error, but for MP3, which may end after
// any frame.
func TestDecodeCutShort(t *testing.T) {
	t.Parallel()
	for _, c := range golden {
		file := read(t, c.name)
		step := max(len(file)/9, 1)
		for n := 0; n < len(file); n += step {
			pcm, err := decodeTrack(t.Context(), bytes.NewReader(file[:n]), MaxSamples)
			if err == nil && !strings.HasSuffix(c.name, ".mp3") {
				t.Errorf("%s cut to %d of %d bytes: %d samples and no error", c.name, n, len(file), len(pcm))
			}
			if len(pcm) > int(c.seconds*SampleRate)+c.longer {
				t.Errorf("%s cut to %d of %d bytes grows to %d samples", c.name, n, len(file), len(pcm))
			}
		}
		if n := len(file) - 1; n > 0 && !strings.HasSuffix(c.name, ".mp3") {
			if _, err := decodeTrack(t.Context(), bytes.NewReader(file[:n]), MaxSamples); err == nil {
				t.Errorf("%s without its last byte: no error", c.name)
			}
		}
	}
}

func TestDecodeStopsAtTheLimits(t *testing.T) {
	t.Parallel()
	mp3 := read(t, "bare-44100.mp3")
	h, _ := parseMP3Header(mp3)
	quiet := mp3[:h.size] // the first frame stands alone
	for _, c := range []struct {
		name string
		file io.Reader
		want string
	}{
		{"WAV", &endlessOf{bytes.NewReader(wavHead(1, 1, 44100, 16)), []byte{1, 2}, 0}, "at most 48000"},
		{"WAV at the rate of the program", &endlessOf{bytes.NewReader(wavHead(1, 1, 48000, 16)), []byte{1, 2}, 0}, "at most 48000"},
		{"MP3", &endlessOf{bytes.NewReader(nil), quiet, 0}, "at most 48000"},
		{"WAV of eight channels", &endlessOf{bytes.NewReader(wavHead(3, 8, 64000, 64)), []byte{0}, 0}, "at most 48000"},
	} {
		pcm, err := decodeTrack(t.Context(), c.file, SampleRate)
		if err == nil || pcm != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d samples, error %v; want one that says %q", c.name, len(pcm), err, c.want)
		}
	}
	// A chunk of 4 GB that nobody wants.
	large := endless{bytes.NewReader([]byte("RIFF\xff\xff\xff\xffWAVELIST\xf0\xff\xff\xff"))}
	if _, err := DecodeTrack(large, "large"); err == nil || !strings.Contains(err.Error(), "at most 200000000 are allowed") {
		t.Errorf("error %v, want one that allows 200000000 bytes", err)
	}
	// An hour is the limit that counts for the entry point; its error says so.
	if got := tooLong(MaxSamples+1, MaxSamples).Error(); !strings.Contains(got, "60 minutes") {
		t.Errorf("%q does not say 60 minutes", got)
	}
}

func TestReadTrackNamesTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := ReadTrack(filepath.Join(dir, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v for a file that is not there", err)
	}
	if _, err := ReadTrack(dir); err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "regular") {
		t.Errorf("error %v, want one that names %s and says that it is no regular file", err, dir)
	}
	path := filepath.Join(dir, "song.mp3")
	if err := os.WriteFile(path, []byte("no song"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadTrack(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want one that names %s", err, path)
	}
	// A file with a hole takes no room on the disk.
	if err := os.Truncate(path, MaxTrackBytes+1); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadTrack(path); err == nil || !strings.Contains(err.Error(), "200000001 bytes") {
		t.Errorf("error %v, want one that names 200000001 bytes", err)
	}
}

// What a file is called does not matter, nor that a tag stands before it.
func TestTagsBeforeAnyKind(t *testing.T) {
	t.Parallel()
	tag := append([]byte("ID3\x04\x00\x10\x00\x00\x02\x01"), make([]byte, 257+10)...)
	for _, name := range []string{"s16-44100-2.wav", "s16-44100-2.flac", "cbr-44100-2.mp3", "q3-44100-2.ogg", "96k-2.opus"} {
		plain, err := decodeTrack(t.Context(), bytes.NewReader(read(t, name)), MaxSamples)
		if err != nil {
			t.Fatal(err)
		}
		tagged, err := decodeTrack(t.Context(), io.MultiReader(bytes.NewReader(tag), bytes.NewReader(tag), bytes.NewReader(read(t, name))), MaxSamples)
		if err != nil || !slices.Equal(plain, tagged) {
			t.Errorf("%s behind two tags: %d samples instead of %d, error %v", name, len(tagged), len(plain), err)
		}
	}
}

// What holds no sound that could be measured stays as it is.
func TestSilenceStaysSilent(t *testing.T) {
	t.Parallel()
	file := riff(chunk("fmt ", fmtBody(1, 1, 48000, 16)), chunk("data", make([]byte, 2*SampleRate)))
	pcm, err := decodeTrack(t.Context(), bytes.NewReader(file), MaxSamples)
	if err != nil || !slices.Equal(pcm, make([]float32, SampleRate)) {
		t.Errorf("a second of silence becomes %d samples, error %v", len(pcm), err)
	}
}

func TestGuardTurnsPanicsIntoErrors(t *testing.T) {
	t.Parallel()
	err := guard("Example", func() error {
		var table []int
		return fmt.Errorf("%d", table[len(table)])
	})
	if err == nil || !strings.Contains(err.Error(), "Example") || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("error %v", err)
	}
	if err := guard("Example", func() error { return io.EOF }); err != io.EOF {
		t.Errorf("error %v, want io.EOF as it was", err)
	}
}
