package upload

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image/jpeg"
	"image/png"
	"io"
)

// imageExt tells what kind of image a file is, by its content: "png", "jpg" or
// "webp". The header must be whole and sound, its sides 1 to MaxSide and together
// at most MaxPixels; what lies behind it is the browser's business.
func imageExt(file io.Reader) (ext string, err error) {
	head := make([]byte, webpHead)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", err
	}
	head = head[:n]
	whole := io.MultiReader(bytes.NewReader(head), file)
	width, height := 0, 0
	switch {
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		ext = "png"
		config, fault := png.DecodeConfig(whole)
		width, height, err = config.Width, config.Height, fault
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")):
		ext = "jpg"
		config, fault := jpeg.DecodeConfig(whole)
		width, height, err = config.Width, config.Height, fault
	case len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP":
		ext = "webp"
		width, height, err = webpSize(head)
	default:
		return "", fmt.Errorf("is neither PNG, JPEG nor WebP; its first bytes are % x", head[:min(n, 16)])
	}
	if err != nil {
		return "", fmt.Errorf("begins like a %s, but is damaged: %w", ext, err)
	}
	if width < 1 || height < 1 || width > MaxSide || height > MaxSide || width*height > MaxPixels {
		return "", fmt.Errorf("has %d by %d pixels, at most %d on a side and %d in all are allowed; scale it down", width, height, MaxSide, MaxPixels)
	}
	return ext, nil
}

// webpHead is how much of a WebP tells its size.
const webpHead = 30

// webpSize reads the beginning of a WebP file, little endian (RFC 9649):
//
//	"RIFF" size "WEBP"  kind  size  body
//	       u32          4     u32
//
//	"VP8 "  3 bytes, of which bit 0 is 0  9D 01 2A  width u16  height u16  14 bits each count
//	"VP8L"  2F  width-1 14 bits  height-1 14 bits  alpha 1 bit  version 3 bits, 0
//	"VP8X"  4 bytes  width-1 u24  height-1 u24
func webpSize(head []byte) (width, height int, err error) {
	if len(head) < webpHead {
		return 0, 0, io.ErrUnexpectedEOF
	}
	little := binary.LittleEndian
	kind, body := string(head[12:16]), head[20:]
	if size := little.Uint32(head[16:]); size < uint32(len(body)) {
		return 0, 0, fmt.Errorf("a first chunk of %d bytes, at least %d are needed", size, len(body))
	}
	switch {
	case kind == "VP8 " && body[0]&1 == 0 && string(body[3:6]) == "\x9d\x01\x2a":
		return int(little.Uint16(body[6:]) & 0x3FFF), int(little.Uint16(body[8:]) & 0x3FFF), nil
	case kind == "VP8L" && body[0] == 0x2F && body[4]>>5 == 0:
		sides := little.Uint32(body[1:])
		return int(sides&0x3FFF) + 1, int(sides>>14&0x3FFF) + 1, nil
	case kind == "VP8X":
		return int(little.Uint32(body[4:])&0xFFFFFF) + 1, int(little.Uint32(body[6:])>>8) + 1, nil
	}
	return 0, 0, fmt.Errorf("a first chunk %q that begins with % x", kind, body[:6])
}
