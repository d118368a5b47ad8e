package audiofile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"time"
)

// OpenTake opens a file that CreateTake has made, to go on with it. A file that is
// none, or that lacks samples that its header tells of, is an error.
func OpenTake(path string) (*Take, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("go on with a recording: %w", advise(err, path))
	}
	t := &Take{path: path, file: file}
	if err := t.readHeader(); err != nil {
		file.Close()
		return nil, fmt.Errorf("go on with a recording: %w", err)
	}
	return t, nil
}

// readHeader finds how many samples there are.
func (t *Take) readHeader() error {
	if _, err := io.ReadFull(t.file, t.head[:]); err != nil {
		return fmt.Errorf("%s has no header: %w", t.path, err)
	}
	const sizeAt = wavHeaderBytes - 4 // of the samples, the last field
	n := int(binary.LittleEndian.Uint32(t.head[sizeAt:]) / 2)
	if n > MaxSamples || !bytes.Equal(appendHeader(nil, n), t.head[:]) {
		return fmt.Errorf("%s is no recording of ours", t.path)
	}
	info, err := t.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < bytePlace(n) {
		return fmt.Errorf("%s has %d bytes, its header tells of %d samples", t.path, info.Size(), n)
	}
	t.samples = n
	return nil
}

// Newest gives the song that began at start, to the second; of several the last one.
// False if
// there is none.
func (r *Recordings) Newest(start time.Time) (name string, ok bool, err error) {
	songs, err := r.songs()
	for _, s := range songs { // the newest first
		if s.wav != nil && s.start.Equal(start.UTC().Truncate(time.Second)) {
			return s.String(), true, nil
		}
	}
	return "", false, err
}
