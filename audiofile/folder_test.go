package audiofile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// shelf is a folder under test, with what it logs.
type shelf struct {
	t   *testing.T
	dir string
	*Folder
	log bytes.Buffer
	now time.Time
}

func newShelf(t *testing.T) *shelf {
	s := &shelf{t: t, dir: t.TempDir(), now: time.Unix(1e9, 0)}
	s.Folder = NewFolder(s.dir, slog.New(slog.NewTextHandler(&s.log, nil)))
	return s
}

// put writes a file, a moment later than the one before.
func (s *shelf) put(name string, data []byte) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.now = s.now.Add(time.Second)
	if err := os.Chtimes(path, s.now, s.now); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shelf) remove(name string) {
	s.t.Helper()
	if err := os.Remove(filepath.Join(s.dir, name)); err != nil {
		s.t.Fatal(err)
	}
}

// scan scans, and checks the names and how many lines were logged that contain a
// word.
func (s *shelf) scan(names []string, word string, lines int) {
	s.t.Helper()
	s.log.Reset()
	if err := s.Scan(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	if got := s.Names(); !slices.Equal(got, names) {
		s.t.Errorf("tracks %q, want %q", got, names)
	}
	if got := strings.Count(s.log.String(), word); got != lines {
		s.t.Errorf("%q is logged %d times, want %d:\n%s", word, got, lines, &s.log)
	}
	var sum int64
	for _, name := range names {
		pcm, ok := s.Track(name)
		if !ok || len(pcm) == 0 {
			s.t.Errorf("track %q: %d samples, %v", name, len(pcm), ok)
		}
		sum += int64(len(pcm))
	}
	if sum != s.inMemory {
		s.t.Errorf("%d samples are said to be in memory, %d are", s.inMemory, sum)
	}
}

// wavOf is n samples of a square wave at 48 kHz.
func wavOf(n int) []byte {
	body := bytes.Repeat([]byte{0, 0x20, 0, 0xE0}, (n+1)/2)[:2*n]
	return riff(chunk("fmt ", fmtBody(1, 1, 48000, 16)), chunk("data", body))
}

func TestFolderFollowsItsFiles(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	if len(s.Names()) != 0 {
		t.Errorf("tracks %q before the first look", s.Names())
	}
	if _, ok := s.Track("b.flac"); ok {
		t.Error("a track before the first look")
	}
	s.put("User Upload", read(t, "cbr-44100-2.mp3"))
	s.put("b.flac", read(t, "s16-44100-2.flac"))
	s.put("README.md", []byte("about the songs"))
	s.put("readme", []byte("about the songs"))
	s.put(".a.wav-1.tmp", wavOf(10))
	s.put("bad\xff.wav", wavOf(10))
	s.put("notes.txt", []byte("no sound at all"))
	if err := os.Mkdir(filepath.Join(s.dir, "more.wav"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(s.dir, "b.flac"), filepath.Join(s.dir, "link.flac")); err != nil {
		t.Fatal(err)
	}
	s.scan([]string{"User Upload", "b.flac"}, "level=WARN", 1)
	if !strings.Contains(s.log.String(), "notes.txt") {
		t.Errorf("the log does not name notes.txt:\n%s", &s.log)
	}
	before, _ := s.Track("b.flac")
	s.scan([]string{"User Upload", "b.flac"}, "level=", 0)
	if again, _ := s.Track("b.flac"); &again[0] != &before[0] {
		t.Error("a track that did not change was read again")
	}

	s.put("b.flac", wavOf(1234)) // another one, and not even FLAC
	s.put("notes.txt", []byte("still no sound"))
	s.put("a.wav", wavOf(5))
	s.scan([]string{"User Upload", "a.wav", "b.flac"}, "level=WARN", 1)
	if after, _ := s.Track("b.flac"); len(after) != 1234 || len(before) == 1234 {
		t.Errorf("%d samples after a change, %d before", len(after), len(before))
	}

	s.remove("a.wav")
	s.put("b.flac", []byte("spoilt"))
	s.put("notes.txt", wavOf(7))
	s.scan([]string{"User Upload", "notes.txt"}, "level=WARN", 1)
	if _, ok := s.Track("a.wav"); ok {
		t.Error("a track whose file is gone")
	}
}

// The same size and a new time is a change, and so is a new size at the same time.
func TestFolderSeesEveryChange(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.put("a", wavOf(100))
	s.scan([]string{"a"}, "level=INFO", 1)
	s.put("a", wavOf(100))
	s.scan([]string{"a"}, "level=INFO", 1)
	s.now = s.now.Add(-time.Second)
	s.put("a", wavOf(101))
	s.scan([]string{"a"}, "level=INFO", 1)
	s.scan([]string{"a"}, "level=INFO", 0)
}

func TestFolderKeepsToItsMemory(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.maxSamples = 1000
	for _, name := range []string{"a", "b", "c", "d"} {
		s.put(name, wavOf(400))
	}
	s.scan([]string{"a", "b"}, "no memory left", 2)
	s.scan([]string{"a", "b"}, "level=", 0)
	s.now = s.now.Add(-2 * time.Second)
	s.put("c", make([]byte, len(wavOf(400)))) // looks the same, so is not opened again
	s.scan([]string{"a", "b"}, "level=", 0)
	s.put("c", wavOf(200)) // fits to the sample
	s.scan([]string{"a", "b", "c"}, "level=WARN", 0)
	s.remove("b")
	s.scan([]string{"a", "c", "d"}, "level=WARN", 0)
	s.put("a", wavOf(500)) // more than there is room for
	s.scan([]string{"c", "d"}, "no memory left", 1)
	s.remove("d")
	s.scan([]string{"a", "c"}, "level=WARN", 0)
}

func TestFolderKeepsToItsNumber(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.maxTracks = 3
	for i := range 5 {
		s.put(fmt.Sprint("song ", i), wavOf(10))
	}
	s.scan([]string{"song 0", "song 1", "song 2"}, "left_out=2", 1)
	s.scan([]string{"song 0", "song 1", "song 2"}, "level=", 0)
	s.put("a song", wavOf(10))
	s.scan([]string{"a song", "song 0", "song 1"}, "left_out=3", 1)
}

// A folder that goes away leaves the tracks as they are.
func TestFolderThatIsNotThere(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.put("a", wavOf(10))
	s.scan([]string{"a"}, "level=WARN", 0)
	elsewhere := s.dir + "-elsewhere"
	if err := os.Rename(s.dir, elsewhere); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(elsewhere)
	if err := s.Scan(s.t.Context()); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), s.dir) {
		t.Errorf("error %v, want one that names %s", err, s.dir)
	}
	if pcm, ok := s.Track("a"); !ok || len(pcm) != 10 || len(s.Names()) != 1 {
		t.Errorf("tracks %q, %d samples", s.Names(), len(pcm))
	}
}

