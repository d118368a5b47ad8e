package audiofile

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/frame"
)

// streamInfoHead is how every FLAC file begins: its mark, and the head of a
// block of kind 0 with 34 bytes. The bit left out says whether others follow.
const streamInfoHead = "fLaC\x00\x00\x00\x22"

// isFLAC asks for the stream information, as the decoder would parse any other
// block that stands there, with allocations as large as it says.
func isFLAC(head []byte) bool {
	return len(head) >= 8 && string(head[:4]) == "fLaC" && head[4]&0x7F == 0 && string(head[5:8]) == streamInfoHead[5:]
}

// decodeFLAC reads a FLAC file. Every frame ends in a checksum, so damage is
// found, and the header says how many samples there are.
func decodeFLAC(in *bufio.Reader, out *mixer) error {
	var stream *flac.Stream
	err := guard("FLAC", func() (err error) {
		stream, err = flac.New(in)
		return err
	})
	if err != nil {
		return flacFault(err)
	}
	info := stream.Info
	if err := out.start(int(info.SampleRate), int(info.NChannels)); err != nil {
		return err
	}
	var samples []float32
	for decoded := uint64(0); info.NSamples == 0 || decoded < info.NSamples; {
		f, err := nextFrame(stream)
		if err == io.EOF {
			if info.NSamples != 0 {
				return endOfFile(fmt.Sprintf("frame %d of %d", decoded, info.NSamples), err)
			}
			return nil
		}
		if err != nil {
			return flacFault(err)
		}
		decoded += uint64(len(f.Subframes[0].Samples))
		samples = interleave(samples[:0], f)
		if err := out.write(samples); err != nil {
			return err
		}
	}
	return nil
}

// nextFrame decodes one frame; io.EOF if there is none.
func nextFrame(stream *flac.Stream) (f *frame.Frame, err error) {
	err = guard("FLAC", func() (err error) {
		f, err = stream.Next()
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := checkFrame(f, stream); err != nil {
		return nil, err
	}
	if err := guard("FLAC", f.Parse); err != nil {
		if err == io.EOF { // the end between two frames only; here it is damage
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return f, nil
}

// checkFrame refuses what may not change from frame to frame.
func checkFrame(f *frame.Frame, stream *flac.Stream) error {
	info := stream.Info
	switch {
	case f.BitsPerSample == 0 || f.BitsPerSample != info.BitsPerSample:
		return fmt.Errorf("a frame of %d bits within %d bits, only one width of 8, 12, 16, 20 or 24 bits is allowed; convert it first (ffmpeg -i IN -sample_fmt s16 OUT.flac)",
			f.BitsPerSample, info.BitsPerSample)
	case f.Channels.Count() != int(info.NChannels):
		return fmt.Errorf("a frame of %d channels among %d", f.Channels.Count(), info.NChannels)
	case f.SampleRate != 0 && f.SampleRate != info.SampleRate:
		return fmt.Errorf("a frame at %d Hz among %d Hz", f.SampleRate, info.SampleRate)
	case f.BlockSize == 0:
		return errors.New("a frame without samples")
	}
	return nil
}

// interleave appends the samples of a frame, the channels side by side. At 16
// bits 16384 is 16384/32768 = 0.5.
func interleave(dst []float32, f *frame.Frame) []float32 {
	scale := 1 / float32(int64(1)<<(f.BitsPerSample-1))
	for i := range f.Subframes[0].Samples {
		for _, channel := range f.Subframes {
			dst = append(dst, float32(channel.Samples[i])*scale)
		}
	}
	return dst
}

func flacFault(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return endOfFile("more of FLAC", err)
	}
	return fmt.Errorf("the FLAC file is damaged: %w", err)
}
