package audiofile

import (
	"bufio"
	"cmp"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/meta"
)

const (
	// flacBlock is the number of samples in a frame, all but the last: 85 ms.
	flacBlock = 4096
	// flacSumPlace is where in the file the MD5 sum of all samples stands: behind
	// the marks of file and block and 18 bytes of the stream information.
	flacSumPlace = 4 + 4 + 18
)

// EncodeFLAC makes a FLAC file of a WAV file as Take and WriteWAV write them: the
// same samples bit for bit, with their number and MD5 sum, in about half the
// space. The file appears under its name when it is complete and on the disk, with
// mode 0644. An hour takes a processor some twenty seconds, and little memory; ctx may
// end it before. Other WAV files and one without samples are errors.
func EncodeFLAC(ctx context.Context, wavPath, flacPath string) error {
	in, err := os.Open(wavPath)
	if err != nil {
		return fmt.Errorf("make FLAC: %w", err)
	}
	defer in.Close()
	err = replaceFile(flacPath, func(out *os.File) error {
		return encodeFLAC(ctx, bufio.NewReader(in), out)
	})
	if err != nil {
		return fmt.Errorf("make FLAC of %s: %w", wavPath, err)
	}
	return nil
}

// encodeFLAC is EncodeFLAC on open files.
func encodeFLAC(ctx context.Context, in *bufio.Reader, out *os.File) error {
	n, err := findTake(in)
	if err != nil {
		return err
	}
	// What the encoder gets cannot seek: it would go back and write the length of
	// the last block as the least one, which may be less than the format allows.
	packed := bufio.NewWriterSize(out, 1<<16)
	enc, err := flac.NewEncoder(packed, &meta.StreamInfo{
		BlockSizeMin: flacBlock, BlockSizeMax: flacBlock,
		SampleRate: SampleRate, NChannels: 1, BitsPerSample: 16, NSamples: uint64(n),
	})
	if err != nil {
		return err
	}
	enc.EnablePredictionAnalysis(false) // flacPlanner finds better ones in a fraction of the time
	var planner flacPlanner
	sum := md5.New()
	raw := make([]byte, 2*flacBlock)
	for left := n; left > 0; left -= len(raw) / 2 {
		if err := ctx.Err(); err != nil {
			return err
		}
		raw = raw[:2*min(left, flacBlock)]
		if _, err := io.ReadFull(in, raw); err != nil {
			return endOfFile(fmt.Sprintf("the last of %d samples", n), err)
		}
		sum.Write(raw) // FLAC sums samples as WAV has them
		if err := enc.WriteFrame(planner.frame(raw)); err != nil {
			return cmp.Or(packed.Flush(), err) // the first is the fault of the disk itself
		}
	}
	if err := packed.Flush(); err != nil {
		return err
	}
	_, err = out.WriteAt(sum.Sum(nil), flacSumPlace)
	return err
}

// findTake reads up to the first sample and gives the number of samples.
func findTake(in *bufio.Reader) (int, error) {
	_, size, err := findSamples(in, (*format).checkTake)
	if err != nil {
		return 0, err
	}
	n := int64(size) / 2
	switch {
	case size == 0:
		return 0, errors.New("there are no samples in it")
	case n > MaxSamples:
		return 0, tooLong(n, MaxSamples)
	case size%2 != 0:
		return 0, fmt.Errorf("%d bytes of samples are no whole number of samples of 2 bytes: the file is damaged", size)
	}
	return int(n), nil
}

// checkTake refuses all but what Take writes.
func (f *format) checkTake() error {
	if f.code != codeInteger || f.channels != 1 || f.rate != SampleRate || f.bits != 16 {
		return fmt.Errorf("format code %d, %d channels, %d Hz, %d bits, only what is recorded is allowed: integers (1), 1 channel, %d Hz, 16 bits; use another program (flac IN)",
			f.code, f.channels, f.rate, f.bits, SampleRate)
	}
	return f.checkFrame()
}
