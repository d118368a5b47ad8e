package state

import (
	"bytes"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bucketbrigade/audiofile"
	"bucketbrigade/brigade"
	"bucketbrigade/proto"
)

// songStart is 2026-01-02 20:00:00 UTC.
const songStart = proto.Clock(1767384000 * proto.SampleRate)

func startRecorder(t *testing.T, cfg recording) (*recorder, *syncBuffer) {
	t.Helper()
	if cfg.dir == "" {
		cfg.dir = filepath.Join(t.TempDir(), "recordings")
	}
	var log syncBuffer
	r, err := newRecorder(cfg, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	r.start()
	return r, &log
}

// ramp is n samples that differ, from sample at on.
func ramp(at, n int) []float32 {
	pcm := make([]float32, n)
	for i := range pcm {
		pcm[i] = float32((at+i)%2000)/1000 - 1
	}
	return pcm
}

// readBack reads a recording, at the level at which it was written.
func readBack(t *testing.T, path string) []float32 {
	t.Helper()
	pcm, err := audiofile.ReadWAV(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range pcm {
		pcm[i] *= 2
	}
	return pcm
}

// near tells whether two signals differ by no more than two steps of 16 bits.
func near(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Abs(float64(x-y)) <= 4.0/(1<<15) })
}

func TestRecordedSongIsReadBack(t *testing.T) {
	t.Parallel()
	const piece, pieces = 24000, 10
	r, _ := startRecorder(t, recording{flac: true})
	dir := r.folder.cfg.dir
	r.Begin(songStart)
	for i := range pieces {
		r.Write(songStart.Add(i*piece), [][]float32{ramp(i*piece, piece)})
	}
	r.End()
	r.Begin(songStart) // another one of the same second
	r.Write(songStart, [][]float32{{3, -3, 0.5, -0.5}})
	r.End()
	r.close()
	if got := readBack(t, filepath.Join(dir, "2026-01-02-200000.wav")); !near(got, ramp(0, piece*pieces)) {
		t.Errorf("%d samples came back, or they differ", len(got))
	}
	if got := readBack(t, filepath.Join(dir, "2026-01-02-200000-2.wav")); !near(got, []float32{2 - 4.0/(1<<15), -2, 0.5, -0.5}) {
		t.Errorf("what is too loud comes back as %v, want it clipped", got)
	}
	index, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil || strings.Count(string(index), "<li>") != 2 || strings.Contains(string(index), "still being recorded") {
		t.Errorf("the list says %s (%v)", index, err)
	}
}

