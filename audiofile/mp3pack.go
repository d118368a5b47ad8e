package audiofile

import (
	"errors"
	"fmt"
)

// mp3Packer writes the frames of an MP3 file anew, so that the decoder behind it
// gets well-formed ones only and of a kind it can do.
//
// A frame's own sound may begin up to 511 bytes (MPEG 2: 255) before it, in what
// earlier frames left free; the side information says how far back, and how many
// bits it takes:
//
//	main_data_begin 9  private 5|3  scfsi 4·channels     MPEG 1 (mono|stereo)
//	main_data_begin 8  private 1|2                       MPEG 2
//	then for every granule and channel 59 (63) bits, the first 12 of them the length
//
// Each frame comes out with the same side information and sound, in a frame of
// the highest bit rate and of a size that does not change:
//
//   - The decoder miscounts padded frames of MPEG 2 by one byte at some bit rates
//     (22050 Hz and 32 kbit/s: 104 for 105), and loses its place. None is padded.
//   - It does not know MPEG 2.5, but 11025 and 12000 Hz have the very layout of
//     16000 Hz in MPEG 2, band limits and all, and go in under that name. 8000 Hz
//     has bands of its own.
//   - Where a file was cut out of a longer one, the sound of the first frames is
//     missing. They come out silent.
//
// For example stereo at 44100 Hz: a frame of 1045 bytes has room for 1009 bytes of
// sound. If the last frame used 700 of its own, 309 are free, main_data_begin
// becomes 309, and a sound of 400 bytes lies with 309 bytes there and 91 here. A
// file of a lower rate always fits: its frames have less room than these.
type mp3Packer struct {
	reservoir []byte // the last bytes of sound that came in
	open      []byte // the frame that is not yet handed out; nil: none
	free      int    // bytes at its end that the next may use
}

// mp3Reservoir is how far back sound may begin, in bytes.
func (h mp3Header) mp3Reservoir() int {
	if h.version == mpeg1 {
		return 511
	}
	return 255
}

// packed is the header of the frame that comes out: no checksum, the highest bit
// rate, and the other version for MPEG 2.5. Only MPEG 1 is padded, to have room
// for any frame there is.
func (h mp3Header) packed() (mp3Header, error) {
	raw := h.raw
	raw[1] |= 1
	raw[2] = 14<<4 | raw[2]&0x0C
	switch h.version {
	case mpeg1:
		raw[2] |= 2
	case mpeg25:
		if h.rate == 8000 {
			return h, errors.New("MP3 at 8000 Hz, only 11025 to 48000 Hz are allowed; convert it first (ffmpeg -i IN -ar 16000 OUT.mp3)")
		}
		raw[1] |= byte(mpeg2) << 3
		raw[2] = raw[2]&^0x0C | 2<<2
	}
	packed, ok := parseMP3Header(raw[:])
	if !ok {
		panic(fmt.Sprintf("audiofile: % x makes no MP3 header of % x", h.raw, raw))
	}
	return packed, nil
}

// push takes a frame and gives the one before it; nil after the first.
func (p *mp3Packer) push(h mp3Header, frame []byte) ([]byte, error) {
	head, err := h.packed()
	if err != nil {
		return nil, err
	}
	side := append([]byte(nil), frame[h.sideInfoAt():h.mainDataAt()]...)
	sound, err := p.sound(h, side, frame[h.mainDataAt():])
	if err != nil {
		return nil, err
	}
	done := p.open
	p.open = make([]byte, head.size)
	at := head.mainDataAt()
	copy(p.open, head.raw[:])
	setMainDataBegin(h, side, p.free)
	copy(p.open[mp3HeaderBytes:], side)
	used := 0
	if p.free > 0 {
		used = copy(done[len(done)-p.free:], sound)
	}
	here := copy(p.open[at:], sound[used:])
	if used+here < len(sound) {
		return nil, fmt.Errorf("a frame of MP3 with %d bytes of sound, at most %d are allowed: the file is damaged, or convert it first (ffmpeg -i IN -b:a 128k OUT.mp3)",
			len(sound), used+here)
	}
	p.free = min(head.size-at-here, h.mp3Reservoir())
	return done, nil
}

// last gives the frame that is still open, nil if there is none.
func (p *mp3Packer) last() []byte {
	done := p.open
	p.open = nil
	return done
}

// sound gives the bytes of sound of a frame that has body behind its side
// information, and keeps body for the frames to come. Without all of it, side
// becomes that of silence.
func (p *mp3Packer) sound(h mp3Header, side, body []byte) ([]byte, error) {
	begin := mainDataBegin(h, side)
	missing := begin > len(p.reservoir)
	all := append([]byte(nil), p.reservoir...)
	all = append(all, body...)
	sound := all[max(len(p.reservoir)-begin, 0):]
	p.reservoir = all[max(len(all)-h.mp3Reservoir(), 0):]
	if missing {
		clear(side)
		return nil, nil
	}
	length := (soundBits(h, side) + 7) / 8
	if length > len(sound) {
		return nil, fmt.Errorf("a frame of MP3 claims %d bytes of sound and has %d: the file is damaged", length, len(sound))
	}
	return sound[:length], nil
}

// mainDataBegin reads how many bytes before the frame its sound begins.
func mainDataBegin(h mp3Header, side []byte) int {
	if h.version == mpeg1 {
		return int(side[0])<<1 | int(side[1]>>7)
	}
	return int(side[0])
}

func setMainDataBegin(h mp3Header, side []byte, begin int) {
	if h.version == mpeg1 {
		side[0] = byte(begin >> 1)
		side[1] = side[1]&0x7F | byte(begin&1)<<7
		return
	}
	side[0] = byte(begin)
}

// soundBits adds up the lengths of all granules and channels.
func soundBits(h mp3Header, side []byte) int {
	at, step, parts := 8+2, 63, h.channels()
	switch {
	case h.version == mpeg1 && h.mono:
		at, step, parts = 9+5+4, 59, 2
	case h.version == mpeg1:
		at, step, parts = 9+3+8, 59, 4
	case h.mono:
		at = 8 + 1
	}
	sum := 0
	for range parts {
		bits := uint32(side[at/8])<<16 | uint32(side[at/8+1])<<8
		if at/8+2 < len(side) {
			bits |= uint32(side[at/8+2])
		}
		sum += int(bits << (8 + at%8) >> 20)
		at += step
	}
	return sum
}