// A file that grows while it is read is not a track until it rests.
func TestFolderWaitsForAFileBeingWritten(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.put("a", wavOf(10))
	info, err := os.Lstat(filepath.Join(s.dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	s.put("a", wavOf(20))
	s.load(t.Context(), "a", stampOf(info)) // as it was when it was listed
	if len(s.Names()) != 0 || s.log.Len() != 0 {
		t.Errorf("tracks %q, logged %q", s.Names(), &s.log)
	}
	s.scan([]string{"a"}, "level=INFO", 1)
}

// Other goroutines ask while one scans.
func TestFolderIsAskedWhileItScans(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	for i := range 20 {
		s.put(fmt.Sprint(i), wavOf(100+i))
	}
	done := make(chan error)
	go func() { done <- s.Scan(s.t.Context()) }()
	for {
		for _, name := range s.Names() {
			if pcm, ok := s.Track(name); !ok || len(pcm) < 100 {
				t.Errorf("track %q: %d samples, %v", name, len(pcm), ok)
			}
		}
		select {
		case err := <-done:
			if err != nil || len(s.Names()) != 20 {
				t.Errorf("%d tracks, error %v", len(s.Names()), err)
			}
			return
		default:
		}
	}
}

// Asking costs no allocation, so it can be done within a request.
func TestFolderAnswersFromMemory(t *testing.T) {
	s := newShelf(t)
	s.put("a", wavOf(10))
	s.scan([]string{"a"}, "level=INFO", 1)
	s.remove("a") // answers do not look
	if n := testing.AllocsPerRun(100, func() {
		if _, ok := s.Track(s.Names()[0]); !ok {
			t.Error("the track is gone")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// A program that ends does not wait for a folder of songs.
func TestFolderStopsWithItsContext(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.put("a", wavOf(10))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Scan(ctx); !errors.Is(err, context.Canceled) || len(s.Names()) != 0 || s.log.Len() > 0 {
		t.Errorf("error %v, tracks %q, logged %q", err, s.Names(), &s.log)
	}
	s.scan([]string{"a"}, "level=INFO", 1)
}

// What somebody waits for is decoded first.
func TestPreferredTracksAreDecodedFirst(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	for _, name := range []string{"a.wav", "b.wav", "c.wav"} {
		data, err := os.ReadFile("testdata/u8-8000.wav")
		if err != nil {
			t.Fatal(err)
		}
		s.put(name, data)
	}
	s.Prefer("c.wav", "none.wav")
	s.scan([]string{"a.wav", "b.wav", "c.wav"}, "backing track", 3)
	log := s.log.String()
	if c, a := strings.Index(log, "c.wav"), strings.Index(log, "a.wav"); c < 0 || c > a {
		t.Errorf("c.wav was not the first:\n%s", log)
	}
}
