package state

import (
	"log/slog"
	"sync"

	"bucketbrigade/brigade"
	"bucketbrigade/proto"
)

const (
	// maxQueued bounds what waits for a slow disk, in samples of 16 bits: 128 MB.
	maxQueued = 64 << 20
	// maxJobs bounds how many pieces wait, however short.
	maxJobs = 1 << 16
	// recordedScale makes 16 bits of a sample. Full scale is recorded at half of
	// it: what many sing together gets beyond.
	recordedScale = 1 << 14
)

// recorder takes songs from the brigade and writes them to disk on a goroutine
// of its own. In between lies a queue: the brigade's goroutine only ever copies.
// A piece for which there is no more room is lost; its place in the file stays
// silent.
type recorder struct {
	folder *folderOfSongs
	parts  int // of each song: the mix, and with stems backing and buckets
	done   chan struct{}

	mu     sync.Mutex
	wake   sync.Cond
	jobs   []job
	queued int // samples in jobs
	closed bool
	spare  [][]int16

	// Of the brigade's goroutine.
	began   proto.Clock
	skipped bool // the song at hand is not recorded
}

// job is one thing to do.
type job struct {
	what  jobKind
	start proto.Clock // of a song that begins
	at    int         // samples from the start of the song
	parts int
	pcm   []int16    // of all parts, one behind the other
	song  *songFiles // that is resumed
}

type jobKind uint8

const (
	beginSong jobKind = iota
	resumeSong
	writeSong
	endSong
)

// recording says what is recorded.
type recording struct {
	dir   string // none if empty
	keep  int    // songs; audiofile.DefaultKeep if 0
	stems bool
	flac  bool
}

// newRecorder makes the folder. Nothing is written before start.
func newRecorder(cfg recording, log *slog.Logger) (*recorder, error) {
	folder, err := openSongs(cfg, log)
	if err != nil {
		return nil, err
	}
	r := &recorder{folder: folder, parts: 1, done: make(chan struct{})}
	if cfg.stems {
		r.parts += 1 + brigade.Buckets
	}
	r.wake.L = &r.mu
	return r, nil
}

// start starts the goroutines; close ends them.
func (r *recorder) start() {
	r.folder.start()
	go r.run()
}

// Begin is brigade.Recorder's.
func (r *recorder) Begin(start proto.Clock) {
	r.began = start
	r.skipped = !r.push(job{what: beginSong, start: start})
}

// Resume is brigade.Recorder's. It is called before the goroutines start.
func (r *recorder) Resume(start proto.Clock) (samples int, ok bool) {
	song, err := r.folder.resume(start, r.parts)
	if err != nil {
		r.folder.log.Error("a recording ends early, the song goes on in another file", "song", start.Time(), "err", err)
		return 0, false
	}
	if song == nil {
		return 0, false
	}
	r.began, r.skipped = start, false
	r.enqueue(job{what: resumeSong, song: song})
	return song.next, true
}

// Write is brigade.Recorder's.
func (r *recorder) Write(at proto.Clock, parts [][]float32) {
	if r.skipped {
		return
	}
	n := len(parts) * len(parts[0])
	pcm, ok := r.buffer(n)
	if !ok {
		return
	}
	for _, part := range parts {
		for _, x := range part {
			pcm = append(pcm, toRecorded(x))
		}
	}
	r.push(job{what: writeSong, at: at.Sub(r.began), parts: len(parts), pcm: pcm})
}

// End is brigade.Recorder's.
func (r *recorder) End() {
	if !r.skipped {
		r.enqueue(job{what: endSong})
	}
}

// toRecorded gives a sample at half its level in 16 bits, clipped: 1 is 16384,
// 2 and all above 32767.
func toRecorded(x float32) int16 {
	return int16(max(-1<<15, min(1<<15-1, x*recordedScale)))
}

// buffer gives memory for n samples, if there is room in the queue for them.
func (r *recorder) buffer(n int) ([]int16, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.queued+n > maxQueued {
		return nil, false
	}
	if k := len(r.spare) - 1; k >= 0 {
		b := r.spare[k]
		r.spare = r.spare[:k]
		if cap(b) >= n {
			return b[:0], true
		}
	}
	return make([]int16, 0, n), true
}

// push queues j; false if the queue is full.
func (r *recorder) push(j job) bool {
	r.mu.Lock()
	full := len(r.jobs) >= maxJobs
	r.mu.Unlock()
	if !full {
		r.enqueue(j)
	}
	return !full
}

func (r *recorder) enqueue(j job) {
	r.mu.Lock()
	r.jobs = append(r.jobs, j)
	r.queued += len(j.pcm)
	r.mu.Unlock()
	r.wake.Signal()
}

// close writes what is queued and ends the goroutine. Nothing may be recorded
// any more.
func (r *recorder) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.wake.Signal()
	<-r.done
	r.folder.stop()
}

// run does the jobs, one after the other.
func (r *recorder) run() {
	defer close(r.done)
	var song *songFiles
	for {
		j, ok := r.next()
		switch {
		case !ok:
			if song != nil {
				song.end()
			}
			return
		case j.what == beginSong:
			song = r.folder.begin(j.start)
		case j.what == resumeSong:
			song = j.song
		case j.what == writeSong:
			song.write(j)
			r.giveBack(j.pcm)
		default:
			song.end()
			song = nil
		}
	}
}

// next waits for a job; false if there will be none.
func (r *recorder) next() (job, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.jobs) == 0 {
		if r.closed {
			return job{}, false
		}
		r.wake.Wait()
	}
	j := r.jobs[0]
	r.jobs[0] = job{}
	r.jobs = r.jobs[1:]
	if len(r.jobs) == 0 {
		r.jobs = nil // or the memory before it would stay
	}
	r.queued -= len(j.pcm)
	return j, true
}

// giveBack keeps a few buffers for later.
func (r *recorder) giveBack(pcm []int16) {
	const spares = 8
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.spare) < spares {
		r.spare = append(r.spare, pcm)
	}
}
