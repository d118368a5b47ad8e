package audiofile

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// hum is samples from to up to to of a signal that never repeats itself, as far as
// tests go, and is never 0.
func hum(from, to int) []int16 {
	out := make([]int16, to-from)
	for i := range out {
		out[i] = int16(uint32(from+i)*2654435761>>16) | 1
	}
	return out
}

func newTake(t *testing.T) (*Take, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.wav")
	take, err := CreateTake(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = take.Close() })
	return take, path
}

// wavSamples reads a WAV file back to integers.
func wavSamples(path string) ([]int16, error) {
	pcm, err := ReadWAV(path)
	out := make([]int16, len(pcm))
	for i, x := range pcm {
		out[i] = int16(x * (1 << 15))
	}
	return out, err
}

func checkWAV(t *testing.T, path string, want []int16) {
	t.Helper()
	got, err := wavSamples(path)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%s: %d samples, %v; want %d", filepath.Base(path), len(got), err, len(want))
	}
}

// checkFile compares every byte of a file that begins with our header.
func checkFile(t *testing.T, path string, want []int16) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, appendInt16s(appendHeader(nil, len(want)), want)) {
		t.Errorf("%s: %d bytes, header % x, %v; want %d samples", filepath.Base(path), len(got), got[:min(len(got), wavHeaderBytes)], err, len(want))
	}
}

// After every step the file is a whole WAV file with all samples so far.
func TestTakeGrows(t *testing.T) {
	t.Parallel()
	take, path := newTake(t)
	want := []int16{}
	for i, step := range []struct{ at, n int }{
		{0, 0},
		{0, 1},
		{1, 2880},
		{2881, 2 * takePiece},      // in several pieces
		{1_060_000, 5},             // after a gap
		{10, 100},                  // in the middle
		{1_060_003, 9},             // over the end
		{1_060_012, 0},             // nothing
		{1_300_000, 0},             // nothing, far behind the end
		{1_200_000, takePiece + 1}, // after a gap, in two pieces
	} {
		checkFile(t, path, want)
		samples := hum(step.at+i, step.at+i+step.n) // shifted, so that overwriting shows
		if err := take.WriteAt(samples, step.at); err != nil {
			t.Fatal(err)
		}
		if step.n > 0 {
			want = append(want, make([]int16, max(0, step.at+step.n-len(want)))...)
			copy(want[step.at:], samples)
		}
		if take.Len() != len(want) {
			t.Errorf("step %d: %d samples, want %d", i, take.Len(), len(want))
		}
	}
	if err := take.Close(); err != nil {
		t.Fatal(err)
	}
	checkWAV(t, path, want)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o644 || info.Size() != bytePlace(len(want)) {
		t.Errorf("%v %d bytes, %v; want mode 0644 and %d", info.Mode(), info.Size(), err, bytePlace(len(want)))
	}
}

func TestTakeIsNewOrAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.wav")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, want string
		kind       error
	}{
		{path, "choose another name", fs.ErrExist},
		{filepath.Join(dir, "none", "a.wav"), "none/a.wav", fs.ErrNotExist},
	} {
		take, err := CreateTake(c.path)
		if take != nil || !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: %v, want %q", c.path, err, c.want)
		}
	}
	if got, _ := os.ReadFile(path); string(got) != "precious" {
		t.Errorf("the file that was there is now %q", got)
	}
}

func TestTakeHasAnHour(t *testing.T) {
	t.Parallel()
	take, path := newTake(t)
	if err := take.WriteAt([]int16{1, 2}, MaxSamples-2); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ at, n int }{{MaxSamples - 1, 2}, {MaxSamples, 1}, {MaxSamples + 1, 0}, {0, MaxSamples + 1}, {1 << 62, 1}} {
		before, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		err = take.WriteAt(make([]int16, c.n), c.at)
		var long tooLongError
		if !errors.As(err, &long) || !strings.Contains(err.Error(), path) {
			t.Errorf("%d samples at %d: %v", c.n, c.at, err)
		}
		after, err := os.Stat(path)
		if err != nil || after.Size() != before.Size() || after.ModTime() != before.ModTime() || take.Len() != MaxSamples {
			t.Errorf("%d samples at %d: %d samples, file of %d bytes, %v", c.n, c.at, take.Len(), after.Size(), err)
		}
	}
	// The gap is a hole: an hour of silence takes no space.
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if used := info.Sys().(*syscall.Stat_t).Blocks * 512; used > 1<<20 {
		t.Errorf("%d bytes on the disk for 2 samples", used)
	}
}

func TestTakeFaultsOfOursPanic(t *testing.T) {
	t.Parallel()
	take, _ := newTake(t)
	defer func() {
		if recover() == nil {
			t.Error("samples before the start were taken")
		}
	}()
	_ = take.WriteAt([]int16{1}, -1)
}

func TestTakeTellsWhatFailed(t *testing.T) {
	t.Parallel()
	take, path := newTake(t)
	if err := take.WriteAt(hum(0, 10), 0); err != nil {
		t.Fatal(err)
	}
	if err := take.Close(); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"WriteAt": take.WriteAt(hum(10, 20), 10), "Close": take.Close()} {
		if !errors.Is(err, os.ErrClosed) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
	checkWAV(t, path, hum(0, 10))
}

func TestTakeAllocatesNothing(t *testing.T) {
	take, _ := newTake(t)
	samples := hum(0, 28800)
	write := func() {
		if err := take.WriteAt(samples, take.Len()); err != nil {
			t.Fatal(err)
		}
	}
	write()
	if n := testing.AllocsPerRun(20, write); n != 0 {
		t.Errorf("%v allocations for 600 ms", n)
	}
}

func BenchmarkTake(b *testing.B) {
	take, err := CreateTake(filepath.Join(b.TempDir(), "a.wav"))
	if err != nil {
		b.Fatal(err)
	}
	defer take.Close()
	samples := hum(0, 28800)
	b.ReportAllocs()
	for at := 0; b.Loop(); at = (at + len(samples)) % (MaxSamples - len(samples)) {
		if err := take.WriteAt(samples, at); err != nil {
			b.Fatal(err)
		}
	}
}
