package audiofile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// mp3Frames reads the frames of a file one after the other.
type mp3Frames struct {
	in    *bufio.Reader
	first *mp3Header // nil before the first frame
	at    int64      // bytes since the first frame
	buf   []byte
}

// newMP3Frames goes to the first frame. What stands before it, up to headBytes,
// is passed over: many files have padding behind their tag.
func newMP3Frames(in *bufio.Reader) (*mp3Frames, error) {
	head, err := in.Peek(headBytes)
	if err != nil && err != io.EOF {
		return nil, err
	}
	_, err = in.Discard(max(firstMP3Frame(head), 0))
	return &mp3Frames{in: in}, err
}

// next gives a frame, valid until the next call; io.EOF behind the last. A last
// frame that is cut short is left out, as players do.
func (r *mp3Frames) next() (mp3Header, []byte, error) {
	for {
		head, err := r.in.Peek(mp3HeaderBytes)
		if err != nil {
			return mp3Header{}, nil, err // io.EOF, too, for up to three bytes left
		}
		h, ok := parseMP3Header(head)
		if !ok || r.first != nil && !h.sameStream(*r.first) {
			if err := r.pass(head); err != nil {
				return mp3Header{}, nil, err
			}
			continue
		}
		if r.first == nil {
			r.first = &h
		}
		r.buf = append(r.buf[:0], make([]byte, h.size)...)
		if _, err := io.ReadFull(r.in, r.buf); errors.Is(err, io.ErrUnexpectedEOF) {
			return h, nil, io.EOF
		} else if err != nil {
			return h, nil, err
		}
		r.at += int64(h.size)
		return h, r.buf, nil
	}
}

// pass is called where no frame is. It passes over a tag in between, and gives
// io.EOF at a tag that ends the file, or at some odd bytes at the very end, as the
// old tag of 128 bytes is.
func (r *mp3Frames) pass(head []byte) error {
	switch string(head) {
	case "APET", "LYRI": // APEv2, Lyrics3: can be long
		return io.EOF
	}
	if string(head[:3]) == "ID3" {
		skipped, err := skipTags(r.in)
		r.at += skipped
		if err != nil || skipped > 0 {
			return err
		}
	}
	rest, err := r.in.Peek(headBytes)
	if err != nil && err != io.EOF {
		return err
	}
	if len(rest) < headBytes && firstMP3Frame(rest) < 0 {
		return io.EOF
	}
	return fmt.Errorf("byte %d of the sound is % x, where a frame of MP3 should begin: the file is damaged", r.at, head)
}
