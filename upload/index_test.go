package upload

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"bucketbrigade/audiofile"
	"bucketbrigade/proto"
)

func newIndex(t *testing.T) (*Store, *Index) {
	t.Helper()
	s := newStore(t)
	return s, NewIndex(s.dir, quiet())
}

func (x *Index) scan(t *testing.T) {
	t.Helper()
	if err := x.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// wav is a track of n samples, put there as a Store would.
func (s *Store) wav(t *testing.T, n int, session proto.Session, samples int) string {
	t.Helper()
	name := fileName{track, int64(n), whoIs(session), newID(), "wav"}.String()
	pcm := make([]float32, samples)
	for i := range pcm {
		pcm[i] = float32(n) / 100
	}
	if err := audiofile.WriteWAV(filepath.Join(s.dir, name), pcm); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestNewestOfASessionElseOfAll(t *testing.T) {
	t.Parallel()
	s, x := newIndex(t)
	check := func(when string, session proto.Session, track, image string) {
		t.Helper()
		if got := x.NewestTrack(session); got != track {
			t.Errorf("%s: track %q, want %q", when, got, track)
		}
		if got := x.NewestImage(session); got != image {
			t.Errorf("%s: image %q, want %q", when, got, image)
		}
	}
	id := func(name string) string { n, _ := parseName(name); return n.id }
	check("before the first look", ann, "", "")
	x.scan(t)
	check("an empty folder", ann, "", "")

	anns := s.track(t, ann, sound(t, "24k.opus"))
	check("before it was looked at", ann, "", "")
	x.scan(t)
	check("her own", ann, anns, "")
	check("that of all", eve, anns, "")
	bobs, bobsImage := s.track(t, bob, sound(t, "24k.opus")), s.image(t, bob, pngOf(t))
	annsImage := s.image(t, ann, pngOf(t))
	x.scan(t)
	check("her own, not the newer one", ann, anns, id(annsImage))
	check("his own", bob, bobs, id(bobsImage))
	check("the newest of all", eve, bobs, id(annsImage))
	again := s.track(t, ann, sound(t, "24k.opus"))
	x.scan(t)
	check("her second one", ann, again, id(annsImage))
	if _, ok := x.Track(anns); ok {
		t.Error("a track that is followed by another stays in memory")
	}
	if got := x.Status(anns); got != proto.UploadReady {
		t.Errorf("a track that is followed by another is %q", got)
	}
	pcm, ok := x.Track(bobs)
	if !ok || len(pcm) != audiofile.SampleRate {
		t.Fatalf("%d samples, %v", len(pcm), ok)
	}
	if err := os.Remove(filepath.Join(s.dir, bobs)); err != nil {
		t.Fatal(err)
	}
	x.scan(t)
	check("his is gone", bob, again, id(bobsImage))
	if pcm[1000] == 0 || x.pcm[bobs] != nil {
		t.Error("samples that play must stay, and nobody else keep them")
	}
}

func TestIndexKeepsToItsMemory(t *testing.T) {
	t.Parallel()
	s, x := newIndex(t)
	x.maxSamples = 1100 // a head counts as 22 samples
	want := map[string]string{}
	expect := func(what string) {
		t.Helper()
		x.scan(t)
		for file, status := range want {
			got := x.Status(file)
			pcm, ok := x.Track(file)
			if !strings.HasPrefix(got, status) || ok != (status == proto.UploadReady) || ok && len(pcm) == 0 {
				t.Errorf("%s: a track is %q with %d samples, want %q", what, got, len(pcm), status)
			}
		}
	}
	one, two, three := s.wav(t, 1, ann, 500), s.wav(t, 2, bob, 500), s.wav(t, 3, eve, 500)
	want[one], want[two], want[three] = proto.UploadFailed+"there is no memory left", proto.UploadReady, proto.UploadReady
	expect("two of three fit")
	if got := x.NewestTrack(ann); got != "" {
		t.Errorf("a session whose track does not fit gets %q of a stranger", got)
	}
	four := s.wav(t, 4, proto.AddressSession("d"), 5000)
	want[four], want[two], want[three] = proto.UploadReady, proto.UploadFailed, proto.UploadFailed
	expect("the newest is in any case")
	if err := os.Remove(filepath.Join(s.dir, four)); err != nil {
		t.Fatal(err)
	}
	delete(want, four)
	want[two], want[three] = proto.UploadReady, proto.UploadReady
	expect("and gone again")
	if got := x.Status(four); got != proto.UploadPending {
		t.Errorf("a file that is gone is %q", got)
	}
}

func TestIndexRefusesWhatNoStoreWrites(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	var log bytes.Buffer
	x := NewIndex(s.dir, slog.New(slog.NewTextHandler(&log, nil)))
	files := []string{
		s.stuff(t, track, 1, ann, 100), s.stuff(t, track, 2, bob, 0), s.wav(t, 3, eve, 0), s.stuff(t, track, 4, proto.AddressSession("d"), maxWAVBytes+1),
	}
	for range 2 {
		x.names = nil // look again
		x.scan(t)
	}
	for i, file := range files {
		if got := x.Status(file); !strings.HasPrefix(got, proto.UploadFailed+"it ") {
			t.Errorf("file %d: %q", i, got)
		}
	}
	if got := x.Status("../../etc/passwd"); !strings.HasPrefix(got, proto.UploadFailed+`"../../etc/passwd" is no name`) {
		t.Errorf("%q", got)
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 3 {
		t.Errorf("%d errors logged, want one for each that cannot be read:\n%s", n, &log)
	}
}

// Who waits for an upload need not wait for the next second.
func TestIndexLooksWhenAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, x := newIndex(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); x.Run(ctx) }()
		synctest.Wait()
		for range 3 {
			file := s.wav(t, 1+len(x.names), ann, 100)
			if got := x.Status(file); got != proto.UploadPending {
				t.Errorf("at first it is %q", got)
			}
			synctest.Wait() // no time passes here
			if got := x.Status(file); got != proto.UploadReady {
				t.Errorf("then it is %q", got)
			}
			if _, ok := x.Track(file); !ok {
				t.Error("it is ready, and cannot be had")
			}
		}
		cancel()
		<-done
	})
}

// A folder that goes away leaves everything as it is, and is logged once.
func TestIndexOfAFolderThatIsNotThere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		var log bytes.Buffer
		x := NewIndex(s.dir, slog.New(slog.NewTextHandler(&log, nil)))
		file := s.wav(t, 1, ann, 100)
		x.scan(t)
		if err := os.RemoveAll(s.dir); err != nil {
			t.Fatal(err)
		}
		log.Reset()
		ctx, cancel := context.WithTimeout(t.Context(), 10_500_000_000)
		defer cancel()
		x.Run(ctx)
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 || !strings.Contains(log.String(), s.dir) {
			t.Errorf("%d errors logged in ten seconds:\n%s", n, &log)
		}
		if got := x.NewestTrack(ann); got != file {
			t.Errorf("the track is %q", got)
		}
	})
}

// Asking costs no file and hardly any memory, so it can be done within a request.
func TestIndexAnswersFromMemory(t *testing.T) {
	s, x := newIndex(t)
	file := s.wav(t, 1, ann, 100)
	x.scan(t)
	if n := testing.AllocsPerRun(100, func() {
		if x.NewestTrack(ann) != file || x.Status(file) != proto.UploadReady {
			t.Error("the track is gone")
		}
	}); n > 4 {
		t.Errorf("%v allocations", n)
	}
}
