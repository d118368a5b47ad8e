package audiofile

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// Codes of sample formats.
const (
	codeInteger    = 1
	codeFloat      = 3
	codeExtensible = 0xFFFE
)

// extensionTail is bytes 2 to 15 of the identifier that holds the code of an
// extensible format.
const extensionTail = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

// format is what a file says about its samples.
type format struct {
	code      uint16 // codeInteger or codeFloat
	channels  int
	rate      int // in Hz
	bits      int // of one sample of one channel
	saidFrame int // frameBytes as the file has it
}

// frameBytes is the size of one sample of every channel.
func (f *format) frameBytes() int { return f.channels * f.bits / 8 }

const (
	plainFormatBytes      = 16
	extensibleFormatBytes = 40
)

// readFormat reads a format chunk of a size, unchecked.
func readFormat(in *bufio.Reader, size uint32) (*format, error) {
	if size < plainFormatBytes {
		return nil, fmt.Errorf("a format chunk of %d bytes, at least %d are needed", size, plainFormatBytes)
	}
	var raw [extensibleFormatBytes]byte
	n := min(size, extensibleFormatBytes)
	if _, err := io.ReadFull(in, raw[:n]); err != nil {
		return nil, endOfFile(fmt.Sprintf("a format chunk of %d bytes", size), err)
	}
	f := &format{
		code:      binary.LittleEndian.Uint16(raw[0:]),
		channels:  int(binary.LittleEndian.Uint16(raw[2:])),
		rate:      int(binary.LittleEndian.Uint32(raw[4:])),
		saidFrame: int(binary.LittleEndian.Uint16(raw[12:])),
		bits:      int(binary.LittleEndian.Uint16(raw[14:])),
	}
	if f.code == codeExtensible {
		if n < extensibleFormatBytes || string(raw[26:]) != extensionTail {
			return nil, fmt.Errorf("an extended format chunk of %d bytes without a known sample format; convert it to 16 bits first (sox IN -b 16 OUT.wav)", size)
		}
		f.code = binary.LittleEndian.Uint16(raw[24:])
	}
	return f, discard(in, chunkBytes(size)-int64(n))
}

// checkPlain refuses all but what ReadWAV reads.
func (f *format) checkPlain() error {
	if f.rate != SampleRate {
		return fmt.Errorf("a sample rate of %d Hz, only %d Hz is allowed; convert it first (sox IN -r %d OUT.wav)", f.rate, SampleRate, SampleRate)
	}
	if f.channels != 1 && f.channels != 2 {
		return fmt.Errorf("%d channels, only 1 or 2 are allowed; mix it down first (sox IN -c 1 OUT.wav)", f.channels)
	}
	integer := f.code == codeInteger && (f.bits == 16 || f.bits == 24 || f.bits == 32)
	if !integer && (f.code != codeFloat || f.bits != 32) {
		return fmt.Errorf("samples of format code %d with %d bits, only integers (1) of 16, 24 or 32 bits and floats (3) of 32 bits are allowed; convert it first (sox IN -b 16 OUT.wav)", f.code, f.bits)
	}
	return f.checkFrame()
}

// checkTrack refuses all but what a backing track may be.
func (f *format) checkTrack() error {
	if err := checkShape(f.rate, f.channels); err != nil {
		return err
	}
	integer := f.code == codeInteger && (f.bits == 8 || f.bits == 16 || f.bits == 24 || f.bits == 32)
	if !integer && (f.code != codeFloat || f.bits != 32 && f.bits != 64) {
		return fmt.Errorf("samples of format code %d with %d bits, only integers (1) of 8, 16, 24 or 32 bits and floats (3) of 32 or 64 bits are allowed; convert it first (sox IN -b 16 OUT.wav)", f.code, f.bits)
	}
	return f.checkFrame()
}

func (f *format) checkFrame() error {
	if f.saidFrame != f.frameBytes() {
		return fmt.Errorf("frames of %d bytes, but %d channels of %d bits take %d: the header is damaged", f.saidFrame, f.channels, f.bits, f.frameBytes())
	}
	return nil
}