// What was left without FLAC, by a process that was killed, gets it at the next
// start.
func TestFLACIsMadeBesideEachRecording(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, _ := startRecorder(t, recording{dir: dir})
	r.Begin(songStart)
	r.Write(songStart, [][]float32{ramp(0, 24000)})
	r.End()
	r.close()
	songs, err := openSongs(recording{dir: dir}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	w := &flacWorker{songs: songs, log: quiet(), failed: map[string]bool{}}
	for want := range []int{1, 0} {
		if more := w.encodeOne(t.Context()); more != (want == 0) {
			t.Fatalf("look %d: there was something to do: %t", want, more)
		}
	}
	head, err := os.ReadFile(filepath.Join(dir, "2026-01-02-200000.flac"))
	if err != nil || !bytes.HasPrefix(head, []byte("fLaC")) {
		t.Errorf("%d bytes, %v", len(head), err)
	}
}

func TestStemsLieInAFolderOfTheSong(t *testing.T) {
	t.Parallel()
	r, _ := startRecorder(t, recording{stems: true})
	dir := r.folder.cfg.dir
	parts := make([][]float32, 2+brigade.Buckets)
	for i := range parts {
		parts[i] = ramp(100*i, 12000)
	}
	r.Begin(songStart)
	r.Write(songStart, parts)
	r.End()
	r.close()
	for i, name := range []string{".wav", "/backing.wav", "/bucket-1.wav", "/bucket-2.wav", "/bucket-3.wav", "/bucket-4.wav", "/bucket-5.wav", "/bucket-6.wav"} {
		if got := readBack(t, filepath.Join(dir, "2026-01-02-200000"+name)); !near(got, parts[i]) {
			t.Errorf("%s: %d samples, or they differ", name, len(got))
		}
	}
}

// A folder that goes away and comes back costs the samples in between, which are
// silent, and is said once each time.
func TestRecordingOutlivesTrouble(t *testing.T) {
	t.Parallel()
	const second = proto.SampleRate
	dir := filepath.Join(t.TempDir(), "recordings")
	var log syncBuffer
	songs, err := openSongs(recording{dir: dir}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	song := songs.begin(songStart)
	sing := func(from, to int) { // in quarters of a second
		for i := from; i < to; i++ {
			var pcm []int16
			for _, x := range ramp(i*second/4, second/4) {
				pcm = append(pcm, toRecorded(x))
			}
			song.write(job{what: writeSong, at: i * second / 4, parts: 1, pcm: pcm})
		}
	}
	if err := os.Rename(dir, dir+"-away"); err != nil {
		t.Fatal(err)
	}
	sing(0, 20)
	if n := strings.Count(log.String(), "recording is interrupted"); n != 1 {
		t.Errorf("the trouble is told %d times, want once:\n%s", n, log.String())
	}
	if err := os.Rename(dir+"-away", dir); err != nil {
		t.Fatal(err)
	}
	sing(20, 40)
	song.end()
	got := readBack(t, filepath.Join(dir, "2026-01-02-200000.wav"))
	if len(got) != 10*second {
		t.Fatalf("%d samples, want %d", len(got), 10*second)
	}
	lost := 0
	for lost < len(got) && got[lost] == 0 {
		lost++
	}
	if lost < 5*second || lost > 6*second || !near(got[lost:], ramp(lost, len(got)-lost)) {
		t.Errorf("%d samples are silent, want what was lost in 5 to 6 s, and then the song", lost)
	}
	if n := strings.Count(log.String(), "recording goes on"); n != 1 {
		t.Errorf("the end of the trouble is told %d times, want once:\n%s", n, log.String())
	}
}

// A disk that takes nothing for long costs samples, never memory, and the
// brigade never waits.
func TestSlowDiskCostsSamplesOnly(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	r.wake.L = &r.mu // no goroutine takes anything out
	part := [][]float32{make([]float32, proto.SampleRate/2)}
	r.Begin(songStart)
	for i := range 4 * maxQueued / len(part[0]) {
		r.Write(songStart.Add(i*len(part[0])), part)
	}
	if r.queued > maxQueued || r.queued < maxQueued-len(part[0]) {
		t.Errorf("%d samples wait, want about %d", r.queued, maxQueued)
	}
	r.End()
	for range 2 * maxJobs {
		r.Begin(songStart)
		r.Write(songStart, [][]float32{{1}})
		r.End()
	}
	if len(r.jobs) > maxJobs+2 {
		t.Errorf("%d jobs wait, want at most %d", len(r.jobs), maxJobs)
	}
	open := false
	for i, j := range r.jobs {
		if (j.what == beginSong) == open {
			t.Fatalf("job %d of %d is %d while a song is open: %t", i, len(r.jobs), j.what, open)
		}
		open = j.what != endSong
	}
}

func TestFolderThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := newRecorder(recording{dir: file}, quiet())
	if err == nil || !strings.Contains(err.Error(), "-recordings") || !strings.Contains(err.Error(), "is no folder") {
		t.Errorf("error %v", err)
	}
}

func TestRecordingAllocatesNothingOnTheRing(t *testing.T) {
	r := &recorder{}
	r.wake.L = &r.mu
	parts := [][]float32{make([]float32, 12000)}
	allocs := testing.AllocsPerRun(100, func() {
		r.Write(songStart, parts)
		j, _ := r.next()
		r.giveBack(j.pcm)
	})
	if allocs > 1 { // the queue's own
		t.Errorf("%.1f allocations a piece", allocs)
	}
}
