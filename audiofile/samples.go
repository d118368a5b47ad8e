package audiofile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// unknownSize stands in the header of a file that was written to a pipe: its
// samples go on to the end of the file.
const unknownSize = math.MaxUint32

// partFrames is how many frames are read at a time.
const partFrames = 4096

// readSamples reads a data chunk of a size and at most limit samples.
func readSamples(in *bufio.Reader, f *format, size uint32, limit int64) ([]float32, error) {
	frame := f.frameBytes()
	wanted := int64(size) / int64(frame)
	switch {
	case size == unknownSize:
		wanted = limit + 1
	case wanted > limit:
		return nil, tooLong(wanted, limit)
	case int64(size)%int64(frame) != 0:
		return nil, fmt.Errorf("%d bytes of samples are no whole number of frames of %d bytes: the file is damaged", size, frame)
	}
	var pcm []float32
	part := make([]byte, partFrames*frame)
	for ended := false; !ended && int64(len(pcm)) < wanted; {
		want := int(min(wanted-int64(len(pcm)), partFrames)) * frame
		n, err := io.ReadFull(in, part[:want])
		ended = size == unknownSize && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF))
		if err != nil && !ended {
			return nil, endOfFile(fmt.Sprintf("the last of %d bytes of samples", size), err)
		}
		pcm = f.appendFrames(pcm, part[:n-n%frame])
	}
	if int64(len(pcm)) > limit {
		return nil, tooLong(int64(len(pcm)), limit)
	}
	if err := checkFinite(pcm); err != nil {
		return nil, err
	}
	return pcm, nil
}

// checkFinite refuses what no addition would ever get rid of.
func checkFinite(pcm []float32) error {
	for i, x := range pcm {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return fmt.Errorf("sample %d is %v, only finite numbers are allowed: the file is damaged", i, x)
		}
	}
	return nil
}

// appendFrames appends the mean of the channels of each frame in raw.
func (f *format) appendFrames(pcm []float32, raw []byte) []float32 {
	sample, width := f.sample(), f.bits/8
	if f.channels == 1 {
		for ; len(raw) > 0; raw = raw[width:] {
			pcm = append(pcm, sample(raw))
		}
		return pcm
	}
	for ; len(raw) > 0; raw = raw[2*width:] {
		// Halved before they are added, so that no sum overflows.
		pcm = append(pcm, sample(raw)/2+sample(raw[width:])/2)
	}
	return pcm
}

// sample gives the function that reads one sample. 24 bits, for example, are
// FF FF 7F for 8388607/8388608, just below 1, and 00 00 80 for -1.
func (f *format) sample() func([]byte) float32 {
	little := binary.LittleEndian
	switch {
	case f.code == codeFloat && f.bits == 64:
		return func(b []byte) float32 { return float32(math.Float64frombits(little.Uint64(b))) }
	case f.code == codeFloat:
		return func(b []byte) float32 { return math.Float32frombits(little.Uint32(b)) }
	case f.bits == 8: // the one width without a sign: 0 is -1, 128 is 0
		return func(b []byte) float32 { return float32(int(b[0])-128) / (1 << 7) }
	case f.bits == 16:
		return func(b []byte) float32 { return float32(int16(little.Uint16(b))) / (1 << 15) }
	case f.bits == 24:
		return func(b []byte) float32 {
			return float32(int32(uint32(little.Uint16(b))<<8|uint32(b[2])<<24)>>8) / (1 << 23)
		}
	default:
		return func(b []byte) float32 { return float32(int32(little.Uint32(b))) / (1 << 31) }
	}
}
