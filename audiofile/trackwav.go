package audiofile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

func isWAV(head []byte) bool {
	return len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WAVE"
}

// decodeWAVTrack reads a WAV file of any usual shape. A data chunk that claims
// more than any track may have was written to a pipe, by a program that could not
// know: it goes on to the end of the file.
func decodeWAVTrack(in *bufio.Reader, out *mixer) error {
	f, size, err := findSamples(in, (*format).checkTrack)
	if err != nil {
		return err
	}
	if err := out.start(f.rate, f.channels); err != nil {
		return err
	}
	frame := f.frameBytes()
	endless := size > MaxTrackBytes
	if !endless && int(size)%frame != 0 {
		return fmt.Errorf("%d bytes of samples are no whole number of frames of %d bytes: the file is damaged", size, frame)
	}
	sample, width := f.sample(), f.bits/8
	part := make([]byte, partFrames*frame)
	var samples []float32
	for left := int64(size); left > 0; {
		if !endless {
			part = part[:min(left, int64(len(part)))]
			left -= int64(len(part))
		}
		n, err := io.ReadFull(in, part)
		ended := endless && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF))
		if err != nil && !ended {
			return endOfFile(fmt.Sprintf("the last of %d bytes of samples", size), err)
		}
		samples = samples[:0]
		for raw := part[:n-n%frame]; len(raw) > 0; raw = raw[width:] {
			samples = append(samples, sample(raw))
		}
		if err := out.write(samples); err != nil {
			return err
		}
		if ended {
			return nil
		}
	}
	return nil
}
