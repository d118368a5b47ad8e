package audiofile

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"bucketbrigade/voice"
	"github.com/mewkiz/flac"
	"golang.org/x/sys/unix"
)

// made is n samples of a function of their number.
func made(n int, f func(i int) float64) []int16 {
	out := make([]int16, n)
	for i := range out {
		out[i] = int16(min(max(math.Round(f(i)), math.MinInt16), math.MaxInt16))
	}
	return out
}

func voiced(v voice.Voice, n int) []int16 {
	pcm := voice.Render(v, n)
	return made(n, func(i int) float64 { return float64(pcm[i]) * (1 << 15) })
}

// choir is eight singers in their rooms.
func choir(n int) []int16 {
	var layers []voice.Layer
	for seed := range uint64(8) {
		layers = append(layers,
			voice.Layer{Voice: voice.NewSung(voice.SungConfig{Seed: seed}), Gain: 0.2},
			voice.Layer{Voice: voice.NewRoomNoise(voice.RoomNoiseConfig{Seed: seed}), Gain: 0.2})
	}
	return voiced(voice.NewMix(layers...), n)
}

// toFLAC writes samples as WAV and has them made FLAC.
func toFLAC(t testing.TB, dir string, samples []int16) string {
	t.Helper()
	wav, out := filepath.Join(dir, "a.wav"), filepath.Join(dir, "a.flac")
	if err := os.WriteFile(wav, appendInt16s(appendHeader(nil, len(samples)), samples), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := EncodeFLAC(context.Background(), wav, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// fromFLAC decodes a file with the library, checks what its header says, and gives
// the samples as a WAV file has them.
func fromFLAC(t *testing.T, path string, n int) []byte {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	stream, err := flac.New(bufio.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for {
		f, err := nextFrame(stream)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, sample := range f.Subframes[0].Samples {
			out = append(out, byte(sample), byte(sample>>8))
		}
	}
	if info := stream.Info; info.NSamples != uint64(n) || info.MD5sum != md5.Sum(out) || info.BlockSizeMin != flacBlock ||
		info.BlockSizeMax != flacBlock || info.SampleRate != SampleRate || info.NChannels != 1 || info.BitsPerSample != 16 {
		t.Errorf("the header says %+v of %d samples", info, n)
	}
	return out
}

// Samples come back bit for bit, from the reference decoder, too.
func TestFLACIsLossless(t *testing.T) {
	t.Parallel()
	reference, noReference := exec.LookPath("flac")
	if noReference != nil {
		t.Logf("NOT TESTED with the reference decoder: %v (scripts/install-deps installs it)", noReference)
	}
	noise := rand.New(rand.NewPCG(1, 2))
	type signal struct {
		name    string
		samples []int16
	}
	signals := []signal{
		{"sung", voiced(voice.NewSung(voice.SungConfig{Seed: 1}), 2*SampleRate+1)},
		{"spoken", voiced(voice.NewSpoken(voice.SpokenConfig{Seed: 1}), 2*SampleRate)},
		{"silence", make([]int16, SampleRate)},
		{"least", made(9000, func(int) float64 { return math.MinInt16 })},
		{"white noise", made(20_000, func(int) float64 { return noise.Float64()*65535 - 32768 })},
		{"least and greatest by turns", made(20_000, func(i int) float64 { return float64(i%2*2-1) * 40_000 })},
		{"square", made(20_000, func(i int) float64 { return float64(i/100%2*2-1) * 40_000 })},
		{"tone", made(20_000, func(i int) float64 { return 30_000 * math.Sin(float64(i)/8) })},
		{"parabola", made(8192, func(i int) float64 { return float64(i*i)/1024 - 32768 })},
		{"one click", made(10_000, func(i int) float64 { return 32767 * float64(1-min(1, max(i-5000, 5000-i))) })},
		{"clicks", made(20_000, func(i int) float64 { return 32767 * float64(1-min(1, i%777)) })},
		{"quiet, then loud", made(8192, func(i int) float64 { return (noise.Float64() - 0.5) * float64(i/2000*i/2000) * 1000 })},
	}
	for _, n := range []int{1, 2, 15, 16, 63, 64, 65, 192, 256, 257, 4095, 4096, 4097, 4096 + 70, 8192 + 3072} {
		signals = append(signals, signal{fmt.Sprintf("%d samples", n), made(n, func(i int) float64 { return 9000*math.Sin(float64(i)/20) + 99*noise.Float64() })})
	}
	for _, s := range signals {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			path := toFLAC(t, t.TempDir(), s.samples)
			want := appendInt16s(nil, s.samples)
			if !bytes.Equal(fromFLAC(t, path, len(s.samples)), want) {
				t.Error("other samples came back")
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 || info.Size() > int64(len(want)+len(want)/100+100) {
				t.Errorf("%v, %d bytes, %v; want mode 0644 and no more than the %d of the WAV file", info.Mode(), info.Size(), err, len(want))
			}
			if noReference != nil {
				return
			}
			if out, err := exec.Command(reference, "--test", "--silent", "--warnings-as-errors", path).CombinedOutput(); err != nil {
				t.Errorf("flac --test: %v\n%s", err, out)
			}
			got, err := exec.Command(reference, "--decode", "--silent", "--stdout", "--force-raw-format", "--endian=little", "--sign=signed", path).Output()
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("flac --decode: %d bytes, %v; want the %d that went in", len(got), err, len(want))
			}
		})
	}
}

// What it is for: a recording takes about half the space.
func TestFLACIsSmall(t *testing.T) {
	t.Parallel()
	const n = 3 * SampleRate
	for name, c := range map[string]struct {
		samples []int16
		ratio   float64 // to the WAV file, at most
	}{
		"sung":    {voiced(voice.NewSung(voice.SungConfig{Seed: 1}), n), 0.58},
		"spoken":  {voiced(voice.NewSpoken(voice.SpokenConfig{Seed: 1}), n), 0.54},
		"choir":   {choir(n), 0.58},
		"silence": {make([]int16, n), 0.002},
		"tone":    {made(n, func(i int) float64 { return 16384 * math.Sin(2*math.Pi*300*float64(i)/SampleRate) }), 0.2},
	} {
		info, err := os.Stat(toFLAC(t, t.TempDir(), c.samples))
		if err != nil {
			t.Fatal(err)
		}
		if ratio := float64(info.Size()) / (2 * n); ratio > c.ratio {
			t.Errorf("%s: %.4f of the WAV file, at most %.4f wanted", name, ratio, c.ratio)
		} else {
			t.Logf("%s: %.4f of the WAV file", name, ratio)
		}
	}
}

// leftOnly says whether a folder has these entries and no others.
func leftOnly(dir string, want ...string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if got, want := strings.Join(names, " "), strings.Join(want, " "); got != want {
		return fmt.Errorf("%s has %q, want %q", dir, got, want)
	}
	return nil
}

func TestFLACRefuses(t *testing.T) {
	t.Parallel()
	take := appendInt16s(appendHeader(nil, 9), hum(0, 9))
	data := chunk("data", make([]byte, 48))
	for _, c := range []struct {
		name string
		wav  []byte // nil: there is none
		want string
		kind error
	}{
		{"no file", nil, "a.wav: no such file", fs.ErrNotExist},
		{"no samples", appendHeader(nil, 0), "no samples", nil},
		{"cut short", take[:len(take)-1], "last of 9 samples", io.ErrUnexpectedEOF},
		{"odd", riff(chunk("fmt ", fmtBody(1, 1, 48000, 16)), chunk("data", []byte{1, 2, 3})), "3 bytes", nil},
		{"stereo", riff(chunk("fmt ", fmtBody(1, 2, 48000, 16)), data), "2 channels", nil},
		{"24 bits", riff(chunk("fmt ", fmtBody(1, 1, 48000, 24)), data), "24 bits", nil},
		{"44.1 kHz", riff(chunk("fmt ", fmtBody(1, 1, 44100, 16)), data), "44100 Hz", nil},
		{"floats", riff(chunk("fmt ", fmtBody(3, 1, 48000, 32)), data), "code 3", nil},
		{"more than an hour", appendHeader(nil, MaxSamples+1), "60 minutes", tooLong(MaxSamples+1, MaxSamples)},
		{"no WAV", []byte("fLaC and so on"), "RIFF", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			wav, out := filepath.Join(dir, "a.wav"), filepath.Join(dir, "a.flac")
			want := []string{"a.flac"}
			if err := os.WriteFile(out, []byte("there before"), 0o600); err != nil {
				t.Fatal(err)
			}
			if c.wav != nil {
				want = append(want, "a.wav")
				if err := os.WriteFile(wav, c.wav, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			err := EncodeFLAC(context.Background(), wav, out)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), wav) || c.kind != nil && !errors.Is(err, c.kind) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if before, _ := os.ReadFile(out); string(before) != "there before" {
				t.Errorf("the FLAC file is now %q", before)
			}
			if err := leftOnly(dir, want...); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFLACEndsWithItsContext(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	wav := filepath.Join(dir, "a.wav")
	if err := WriteWAV(wav, make([]float32, 10)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := EncodeFLAC(ctx, wav, filepath.Join(dir, "a.flac")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if err := leftOnly(dir, "a.wav"); err != nil {
		t.Error(err)
	}
}

// childFLACLimit has FLAC made where files may have no more than 64 kB.
func childFLACLimit(dir string) error {
	wav := filepath.Join(dir, "a.wav")
	if err := os.WriteFile(wav, appendInt16s(appendHeader(nil, 200_000), hum(0, 200_000)), 0o600); err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ)
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 64 << 10, Max: 64 << 10}); err != nil {
		return err
	}
	err := EncodeFLAC(context.Background(), wav, filepath.Join(dir, "a.flac"))
	if err == nil || !strings.Contains(err.Error(), "raise the limit") || !strings.Contains(err.Error(), wav) {
		return fmt.Errorf("error %w, want advice", err)
	}
	if err := leftOnly(dir, "a.wav"); err != nil {
		return err
	}
	fmt.Println("well")
	return nil
}

func TestFLACOnFullDisk(t *testing.T) {
	t.Parallel()
	playChild(t, nil, "FLAC limit", t.TempDir())
}

func FuzzEncodeFLAC(f *testing.F) {
	// Short, since the fuzzer makes long ones shorter byte by byte.
	f.Add(appendInt16s(nil, hum(0, 70)))
	f.Add(appendInt16s(nil, made(128, func(i int) float64 { return 30_000 * math.Sin(float64(i)/8) })))
	f.Add(appendInt16s(nil, made(96, func(i int) float64 { return float64(i%2*2-1) * 40_000 })))
	f.Fuzz(func(t *testing.T, raw []byte) {
		raw = raw[:len(raw)&^1]
		if len(raw) == 0 || len(raw) > 2000 {
			t.Skip()
		}
		n := len(raw) / 2
		out, err := os.Create(filepath.Join(t.TempDir(), "a.flac"))
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		in := bufio.NewReader(bytes.NewReader(append(appendHeader(nil, n), raw...)))
		if err := encodeFLAC(context.Background(), in, out); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(fromFLAC(t, out.Name(), n), raw) {
			t.Error("other samples came back")
		}
	})
}

func BenchmarkEncodeFLAC(b *testing.B) {
	const n = 20 * SampleRate
	for name, samples := range map[string][]int16{"sung": voiced(voice.NewSung(voice.SungConfig{Seed: 1}), n), "choir": choir(n)} {
		b.Run(name, func(b *testing.B) {
			dir := b.TempDir()
			var before, after syscall.Rusage
			_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
			rounds := 0
			for b.Loop() {
				toFLAC(b, dir, samples)
				rounds++
			}
			_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
			cpu := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
			b.ReportMetric(float64(rounds*20)/(float64(cpu)/1e9), "s_audio/s_CPU")
		})
	}
}
