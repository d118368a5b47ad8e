package upload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"bucketbrigade/proto"
)

// tempFile is a file that is gone in the end unless it was kept under another
// name.
type tempFile struct {
	*os.File
	kept bool
}

func (s *Store) newFile() (*tempFile, error) {
	file, err := newTemp(s.dir)
	if err != nil {
		return nil, fmt.Errorf("store an upload: %w", err)
	}
	return &tempFile{File: file}, nil
}

// discard closes the file and removes it, unless it was kept. What cannot be
// removed now is so an hour later.
func (t *tempFile) discard() {
	_ = t.Close()
	if !t.kept {
		_ = os.Remove(t.Name())
	}
}

// fill writes all of body and goes back to the beginning.
func (t *tempFile) fill(ctx context.Context, body io.Reader) error {
	from := &sender{from: body}
	n, err := io.Copy(t, io.LimitReader(from, MaxBytes+1))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(from.err, os.ErrDeadlineExceeded):
		return proto.Refuse(http.StatusRequestTimeout, "the upload took too long to arrive, %d bytes did", n)
	case from.err != nil:
		return proto.Refuse(http.StatusBadRequest, "the upload ends after %d bytes: %s", n, proto.Shown(from.err.Error()))
	case err != nil:
		return fmt.Errorf("store an upload: %w", err)
	case n > MaxBytes:
		return TooLarge()
	case n == 0:
		return proto.Refuse(http.StatusBadRequest, "the upload is empty")
	}
	if _, err := t.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("store an upload: %w", err)
	}
	return nil
}

// TooLarge is the refusal of a body beyond MaxBytes.
func TooLarge() *proto.Refusal {
	return proto.Refuse(http.StatusRequestEntityTooLarge, "the upload is larger than %d bytes (16 MiB)", MaxBytes)
}

// sender remembers why it could not be read, to tell the sender's fault from the
// disk's.
type sender struct {
	from io.Reader
	err  error
}

func (s *sender) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}
