package upload

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"bucketbrigade/audiofile"
	"bucketbrigade/proto"
)

// Index knows what a folder of uploads holds. One goroutine, Run's, alone touches
// the disk. All other methods answer from what it has published last, for any
// goroutine and without ever waiting.
//
// In memory are the newest tracks of all sessions, the newest first, as far as
// there is room; the newest of all always is. Samples stay as they are, and stay
// alive for whoever plays them, whatever becomes of the file.
type Index struct {
	dir        string
	log        *slog.Logger
	maxSamples int64
	poked      chan struct{}

	published atomic.Pointer[listing]

	// Of the goroutine that scans.
	names []string             // as last seen, the newest first
	pcm   map[string][]float32 // by file
	bad   map[string]string    // by file: why it cannot be read
}

// listing never changes once it is published.
type listing struct {
	status map[string]string    // by file: proto.UploadReady, or why it never will be
	tracks map[string][]float32 // by file
	newest map[kind]newest
}

// newest are the last uploads of one kind: files of tracks, ids of images; "" or
// absent if there is none.
type newest struct {
	of    map[string]string // by hash of a session
	ofAll string
}

// NewIndex takes a folder that need not be there yet. Until the first Scan nothing
// was uploaded.
func NewIndex(dir string, log *slog.Logger) *Index {
	x := &Index{
		dir: dir, log: log, maxSamples: maxIndexSamples, poked: make(chan struct{}, 1),
		pcm: map[string][]float32{}, bad: map[string]string{},
	}
	x.published.Store(&listing{})
	return x
}

// NewestTrack gives the file of the last track uploaded in a session, or if that
// session uploaded none, of the last one of all; "" if there is none. A session
// whose own track is not in memory does not get somebody else's.
func (x *Index) NewestTrack(session proto.Session) string {
	file := x.newestOf(track, session)
	if _, ok := x.Track(file); !ok {
		return ""
	}
	return file
}

// NewestImage gives the id of the last image uploaded in a session, or if that
// session uploaded none, of the last one of all; "" if there is none.
func (x *Index) NewestImage(session proto.Session) string { return x.newestOf(image, session) }

func (x *Index) newestOf(k kind, session proto.Session) string {
	n := x.published.Load().newest[k]
	if own := n.of[whoIs(session)]; own != "" {
		return own
	}
	return n.ofAll
}

// Track gives the samples of a file, mono at 48 kHz and within ±1; false if it is
// not in memory.
func (x *Index) Track(file string) ([]float32, bool) {
	pcm, ok := x.published.Load().tracks[file]
	return pcm, ok
}

// Status tells how far a file is that was put into the folder: proto.UploadReady,
// or proto.UploadPending, which has Run look at once, or behind
// proto.UploadFailed why it cannot be used.
func (x *Index) Status(file string) string {
	if _, ours := parseName(file); !ours {
		return proto.UploadFailed + proto.Shown(file) + " is no name of an upload"
	}
	if status := x.published.Load().status[file]; status != "" {
		return status
	}
	select {
	case x.poked <- struct{}{}:
	default: // it is about to look anyway
	}
	return proto.UploadPending
}

// Run scans once a second, and whenever somebody asks for what is not known yet,
// until ctx ends.
func (x *Index) Run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	said := ""
	for ctx.Err() == nil {
		trouble := ""
		if err := x.Scan(ctx); err != nil && ctx.Err() == nil {
			trouble = err.Error()
		}
		if trouble != said && trouble != "" {
			x.log.Error("no uploads", "error", trouble)
		}
		said = trouble
		select {
		case <-tick.C:
		case <-x.poked:
		case <-ctx.Done():
		}
	}
}

