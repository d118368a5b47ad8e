package audiofile

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// ReadTrack reads a backing track: a WAV, MP3, FLAC, Ogg Vorbis or Ogg Opus
// file, told apart by what is in it and not by its name. Rates of 8 to 192 kHz
// and 1 to 8 channels (MP3 and Opus: 1 or 2) become mono at 48 kHz, the mean of
// the channels, and all tracks come out equally loud: see the package comment.
//
// The samples are finite and within ±1. A file of another kind, larger than
// MaxTrackBytes, longer than MaxSamples, without samples, cut short or damaged
// is an error that names file, value and what is allowed.
func ReadTrack(path string) ([]float32, error) {
	return readTrack(context.Background(), path, MaxSamples)
}

// readTrack is ReadTrack that stops with ctx, and with a limit in samples.
func readTrack(ctx context.Context, path string, limit int64) ([]float32, error) {
	// Asked before opening: opening a pipe would wait for its other end.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read %s: is no regular file but %v", path, info.Mode().Type())
	}
	if info.Size() > MaxTrackBytes {
		return nil, fmt.Errorf("read %s: %w", path, tooLarge(info.Size()))
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	pcm, err := decodeTrack(ctx, file, limit)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return pcm, nil
}

// DecodeTrack is ReadTrack from a stream, which errors call by name. Nothing is
// allocated on the word of a header: what is held was decoded. It may read on
// behind the sound.
func DecodeTrack(r io.Reader, name string) ([]float32, error) {
	return DecodeTrackWithin(context.Background(), r, name, MaxSamples)
}

// DecodeTrackWithin is DecodeTrack that stops with ctx's error some milliseconds
// after the end of ctx, and that takes at most so many samples at 48 kHz, up to
// MaxSamples: more are an ErrTooLong. What comes after decoding, setting the level,
// is not interrupted; it takes 15 ms a minute of sound.
func DecodeTrackWithin(ctx context.Context, r io.Reader, name string, samples int64) ([]float32, error) {
	pcm, err := decodeTrack(ctx, r, samples)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return pcm, nil
}

// kind is one format of files.
type kind struct {
	// is looks at the first headBytes of a file, or at all of it.
	is func(head []byte) bool
	// decode hands everything to the mixer.
	decode func(in *bufio.Reader, out *mixer) error
}

// kinds are tried in this order: MP3 last, as it has the vaguest beginning.
var kinds = []kind{
	{isWAV, decodeWAVTrack},
	{isFLAC, decodeFLAC},
	{isOgg, decodeOgg},
	{isMP3, decodeMP3},
}

// headBytes is how much of a file is looked at to tell its kind.
const headBytes = 1 << 16

// decodeTrack is DecodeTrackWithin without a name.
func decodeTrack(ctx context.Context, r io.Reader, limit int64) ([]float32, error) {
	out := newMixer(ctx, limit)
	if err := mixTrack(r, out); err != nil {
		return nil, err
	}
	return out.finish()
}

// mixTrack finds out what kind of file r is and decodes it.
func mixTrack(r io.Reader, out *mixer) error {
	in := bufio.NewReaderSize(&cappedReader{ctx: out.ctx, from: r}, headBytes)
	if _, err := skipTags(in); err != nil {
		return err
	}
	head, err := in.Peek(headBytes)
	if err != nil && err != io.EOF {
		return err
	}
	if len(head) == 0 {
		return errors.New("holds no sound: it has no bytes, or none behind its tags")
	}
	for _, k := range kinds {
		if k.is(head) {
			return k.decode(in, out)
		}
	}
	return fmt.Errorf("is neither WAV, MP3, FLAC, Ogg Vorbis nor Ogg Opus; its first bytes are % x; convert it first (ffmpeg -i IN OUT.flac)",
		head[:min(len(head), 16)])
}

// skipTags passes over the ID3v2 tags that may stand before any kind of file.
// A tag is "ID3", two bytes of version, flags and a size of four times 7 bits:
// 00 00 02 01 are 2·128+1 = 257 bytes behind these ten. Flag 10 promises ten
// more as a footer (ID3 tag version 2.4.0, section 3).
// skipped is in bytes.
func skipTags(in *bufio.Reader) (skipped int64, err error) {
	const tagHead = 10
	for {
		head, err := in.Peek(tagHead)
		if err == io.EOF || err == nil && !bytes.HasPrefix(head, []byte("ID3")) {
			return skipped, nil
		}
		if err != nil {
			return skipped, err
		}
		size := tagHead
		if head[5]&0x10 != 0 {
			size += tagHead
		}
		for i, b := range head[6:] {
			size += int(b&0x7F) << (7 * (3 - i))
		}
		if _, err := in.Discard(size); err != nil {
			return skipped, endOfFile(fmt.Sprintf("the rest of an ID3 tag of %d bytes", size), err)
		}
		skipped += int64(size)
	}
}

// cappedReader fails when a file turns out to be too large, or ctx ends.
type cappedReader struct {
	ctx  context.Context
	from io.Reader
	read int64
}

func (c *cappedReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.from.Read(p)
	c.read += int64(n)
	if c.read > MaxTrackBytes {
		return 0, tooLarge(c.read)
	}
	return n, err
}

func tooLarge(size int64) error {
	return fmt.Errorf("%d bytes or more, at most %d are allowed; store it as MP3, Vorbis or Opus, or cut it into parts", size, MaxTrackBytes)
}

// guard calls into a decoder that is not ours. Strangers upload the files, and
// such decoders index tables with what they read: a panic in one means that the
// file is damaged, and must not end the program. Nothing of ours runs within, so
// our own bugs still do.
func guard(decoder string, call func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the %s decoder gave up, the file is damaged: %v", decoder, fault)
		}
	}()
	return call()
}
