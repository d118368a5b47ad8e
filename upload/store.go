package upload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"bucketbrigade/audiofile"
	"bucketbrigade/proto"
)

// Store takes uploads into a folder and gives images out. It may be used by any
// goroutine; several stores may share a folder.
type Store struct {
	dir        string
	log        *slog.Logger
	now        func() time.Time
	decodeTime time.Duration
	maxSamples int64 // of a track
	bounds     bounds
	underWay   chan struct{} // a token for each upload
	decoding   chan struct{} // a token for the one that is decoded and stored
}

// MakeDir makes the folder of uploads if it is missing, for its owner and to be
// read by the group.
func MakeDir(dir string) error {
	err := os.MkdirAll(dir, 0o750)
	if err == nil {
		_, err = os.ReadDir(dir)
	}
	if err != nil {
		return fmt.Errorf("folder of uploads: %w; make it for the user of this program, or name another with -uploads", err)
	}
	return nil
}

// NewStore takes a folder, which it makes if it is missing. log is told of files
// that cannot be removed.
func NewStore(dir string, log *slog.Logger) (*Store, error) {
	if err := MakeDir(dir); err != nil {
		return nil, err
	}
	probe, err := newTemp(dir)
	if err != nil {
		return nil, fmt.Errorf("folder of uploads: %w; let the user of this program write there, or name another with -uploads", err)
	}
	return &Store{
		dir:        dir,
		log:        log,
		now:        time.Now,
		decodeTime: DecodeTime,
		maxSamples: MaxTrackSamples,
		bounds:     bounds{MaxOfSession, MaxOfKind, MaxFolderBytes},
		underWay:   make(chan struct{}, MaxAtOnce),
		decoding:   make(chan struct{}, 1),
	}, errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// SaveTrack stores a backing track, any file that audiofile.ReadTrack reads, and
// gives the name of the file. An error is a *proto.Refusal if the upload is at
// fault: 400 empty or cut short, 408 sent too slowly, 413 too large, too long or
// takes too long to decode, 415 no track, 429 too many at once. It is ctx's if
// ctx ended; all others are our own trouble.
func (s *Store) SaveTrack(ctx context.Context, session proto.Session, body io.Reader) (file string, err error) {
	leave, err := s.enter()
	if err != nil {
		return "", err
	}
	defer leave()
	received, err := s.receive(ctx, body)
	if err != nil {
		return "", err
	}
	defer received.discard()
	// Samples take much memory: one track has them at a time, until they are in a
	// file.
	select {
	case s.decoding <- struct{}{}:
		defer func() { <-s.decoding }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	pcm, err := s.decode(ctx, received)
	if err != nil {
		return "", err
	}
	temp, err := s.newFile()
	if err != nil {
		return "", err
	}
	defer temp.discard()
	if err := audiofile.EncodeWAV(temp, pcm); err != nil {
		return "", fmt.Errorf("store a track: %w", err)
	}
	return s.keep(temp, fileName{kind: track, who: whoIs(session), ext: "wav"})
}

// SaveImage stores a PNG, JPEG or WebP as it is. The errors are those of
// SaveTrack.
func (s *Store) SaveImage(ctx context.Context, session proto.Session, body io.Reader) (file string, err error) {
	leave, err := s.enter()
	if err != nil {
		return "", err
	}
	defer leave()
	received, err := s.receive(ctx, body)
	if err != nil {
		return "", err
	}
	defer received.discard()
	ext, err := imageExt(received)
	if err != nil {
		return "", proto.Refuse(http.StatusUnsupportedMediaType, "the image %v", err)
	}
	return s.keep(received, fileName{kind: image, who: whoIs(session), ext: ext})
}

// enter takes a place among the uploads under way.
func (s *Store) enter() (leave func(), err error) {
	select {
	case s.underWay <- struct{}{}:
		return func() { <-s.underWay }, nil
	default:
		return nil, proto.Refuse(http.StatusTooManyRequests, "%d uploads are under way, more are not taken; try again soon", cap(s.underWay))
	}
}

// receive stores a body, whatever it is, in a temporary file and goes back to its
// beginning.
func (s *Store) receive(ctx context.Context, body io.Reader) (*tempFile, error) {
	temp, err := s.newFile()
	if err != nil {
		return nil, err
	}
	if err := temp.fill(ctx, body); err != nil {
		temp.discard()
		return nil, err
	}
	return temp, nil
}

// decode gives the samples of a track.
func (s *Store) decode(ctx context.Context, file io.Reader) ([]float32, error) {
	limited, cancel := context.WithTimeout(ctx, s.decodeTime)
	defer cancel()
	pcm, err := audiofile.DecodeTrackWithin(limited, file, "the upload", s.maxSamples)
	switch {
	case err == nil:
		return pcm, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case limited.Err() != nil:
		return nil, proto.Refuse(http.StatusRequestEntityTooLarge, "the track takes longer than %v to decode; make it shorter, or convert it to FLAC first", s.decodeTime)
	case errors.Is(err, audiofile.ErrTooLong):
		return nil, proto.Refuse(http.StatusRequestEntityTooLarge, "the track is too long: %v", err)
	}
	return nil, proto.Refuse(http.StatusUnsupportedMediaType, "this is no track: %v", err)
}

// keep gives a temporary file its name, complete and on the disk, and removes
// what is then too much.
func (s *Store) keep(temp *tempFile, n fileName) (file string, err error) {
	if err := errors.Join(temp.Chmod(0o640), temp.Sync()); err != nil {
		return "", fmt.Errorf("store an upload: %w", err)
	}
	uploads, _, err := list(s.dir)
	if err != nil {
		return "", fmt.Errorf("store an upload: %w", err)
	}
	n.id, n.stamp = newID(), s.now().UnixNano()
	if len(uploads) > 0 {
		n.stamp = max(n.stamp, uploads[0].stamp+1)
	}
	file = n.String()
	if err := os.Rename(temp.Name(), filepath.Join(s.dir, file)); err != nil {
		return "", fmt.Errorf("store an upload: %w", err)
	}
	temp.kept = true
	if err := s.tidy(file); err != nil {
		s.log.Warn("old uploads stay", "error", err)
	}
	return file, nil
}

// Image is an uploaded image, open for reading. It has to be closed.
type Image struct {
	*os.File
	Type     string // such as "image/png"
	Modified time.Time
}

// OpenImage opens the image with an id. 404, a *proto.Refusal, is the error if
// there is none, whatever the id looks like; all others are our own trouble.
func (s *Store) OpenImage(id string) (*Image, error) {
	none := proto.Refuse(http.StatusNotFound, "there is no image %s, or no longer", proto.Shown(id))
	if !isID(id) {
		return nil, none
	}
	uploads, _, err := list(s.dir)
	if err != nil {
		return nil, fmt.Errorf("look for an image: %w", err)
	}
	for _, u := range uploads {
		if u.kind != image || u.id != id {
			continue
		}
		file, err := os.Open(filepath.Join(s.dir, u.name))
		if errors.Is(err, os.ErrNotExist) {
			return nil, none
		}
		if err != nil {
			return nil, fmt.Errorf("open an image: %w", err)
		}
		return &Image{File: file, Type: imageTypes[u.ext], Modified: u.info.ModTime()}, nil
	}
	return nil, none
}
