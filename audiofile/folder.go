package audiofile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

const (
	// MaxTracks bounds how many files of a folder are tracks: the first ones by
	// name.
	MaxTracks = 200
	// MaxFolderSamples bounds what a folder holds in memory, over all tracks:
	// 2 GB as float32, some 60 songs of three minutes.
	MaxFolderSamples = 500_000_000
)

// Folder is a folder of backing tracks, all of them in memory. One goroutine
// calls Scan every now and then; it alone touches the disk and decodes. Names and
// Track answer from what it has published last, for any goroutine and without
// ever waiting.
//
// A track is called by the name of its file. Left out are names that begin with a
// dot, README with any ending, what is no regular file, and what ReadTrack
// refuses; each of the last is logged once, until it changes.
type Folder struct {
	dir        string
	log        *slog.Logger
	maxTracks  int
	maxSamples int64

	published atomic.Pointer[trackList]

	// Of the goroutine that scans.
	files    map[string]*trackFile
	prefer   []string
	tooMany  int // as last logged
	inMemory int64
}

// trackList never changes once it is published.
type trackList struct {
	names  []string
	tracks map[string][]float32
}

// trackFile is what is known of a file.
type trackFile struct {
	stamp fileStamp
	pcm   []float32 // nil: it cannot be read, or there was no room
	// crowded is how many samples the other tracks took when there was no room
	// for this one; 0: there was, or it cannot be read.
	crowded int64
}

// fileStamp tells whether a file has changed.
type fileStamp struct {
	size     int64
	modified int64 // ns since 1970
}

func stampOf(info os.FileInfo) fileStamp {
	return fileStamp{info.Size(), info.ModTime().UnixNano()}
}

// NewFolder takes a folder that need not be there yet. Nothing is read before the
// first Scan; until then there are no tracks.
func NewFolder(dir string, log *slog.Logger) *Folder {
	f := &Folder{dir: dir, log: log, maxTracks: MaxTracks, maxSamples: MaxFolderSamples, files: map[string]*trackFile{}}
	f.published.Store(&trackList{})
	return f
}

// Names lists the tracks, sorted. The slice is shared: it must not be changed.
func (f *Folder) Names() []string { return f.published.Load().names }

// Track gives the samples of a track, mono at 48 kHz; false if there is none of
// that name. They are shared and stay as they are, whatever happens to the file.
func (f *Folder) Track(name string) ([]float32, bool) {
	pcm, ok := f.published.Load().tracks[name]
	return pcm, ok
}

// Prefer has files of these names decoded before all others. It is called by who
// scans.
func (f *Folder) Prefer(names ...string) { f.prefer = names }

// Scan looks at the folder. Files that are gone leave the list at once; new and
// changed ones are decoded one by one in the order of their names, and each is on
// the list as soon as it is decoded. When nothing has changed, that is one
// look at the folder and one at each file. A file that changes while it is read
// keeps its place for the next Scan. Where there is no more room in memory, a file
// is left out and logged, and tried again once others have gone.
//
// An error means that the folder cannot be read, and the tracks stay as they are;
// or it is ctx's, which stops the decoder too, and the next Scan goes on.
func (f *Folder) Scan(ctx context.Context) error {
	found, err := f.list()
	if err != nil {
		return fmt.Errorf("look for backing tracks: %w", err)
	}
	gone := false
	for name, file := range f.files {
		if _, ok := found[name]; !ok {
			delete(f.files, name)
			f.inMemory -= int64(len(file.pcm))
			gone = true
		}
	}
	if gone {
		f.publish()
	}
	for _, name := range append(slices.Clone(f.prefer), slices.Sorted(maps.Keys(found))...) {
		if _, ok := found[name]; ok && f.wants(name, found[name]) {
			f.load(ctx, name, found[name])
		}
	}
	return ctx.Err()
}

// list gives the files that may be tracks.
func (f *Folder) list() (map[string]fileStamp, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, err
	}
	found := map[string]fileStamp{}
	tooMany := 0
	for _, entry := range entries { // sorted
		if !entry.Type().IsRegular() || !mayBeTrack(entry.Name()) {
			continue
		}
		if len(found) == f.maxTracks {
			tooMany++
			continue
		}
		info, err := entry.Info()
		if err != nil {
			continue // gone between the two looks
		}
		found[entry.Name()] = stampOf(info)
	}
	if tooMany != f.tooMany && tooMany > 0 {
		f.log.Warn("too many backing tracks, the last by name are left out", "folder", f.dir, "allowed", f.maxTracks, "left_out", tooMany)
	}
	f.tooMany = tooMany
	return found, nil
}

// mayBeTrack says whether a file of that name is meant to be heard. Names travel
// as JSON, which can hold nothing but UTF-8.
func mayBeTrack(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	return stem != "" && !strings.EqualFold(stem, "README") && utf8.ValidString(name)
}

// wants says whether a file is to be decoded.
func (f *Folder) wants(name string, stamp fileStamp) bool {
	file, ok := f.files[name]
	return !ok || file.stamp != stamp || file.crowded > f.inMemory
}

// load decodes a file and publishes what came of it.
func (f *Folder) load(ctx context.Context, name string, stamp fileStamp) {
	path := filepath.Join(f.dir, name)
	before, had := f.files[name]
	others := f.inMemory
	if had {
		others -= int64(len(before.pcm))
	}
	began := time.Now()
	room := min(MaxSamples, f.maxSamples-others)
	pcm, err := readTrack(ctx, path, room)
	if ctx.Err() != nil {
		return
	}
	if info, statErr := os.Lstat(path); statErr != nil || stamp != stampOf(info) {
		return // still being written: what was read may be half of it
	}
	file := &trackFile{stamp: stamp, pcm: pcm}
	var long tooLongError
	switch {
	case errors.As(err, &long) && room < MaxSamples:
		file.crowded = others
		if !had || before.stamp != stamp {
			f.log.Warn("no memory left for a backing track: remove some, or this one", "file", path, "samples", others, "allowed", f.maxSamples)
		}
	case err != nil:
		f.log.Warn("not a backing track", "error", err)
	default:
		f.log.Info("backing track", "file", path, "seconds", len(pcm)/SampleRate, "decoded_in", time.Since(began).Round(time.Millisecond))
	}
	f.files[name] = file
	f.inMemory = others + int64(len(pcm))
	f.publish()
}

// publish shows the tracks as they are now.
func (f *Folder) publish() {
	list := &trackList{tracks: map[string][]float32{}}
	for name, file := range f.files {
		if file.pcm != nil {
			list.names = append(list.names, name)
			list.tracks[name] = file.pcm
		}
	}
	slices.Sort(list.names)
	f.published.Store(list)
}
