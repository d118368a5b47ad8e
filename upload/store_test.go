package upload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"bucketbrigade/audiofile"
	"bucketbrigade/proto"
	"bucketbrigade/voice"
)

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func newStore(t *testing.T) *Store {
	t.Helper()
	s, err := NewStore(filepath.Join(t.TempDir(), "some", "uploads"), quiet())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// files are the names in the folder.
func files(t *testing.T, s *Store) []string {
	t.Helper()
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// sound is a file of the neighbouring package.
func sound(t testing.TB, name string) []byte {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("..", "audiofile", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

var (
	ann = proto.CookieSession("a000000000000000000000000000000a")
	bob = proto.CookieSession("b000000000000000000000000000000b")
	eve = proto.AddressSession("192.0.2.1")
)

func (s *Store) track(t *testing.T, who proto.Session, file []byte) string {
	t.Helper()
	name, err := s.SaveTrack(t.Context(), who, bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func (s *Store) image(t *testing.T, who proto.Session, file []byte) string {
	t.Helper()
	name, err := s.SaveImage(t.Context(), who, bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestTracksBecomeWAV(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	for _, name := range []string{"vbr-32000-2.mp3", "q3-44100-2.ogg", "24k.opus", "s16-44100-2.flac", "s24-96000.wav"} {
		file := s.track(t, ann, sound(t, name))
		n, ok := parseName(file)
		if !ok || n.kind != track || n.who != whoIs(ann) {
			t.Errorf("%s is stored as %q", name, file)
		}
		path := filepath.Join(s.dir, file)
		got, err := audiofile.ReadWAV(path)
		if err != nil {
			t.Fatal(err)
		}
		want, err := audiofile.ReadTrack(filepath.Join("..", "audiofile", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if lag, corr := voice.Align(got, want, 10); len(got) != len(want) || lag != 0 || corr < 0.9999 {
			t.Errorf("%s: %d samples of %d, lag %d, correlation %.5f", name, len(got), len(want), lag, corr)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 || info.Size() != int64(44+2*len(want)) {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	if n := len(files(t, s)); n != 4 {
		t.Errorf("%d files, want 4 and nothing left over", n)
	}
}

func TestImagesStayAsTheyAre(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	for ext, file := range map[string][]byte{"png": append(pngOf(t), "<script>"...), "jpg": jpegOf(t), "webp": webpOf(t, "lossy")} {
		n, ok := parseName(s.image(t, bob, file))
		if !ok || n.kind != image || n.ext != ext || n.who != whoIs(bob) {
			t.Errorf("%s is stored as %q", ext, n)
		}
		m, err := s.OpenImage(n.id)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(m)
		if err := errors.Join(err, m.Close()); err != nil || !bytes.Equal(got, file) || m.Type != imageTypes[ext] || m.Modified.IsZero() {
			t.Errorf("%s: %d bytes of %d, type %q, %v", ext, len(got), len(file), m.Type, err)
		}
	}
	if n := len(files(t, s)); n != 3 {
		t.Errorf("%d files, want 3 and nothing left over", n)
	}
}

// broken is a body that ends with an error.
func broken(b []byte, err error) io.Reader {
	return io.MultiReader(bytes.NewReader(b), iotest.ErrReader(err))
}

// zeros are n bytes of nothing.
func zeros(n int64) io.Reader { return io.LimitReader(zero{}, n) }

type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestStoreRefuses(t *testing.T) {
	t.Parallel()
	ogg, mp3 := sound(t, "q6-48000.ogg"), sound(t, "cbr-44100-2.mp3")
	for _, c := range []struct {
		name  string
		image bool
		body  io.Reader
		code  int
		says  string
	}{
		{"nothing", false, strings.NewReader(""), 400, "empty"},
		{"no image", true, strings.NewReader(""), 400, "empty"},
		{"track that breaks off", false, broken(mp3[:5000], io.ErrUnexpectedEOF), 400, "ends after 5000 bytes"},
		{"image that breaks off", true, broken(pngOf(t)[:20], io.ErrUnexpectedEOF), 400, "ends after 20 bytes"},
		{"track that comes too slowly", false, broken(mp3[:5000], os.ErrDeadlineExceeded), 408, "5000 bytes did"},
		{"one byte too much", false, zeros(MaxBytes + 1), 413, "larger than 16777216 bytes"},
		{"endless image", true, zero{}, 413, "larger than 16777216 bytes"},
		{"as much as is allowed, of nothing", false, zeros(MaxBytes), 415, "neither WAV"},
		{"text", false, strings.NewReader("la la la"), 415, "neither WAV, MP3"},
		{"a page as a track", false, strings.NewReader("<!DOCTYPE html><html>"), 415, "neither WAV, MP3"},
		{"an image as a track", false, bytes.NewReader(pngOf(t)), 415, "neither WAV"},
		{"a truncated track", false, bytes.NewReader(ogg[:len(ogg)/2]), 415, "cut short"},
		{"a damaged track", false, bytes.NewReader(slices.Concat(ogg[:6000], []byte("oops"), ogg[6004:])), 415, "damaged"},
		{"a track as an image", true, bytes.NewReader(mp3), 415, "neither PNG"},
		{"a page as an image", true, strings.NewReader("<!DOCTYPE html><html>"), 415, "the image is neither PNG"},
		{"SVG", true, strings.NewReader("<svg onload='x()'/>"), 415, "neither PNG"},
		{"a truncated image", true, bytes.NewReader(pngOf(t)[:20]), 415, "damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			save := s.SaveTrack
			if c.image {
				save = s.SaveImage
			}
			file, err := save(t.Context(), ann, c.body)
			var refusal *proto.Refusal
			if !errors.As(err, &refusal) || refusal.Code != c.code || !strings.Contains(refusal.Reason, c.says) || file != "" {
				t.Errorf("%q, %v; want %d that says %q", file, err, c.code, c.says)
			}
			if left := files(t, s); len(left) > 0 || len(s.underWay)+len(s.decoding) > 0 {
				t.Errorf("left over: %q, %d under way, %d decoding", left, len(s.underWay), len(s.decoding))
			}
		})
	}
}

func TestTrackTooLongOrTooSlow(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	long := sound(t, "cbr-44100-2.mp3") // a second
	s.maxSamples = audiofile.SampleRate - 1
	var refusal *proto.Refusal
	if _, err := s.SaveTrack(t.Context(), ann, bytes.NewReader(long)); !errors.As(err, &refusal) || refusal.Code != 413 || !strings.Contains(refusal.Reason, "at most 47999") {
		t.Errorf("one sample too long: %v", err)
	}
	s.maxSamples++
	s.track(t, ann, long)
	s.decodeTime = time.Nanosecond
	if _, err := s.SaveTrack(t.Context(), ann, bytes.NewReader(long)); !errors.As(err, &refusal) || refusal.Code != 413 || !strings.Contains(refusal.Reason, "longer than 1ns") {
		t.Errorf("no time to decode: %v", err)
	}
	if n := len(files(t, s)); n != 1 {
		t.Errorf("%d files", n)
	}
}

// Who goes away is no news, and leaves nothing behind.
func TestClientThatGoesAway(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	for _, where := range []string{"while it sends", "while another one is decoded"} {
		ctx, cancel := context.WithCancel(t.Context())
		body := io.Reader(bytes.NewReader(sound(t, "24k.opus")))
		if where == "while it sends" {
			body = broken([]byte("Ogg"), errors.New("gone"))
			cancel()
		} else {
			s.decoding <- struct{}{} // another one is
			body = io.MultiReader(body, cancelling{cancel})
		}
		if _, err := s.SaveTrack(ctx, ann, body); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", where, err)
		}
		cancel()
	}
	if left := files(t, s); len(left) > 0 || len(s.underWay) > 0 {
		t.Errorf("left over: %q, %d under way", left, len(s.underWay))
	}
}

// cancelling ends a context where it is read.
type cancelling struct{ cancel context.CancelFunc }

func (c cancelling) Read([]byte) (int, error) { c.cancel(); return 0, io.EOF }

func TestFewAtOnce(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	var all sync.WaitGroup
	var senders []*io.PipeWriter
	for range MaxAtOnce {
		r, w := io.Pipe()
		senders = append(senders, w)
		all.Go(func() {
			if _, err := s.SaveImage(t.Context(), ann, r); err != nil {
				t.Error(err)
			}
		})
		if _, err := w.Write(pngOf(t)[:10]); err != nil { // so it is under way
			t.Fatal(err)
		}
	}
	var refusal *proto.Refusal
	for range 2 {
		if _, err := s.SaveTrack(t.Context(), bob, bytes.NewReader(sound(t, "24k.opus"))); !errors.As(err, &refusal) || refusal.Code != http.StatusTooManyRequests {
			t.Errorf("a fifth upload: %v", err)
		}
	}
	for _, w := range senders {
		if _, err := w.Write(pngOf(t)[10:]); err != nil {
			t.Fatal(err)
		}
		w.Close()
	}
	all.Wait()
	s.track(t, bob, sound(t, "24k.opus"))
	if n := len(files(t, s)); n != MaxAtOnce+1 {
		t.Errorf("%d files, want %d", n, MaxAtOnce+1)
	}
}

// The later upload has the later name, also when the clock is set back.
func TestNamesSortByTime(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	at := time.Unix(1_700_000_000, 0)
	s.now = func() time.Time { return at }
	var names []string
	for _, step := range []time.Duration{0, time.Second, -time.Hour, 0, 2 * time.Hour} {
		at = at.Add(step)
		names = append(names, s.image(t, ann, pngOf(t)), s.image(t, bob, pngOf(t)))
	}
	uploads, _, err := list(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(names)
	for i, u := range uploads { // two more of each session are gone
		if u.name != names[i] {
			t.Errorf("the newest but %d is %s, want %s", i, u.name, names[i])
		}
	}
	if len(uploads) != 2*MaxOfSession {
		t.Errorf("%d files", len(uploads))
	}
}

// stuff puts a file of so many bytes into the folder: n of the kind, from the
// oldest.
func (s *Store) stuff(t *testing.T, k kind, n int, session proto.Session, bytes int64) string {
	t.Helper()
	ext := map[kind]string{track: "wav", image: "png"}[k]
	name := fileName{k, int64(1_000_000 + n), whoIs(session), newID(), ext}.String()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, bytes); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestFolderIsBounded(t *testing.T) {
	t.Parallel()
	someone := func(n int) proto.Session { return proto.AddressSession(fmt.Sprint(n)) }
	for _, c := range []struct {
		name string
		// fill gives the names that must stay; all others of ours must go.
		fill func(s *Store, t *testing.T) []string
	}{
		{"of a session", func(s *Store, t *testing.T) (stay []string) {
			for n := range 6 {
				name := s.stuff(t, image, n, ann, 10)
				other := s.stuff(t, track, n, ann, 10)
				if n > 2 { // with the new one there are four
					stay = append(stay, name)
				}
				if n > 1 {
					stay = append(stay, other)
				}
			}
			return stay
		}},
		{"of a kind", func(s *Store, t *testing.T) (stay []string) {
			for n := range 70 {
				if name := s.stuff(t, image, n, someone(n), 10); n > 6 {
					stay = append(stay, name)
				}
				if name := s.stuff(t, track, n, someone(n), 10); n > 5 {
					stay = append(stay, name)
				}
			}
			return stay
		}},
		{"bytes", func(s *Store, t *testing.T) []string {
			s.stuff(t, track, 1, someone(1), 10) // older than one that has to go
			s.stuff(t, image, 2, someone(2), 3000)
			s.bounds.bytes = 3000 + int64(len(pngOf(t)))
			return []string{s.stuff(t, track, 3, someone(3), 1000), s.stuff(t, image, 4, someone(4), 2000)}
		}},
		{"one that is larger than all may be", func(s *Store, t *testing.T) []string {
			s.stuff(t, track, 1, someone(1), 1)
			s.bounds.bytes = 1
			return nil
		}},
		{"what is not ours stays", func(s *Store, t *testing.T) []string {
			s.bounds.bytes = 1
			for _, name := range []string{"README", "track-1-2-3.wav"} {
				if err := os.WriteFile(filepath.Join(s.dir, name), make([]byte, 5000), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			return []string{"README", "track-1-2-3.wav"}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			want := c.fill(s, t)
			want = append(want, s.image(t, ann, pngOf(t)))
			slices.Sort(want)
			if got := files(t, s); !slices.Equal(got, want) {
				t.Errorf("files\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func TestLeftOverTemporaryFilesGo(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	now := time.Now()
	for name, age := range map[string]time.Duration{".upload-1.tmp": 61 * time.Minute, ".upload-2.tmp": 59 * time.Minute, ".other.tmp": 100 * time.Hour} {
		path := filepath.Join(s.dir, name)
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chtimes(path, now, now.Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	s.now = func() time.Time { return now }
	want := []string{".other.tmp", ".upload-2.tmp", s.image(t, ann, pngOf(t))}
	if got := files(t, s); !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
}

func TestNoSuchImage(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	of, _ := parseName(s.track(t, ann, sound(t, "24k.opus")))
	im, _ := parseName(s.image(t, ann, pngOf(t)))
	if err := os.WriteFile(filepath.Join(s.dir, "..", "ABCDEFGHIJ"), pngOf(t), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{
		"", "ABCDEFGHIJ", of.id, strings.ToLower(im.id), im.id[:9], im.id + "A", im.String(), "../ABCDEFGHIJ", "..", "*", "??????????",
		im.id[:9] + "/", im.id[:9] + "\x00", im.id + "&x=1", "%41BCDEFGHI", strings.Repeat("A", 1<<16),
	} {
		m, err := s.OpenImage(id)
		var refusal *proto.Refusal
		if m != nil || !errors.As(err, &refusal) || refusal.Code != 404 || len(refusal.Reason) > 200 {
			t.Errorf("%.40q: %v, %v", id, m, err)
		}
	}
	if err := os.RemoveAll(s.dir); err != nil {
		t.Fatal(err)
	}
	var refusal *proto.Refusal
	if _, err := s.OpenImage(im.id); err == nil || errors.As(err, &refusal) {
		t.Errorf("without a folder: %v, want our own trouble", err)
	}
	if _, err := s.SaveImage(t.Context(), ann, bytes.NewReader(pngOf(t))); err == nil || errors.As(err, &refusal) {
		t.Errorf("without a folder: %v, want our own trouble", err)
	}
}

// Several shards write at once.
func TestStoresShareAFolder(t *testing.T) {
	t.Parallel()
	first := newStore(t)
	second, err := NewStore(first.dir, quiet())
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 2 * MaxAtOnce {
		s := []*Store{first, second}[i%2]
		all.Go(func() {
			for n := range 20 {
				if _, err := s.SaveImage(t.Context(), proto.AddressSession(fmt.Sprint(i, n)), bytes.NewReader(pngOf(t))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	uploads, temps, err := list(first.dir)
	if err != nil || len(temps) > 0 || len(uploads) < MaxOfKind || len(uploads) > MaxOfKind+2*MaxAtOnce {
		t.Errorf("%d uploads, %d temporary files, %v", len(uploads), len(temps), err)
	}
	for _, u := range uploads {
		if u.info.Size() != int64(len(pngOf(t))) {
			t.Errorf("%s has %d bytes", u.name, u.info.Size())
		}
	}
}

func TestFolderThatCannotBe(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below"), ""} {
		if _, err := NewStore(dir, quiet()); err == nil || !strings.Contains(err.Error(), "name another with -uploads") {
			t.Errorf("%q: %v", dir, err)
		}
	}
}
