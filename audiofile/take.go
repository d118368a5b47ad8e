package audiofile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// Take is a WAV file that grows, mono at 48 kHz with integers of 16 bits. It is a
// valid file at any moment: a process killed leaves all that WriteAt had written.
// A Take belongs to one goroutine.
type Take struct {
	path    string
	file    *os.File
	samples int // that the header tells of
	head    [wavHeaderBytes]byte
	raw     []byte // one piece as it lies in the file
}

// takePiece is how many samples are written at once: 11 s, 1 MB.
const takePiece = 1 << 19

// CreateTake makes the file, with mode 0644 and no samples. That it is there
// already is an error.
func CreateTake(path string) (*Take, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("begin a recording: %w", advise(err, path))
	}
	t := &Take{path: path, file: file}
	err = file.Chmod(0o644) // whatever the mask: a web server of another user reads it
	if err == nil {
		err = t.announce(0)
	}
	if err != nil {
		file.Close()
		os.Remove(path)
		return nil, fmt.Errorf("begin a recording: %w", advise(err, path))
	}
	return t, nil
}

// Len is how many samples the file has.
func (t *Take) Len() int { return t.samples }

// WriteAt puts samples where they belong: at is how many samples precede them,
// from 0 on. What is there already is overwritten; a gap before them becomes
// silence, and takes no space where the file system knows holes. A file never gets
// shorter. No samples change nothing.
//
// More than MaxSamples in all is an error that changes nothing. After any other
// error the file has as many samples as before, and the next WriteAt may succeed,
// at the same place or a later one.
func (t *Take) WriteAt(samples []int16, at int) error {
	if at < 0 {
		panic(fmt.Sprintf("audiofile: samples for place %d of %s", at, t.path))
	}
	if at > MaxSamples-len(samples) {
		return fmt.Errorf("record %s: %w", t.path, tooLong(int64(at)+int64(len(samples)), MaxSamples))
	}
	if len(samples) == 0 {
		return nil
	}
	if err := t.write(samples, at); err != nil {
		// Of what did not get a place in the header, some may lie in the file:
		// should the next samples leave a gap here, it would sound.
		if cut := t.file.Truncate(bytePlace(t.samples)); cut != nil {
			err = fmt.Errorf("%w, then %w", err, cut)
		}
		return fmt.Errorf("record samples %d to %d: %w", at, at+len(samples), advise(err, t.path))
	}
	return nil
}

// write writes samples, then their number: what the header tells of is there.
func (t *Take) write(samples []int16, at int) error {
	end := at + len(samples)
	for len(samples) > 0 {
		piece := samples[:min(len(samples), takePiece)]
		t.raw = appendInt16s(t.raw[:0], piece)
		if _, err := t.file.WriteAt(t.raw, bytePlace(at)); err != nil {
			return err
		}
		samples, at = samples[len(piece):], at+len(piece)
	}
	if end <= t.samples {
		return nil
	}
	return t.announce(end)
}

// announce writes the header for n samples. Its two sizes go in one call, so that
// no kill comes between them.
func (t *Take) announce(n int) error {
	if _, err := t.file.WriteAt(appendHeader(t.head[:0], n), 0); err != nil {
		return err
	}
	t.samples = n
	return nil
}

// Close sees to it that all is on the disk, and closes the file.
func (t *Take) Close() error {
	if err := errors.Join(t.file.Sync(), t.file.Close()); err != nil {
		return fmt.Errorf("end a recording: %w", advise(err, t.path))
	}
	return nil
}

// bytePlace is where a sample lies in a file with our header.
func bytePlace(sample int) int64 { return wavHeaderBytes + 2*int64(sample) }

// appendInt16s appends samples as they lie in a file.
func appendInt16s(dst []byte, samples []int16) []byte {
	for _, sample := range samples {
		dst = binary.LittleEndian.AppendUint16(dst, uint16(sample))
	}
	return dst
}
