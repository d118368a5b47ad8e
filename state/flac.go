package state

import (
	"context"
	"log/slog"
	"runtime"

	"golang.org/x/sys/unix"

	"bucketbrigade/audiofile"
)

// flacWorker makes a FLAC file beside each recording that lacks one. It is a
// goroutine of its own, on a thread that yields to everything else: the ring
// must not wait for it. What it does not come to is done at the next start.
type flacWorker struct {
	songs  *folderOfSongs
	log    *slog.Logger
	poke   chan struct{}
	cancel context.CancelFunc
	done   chan struct{}
	failed map[string]bool // what cannot be had, said once
}

// lowestPriority is that of a thread (setpriority(2)).
const lowestPriority = 19

func startFLAC(songs *folderOfSongs) *flacWorker {
	ctx, cancel := context.WithCancel(context.Background())
	w := &flacWorker{
		songs: songs, log: songs.log,
		poke: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{}),
		failed: make(map[string]bool),
	}
	go w.run(ctx)
	w.wake()
	return w
}

func (w *flacWorker) wake() {
	select {
	case w.poke <- struct{}{}:
	default: // it will look anyway
	}
}

func (w *flacWorker) stop() {
	w.cancel()
	<-w.done
}

func (w *flacWorker) run(ctx context.Context) {
	defer close(w.done)
	runtime.LockOSThread() // never unlocked: the thread ends with its priority
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, lowestPriority); err != nil {
		w.log.Warn("FLAC is made at full priority", "err", err)
	}
	for {
		select {
		case <-w.poke:
			for ctx.Err() == nil && w.encodeOne(ctx) {
			}
		case <-ctx.Done():
			return
		}
	}
}

// encodeOne encodes the newest recording that lacks FLAC; false if there is
// none.
func (w *flacWorker) encodeOne(ctx context.Context) bool {
	name := w.songs.lacksFLAC(w.failed)
	if name == "" {
		return false
	}
	folder := w.songs.folder
	if err := audiofile.EncodeFLAC(ctx, folder.WAV(name), folder.FLAC(name)); err != nil {
		if ctx.Err() == nil {
			w.failed[name] = true
			w.log.Warn("a recording stays without FLAC", "song", name, "err", err)
		}
		return true
	}
	w.songs.show()
	return true
}
