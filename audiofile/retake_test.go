package audiofile

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// A file is gone on with as if it had never been closed.
func TestTakeGoesOn(t *testing.T) {
	t.Parallel()
	take, path := newTake(t)
	if err := take.WriteAt(hum(0, 1000), 0); err != nil {
		t.Fatal(err)
	}
	// A process was killed before it could say that there is more.
	if _, err := take.file.WriteAt([]byte{1, 2, 3, 4, 5}, bytePlace(1000)); err != nil {
		t.Fatal(err)
	}
	again, err := OpenTake(path)
	if err != nil {
		t.Fatal(err)
	}
	if again.Len() != 1000 {
		t.Errorf("%d samples, want 1000", again.Len())
	}
	if err := again.WriteAt(hum(900, 1500), 900); err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path, hum(0, 1500))
}

func TestWhatIsNoTakeIsNotGoneOnWith(t *testing.T) {
	t.Parallel()
	good := appendInt16s(appendHeader(nil, 3), []int16{1, 2, 3})
	for name, file := range map[string][]byte{
		"empty":           nil,
		"half a header":   good[:20],
		"another header":  append([]byte("RIFX"), good[4:]...),
		"samples missing": good[:len(good)-1],
		"too long":        appendHeader(nil, MaxSamples+1),
		"another rate":    slices.Replace(slices.Clone(good), 24, 25, 7),
	} {
		path := filepath.Join(t.TempDir(), "a.wav")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		if take, err := OpenTake(path); err == nil {
			take.Close()
			t.Errorf("%s: taken for a recording of %d samples", name, take.Len())
		}
		if left, err := os.ReadFile(path); err != nil || !slices.Equal(left, file) {
			t.Errorf("%s: the file was changed", name)
		}
	}
	if _, err := OpenTake(filepath.Join(t.TempDir(), "none.wav")); err == nil {
		t.Error("a file that is not there is gone on with")
	}
}

func TestNewestOfASecond(t *testing.T) {
	t.Parallel()
	r := &Recordings{Dir: t.TempDir()}
	start := time.Date(2026, 1, 2, 20, 0, 0, 900e6, time.UTC)
	if name, ok, err := r.Newest(start); ok || err != nil {
		t.Errorf("%q %v in an empty folder", name, err)
	}
	for _, name := range []string{
		"2026-01-02-200000", "2026-01-02-200000-2", "2026-01-02-200000-10", "2026-01-02-200001", "2026-01-02-195959",
	} {
		if err := WriteWAV(r.WAV(name), make([]float32, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(r.FLAC("2026-01-02-200000-11"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if name, ok, err := r.Newest(start.In(time.FixedZone("east", 3600))); name != "2026-01-02-200000-10" || !ok || err != nil {
		t.Errorf("%q %t %v, want number 10", name, ok, err)
	}
	if name, ok, _ := r.Newest(start.Add(time.Minute)); ok {
		t.Errorf("%q began a minute later", name)
	}
	r.Dir += "/none"
	if _, _, err := r.Newest(start); err == nil {
		t.Error("a folder that is not there has no error")
	}
}
