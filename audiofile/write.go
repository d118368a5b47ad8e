package audiofile

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
)

// WriteWAV writes mono samples at 48 kHz as integers of 16 bits. What lies
// outside ±1 is clipped. The file appears under its name when it is complete and
// on the disk, with mode 0644, and replaces any before it; after an error there
// is no new one. A sample that is no number and more than MaxSamples are errors.
func WriteWAV(path string, pcm []float32) error {
	if len(pcm) > MaxSamples {
		return fmt.Errorf("write %s: %w", path, tooLong(int64(len(pcm)), MaxSamples))
	}
	err := replaceFile(path, func(file *os.File) error { return EncodeWAV(file, pcm) })
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// replaceFile has a file of mode 0644 written beside its place and moves it there
// when it is complete and on the disk. After an error what was there before stays,
// and nothing else; a process killed leaves its temporary file behind.
func replaceFile(path string, write func(*os.File) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), temporary(filepath.Base(path), "*"))
	if err != nil {
		return advise(err, path)
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
			err = advise(err, path)
		}
	}()
	if err = write(file); err != nil {
		return err
	}
	if err = file.Chmod(0o644); err != nil {
		return err
	}
	if err = file.Sync(); err != nil {
		return err
	}
	if err = file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// temporary is the name that a file has until it is complete, for example
// ".index.html-123.tmp".
func temporary(base, number string) string { return "." + base + "-" + number + ".tmp" }

// wavHeaderBytes is the size of what precedes the samples.
const wavHeaderBytes = 44

// EncodeWAV is WriteWAV to a stream.
func EncodeWAV(w io.Writer, pcm []float32) error {
	if len(pcm) > MaxSamples {
		return tooLong(int64(len(pcm)), MaxSamples)
	}
	out := bufio.NewWriterSize(w, 1<<16)
	out.Write(appendHeader(nil, len(pcm)))
	for i, x := range pcm {
		if math.IsNaN(float64(x)) {
			return fmt.Errorf("sample %d of %d is not a number", i, len(pcm))
		}
		sample := uint16(toInt16(x))
		out.WriteByte(byte(sample))
		out.WriteByte(byte(sample >> 8))
	}
	return out.Flush() // with the first error of all the writes
}

// appendHeader appends the 44 bytes before n samples.
func appendHeader(dst []byte, n int) []byte {
	const channels, sampleBytes = 1, 2
	little := binary.LittleEndian
	size := uint32(n * sampleBytes)
	dst = append(dst, "RIFF"...)
	dst = little.AppendUint32(dst, wavHeaderBytes-8+size)
	dst = append(dst, "WAVEfmt "...)
	dst = little.AppendUint32(dst, plainFormatBytes)
	dst = little.AppendUint16(dst, codeInteger)
	dst = little.AppendUint16(dst, channels)
	dst = little.AppendUint32(dst, SampleRate)
	dst = little.AppendUint32(dst, SampleRate*channels*sampleBytes)
	dst = little.AppendUint16(dst, channels*sampleBytes)
	dst = little.AppendUint16(dst, 8*sampleBytes)
	dst = append(dst, "data"...)
	return little.AppendUint32(dst, size)
}

// toInt16 rounds to the nearest step and clips: 0.5 is 16384, 1 and all above
// 32767, -1 and all below -32768.
func toInt16(x float32) int16 {
	scaled := math.Round(float64(x) * (1 << 15))
	return int16(min(max(scaled, math.MinInt16), math.MaxInt16))
}
