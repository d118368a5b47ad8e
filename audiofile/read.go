package audiofile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// ReadWAV reads a whole file as mono samples at 48 kHz; two channels become
// their mean. Integers come out within ±1, floats as they are. A file of another
// kind, of more than MaxSamples, cut short, or with a sample that is no number,
// is an error that names file, value and what is allowed.
func ReadWAV(path string) ([]float32, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	pcm, err := DecodeWAV(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return pcm, nil
}

// DecodeWAV is ReadWAV from a stream. It holds no more memory than samples have
// arrived, whatever the sizes in the header say, and stops behind the samples.
func DecodeWAV(r io.Reader) ([]float32, error) {
	return decodeWAV(r, MaxSamples)
}

// decodeWAV is DecodeWAV with a limit.
func decodeWAV(r io.Reader, limit int64) ([]float32, error) {
	in := bufio.NewReader(r)
	f, size, err := findSamples(in, (*format).checkPlain)
	if err != nil {
		return nil, err
	}
	return readSamples(in, f, size, limit)
}

// findSamples reads up to the first sample. It gives the format, which check
// has let pass, and the size of the data chunk.
func findSamples(in *bufio.Reader, check func(*format) error) (f *format, size uint32, err error) {
	var head [12]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return nil, 0, endOfFile("a RIFF header of 12 bytes", err)
	}
	if string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return nil, 0, fmt.Errorf("begins with %q and %q, a WAV file with \"RIFF\" and \"WAVE\"; convert it first (sox IN -r 48000 OUT.wav)", head[:4], head[8:])
	}
	for {
		id, size, err := nextChunk(in)
		if err != nil {
			return nil, 0, err
		}
		switch {
		case id == "fmt " && f == nil:
			if f, err = readFormat(in, size); err == nil {
				err = check(f)
			}
		case id == "data" && f != nil:
			return f, size, nil
		case id == "data":
			err = errors.New("the samples come before their format")
		default:
			err = discard(in, chunkBytes(size))
		}
		if err != nil {
			return nil, 0, err
		}
	}
}

// nextChunk reads the head of a chunk: its name and size in bytes.
func nextChunk(in *bufio.Reader) (id string, size uint32, err error) {
	var head [8]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return "", 0, endOfFile("a \"data\" chunk with the samples", err)
	}
	return string(head[:4]), binary.LittleEndian.Uint32(head[4:]), nil
}

// chunkBytes is what the body of a chunk of a size takes, with its padding.
func chunkBytes(size uint32) int64 { return int64(size) + int64(size&1) }

// discard passes over n bytes.
func discard(in *bufio.Reader, n int64) error {
	if _, err := io.CopyN(io.Discard, in, n); err != nil {
		return endOfFile(fmt.Sprintf("%d more bytes of a chunk", n), err)
	}
	return nil
}

// endOfFile says what was missing when a read failed.
func endOfFile(wanted string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the file ends where %s should be: it was cut short: %w", wanted, io.ErrUnexpectedEOF)
	}
	return err
}