// Scan looks at the folder and loads tracks that are new. Each can be had as soon
// as it is loaded, all else at once. An error means that the folder cannot be read,
// and everything stays as it is; or it is ctx's.
func (x *Index) Scan(ctx context.Context) error {
	uploads, _, err := list(x.dir)
	if err != nil {
		return fmt.Errorf("look for uploads: %w", err)
	}
	names := make([]string, len(uploads))
	for i, u := range uploads {
		names[i] = u.name
	}
	if slices.Equal(names, x.names) {
		return nil
	}
	x.forget(names)
	wanted, crowded := x.choose(uploads)
	for file := range x.pcm {
		if !slices.Contains(wanted, file) {
			delete(x.pcm, file)
		}
	}
	x.publish(uploads, wanted, crowded)
	for _, file := range wanted {
		if ctx.Err() != nil {
			return ctx.Err() // the names stay unseen, so the next Scan goes on
		}
		if x.pcm[file] == nil && x.bad[file] == "" {
			x.load(file)
			x.publish(uploads, wanted, crowded)
		}
	}
	x.names = names
	return nil
}

// forget drops what is known of files that are gone.
func (x *Index) forget(names []string) {
	for file := range x.bad {
		if !slices.Contains(names, file) {
			delete(x.bad, file)
		}
	}
}

// choose gives the tracks that belong into memory, the newest first, and those for
// which there is no room. A file of n bytes has n/2 samples.
func (x *Index) choose(uploads []entry) (wanted, crowded []string) {
	seen := map[string]bool{}
	room := x.maxSamples
	for _, u := range uploads {
		if u.kind != track || seen[u.who] {
			continue
		}
		seen[u.who] = true
		if samples := u.info.Size() / 2; len(wanted) == 0 || samples <= room {
			wanted = append(wanted, u.name)
			room -= samples
		} else {
			crowded = append(crowded, u.name)
		}
	}
	return wanted, crowded
}

// maxWAVBytes is the size of the largest file that a Store writes.
const maxWAVBytes = 44 + 2*MaxTrackSamples

// load reads one track.
func (x *Index) load(file string) {
	path := filepath.Join(x.dir, file)
	began := time.Now()
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxWAVBytes {
		err = fmt.Errorf("%s has %d bytes, at most %d are allowed", path, info.Size(), maxWAVBytes)
	}
	var pcm []float32
	if err == nil {
		pcm, err = audiofile.ReadWAV(path)
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		x.bad[file] = "it was removed"
	case err == nil && len(pcm) == 0:
		x.bad[file] = "it holds no samples"
	case err != nil:
		x.bad[file] = "it cannot be read"
		x.log.Error("an uploaded track cannot be read", "error", err)
	default:
		x.pcm[file] = pcm
		x.log.Info("uploaded track", "file", path, "seconds", len(pcm)/audiofile.SampleRate, "loaded_in", time.Since(began).Round(time.Millisecond))
	}
}

// publish shows what there is now.
func (x *Index) publish(uploads []entry, wanted, crowded []string) {
	l := &listing{status: map[string]string{}, tracks: map[string][]float32{}, newest: map[kind]newest{
		track: {of: map[string]string{}}, image: {of: map[string]string{}},
	}}
	for _, u := range uploads { // the newest first
		value := u.name
		if u.kind == image {
			value = u.id
		}
		n := l.newest[u.kind]
		if n.ofAll == "" {
			n.ofAll = value
			l.newest[u.kind] = n
		}
		if n.of[u.who] == "" {
			n.of[u.who] = value
		}
		l.status[u.name] = proto.UploadReady // nobody waits for a track that is followed by another
	}
	for _, file := range wanted {
		delete(l.status, file)
		if pcm := x.pcm[file]; pcm != nil {
			l.tracks[file], l.status[file] = pcm, proto.UploadReady
		} else if why := x.bad[file]; why != "" {
			l.status[file] = proto.UploadFailed + why
		}
	}
	for _, file := range crowded {
		l.status[file] = proto.UploadFailed + "there is no memory left for it beside newer ones"
	}
	x.published.Store(l)
}
