package state

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"bucketbrigade/audiofile"
	"bucketbrigade/brigade"
	"bucketbrigade/proto"
	"bucketbrigade/upload"
)

// shelf is what the brigade plays from files. Its goroutines look at the folders
// and decode; the brigade asks what they have published last.
type shelf struct {
	tracks  *audiofile.Folder // nil: there is no folder of tracks
	uploads *upload.Index     // nil: nothing is uploaded
	log     *slog.Logger
}

// newShelf makes the folder of uploads if it is missing. That of tracks may come
// later.
func newShelf(s Settings) (*shelf, error) {
	f := &shelf{log: s.Log}
	if s.TracksDir != "" {
		f.tracks = audiofile.NewFolder(s.TracksDir, s.Log)
	}
	if s.UploadsDir != "" {
		if err := upload.MakeDir(s.UploadsDir); err != nil {
			return nil, err
		}
		f.uploads = upload.NewIndex(s.UploadsDir, s.Log)
	}
	return f, nil
}

// fill gives the brigade what there is.
func (f *shelf) fill(c *brigade.Config) {
	if f.tracks != nil {
		c.Tracks = f.tracks
	}
	if f.uploads != nil {
		c.Uploads = f.uploads
	}
}

// await has tracks decoded before all others. It is called before start.
func (f *shelf) await(names []string) {
	if f.tracks != nil {
		f.tracks.Prefer(names...)
	}
}

// status answers proto.KindUploaded.
func (f *shelf) status(file string) string {
	if f.uploads == nil {
		return proto.UploadFailed + "the state server was started without -uploads"
	}
	return f.uploads.Status(file)
}

// start looks at the folders from now on until stop is called, which waits for a
// look under way.
func (f *shelf) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var looking sync.WaitGroup
	if f.tracks != nil {
		looking.Go(func() { f.scanTracks(ctx) })
	}
	if f.uploads != nil {
		looking.Go(func() { f.uploads.Run(ctx) })
	}
	return func() { cancel(); looking.Wait() }
}

// scanTracks looks at the folder of tracks once a second until ctx ends.
func (f *shelf) scanTracks(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	said := ""
	for ctx.Err() == nil {
		trouble := ""
		if err := f.tracks.Scan(ctx); err != nil && ctx.Err() == nil {
			trouble = err.Error()
		}
		if trouble != said && trouble != "" {
			f.log.Warn("no backing tracks: make the folder, or name another with -tracks", "error", trouble)
		}
		said = trouble
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}
