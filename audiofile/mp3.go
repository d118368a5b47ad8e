package audiofile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/llehouerou/go-mp3"
)

// mp3DecoderDelay is by how many samples any decoder of layer III is late: its
// filter bank takes 528 and one more (LAME technical FAQ).
const mp3DecoderDelay = 529

// decodeMP3 reads an MP3 file. A first frame that holds no sound but a note on
// the file is passed over; if the note tells how much silence the encoder put
// around the sound, that is taken off, so that the length is right to the sample.
// Other files keep some 25 ms of silence in front.
func decodeMP3(in *bufio.Reader, out *mixer) error {
	frames, err := newMP3Frames(in)
	if err != nil {
		return err
	}
	d := &mp3Decoder{out: out}
	for n := 0; ; n++ {
		h, frame, err := frames.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if n == 0 {
			if err := out.start(h.rate, 2); err != nil {
				return err
			}
			if isNote, front, back := readMP3Note(h, frame); isNote {
				d.front, d.back = 2*front, 2*back
				continue
			}
		}
		done, err := d.packer.push(h, frame)
		if err != nil {
			return fmt.Errorf("frame %d: %w", n, err)
		}
		if err := d.decode(done); err != nil {
			return fmt.Errorf("frame %d: %w", n, err)
		}
	}
	return d.decode(d.packer.last())
}

// mp3Decoder drives the decoder frame by frame.
type mp3Decoder struct {
	out     *mixer
	packer  mp3Packer
	input   bytes.Buffer // what the decoder reads from
	decoder *mp3.Decoder // nil before the first frame
	pcm     [2 * 1152 * 2]byte
	front   int       // samples still to be left out, of both channels
	back    int       // samples to be left out at the end, of both channels
	held    []float32 // the last ones, at least back of them if so many came
}

// decode hands a packed frame, or nil, to the decoder and what it makes of it on.
func (d *mp3Decoder) decode(frame []byte) error {
	if frame == nil {
		return nil
	}
	d.input.Write(frame)
	n := 0
	err := guard("MP3", func() (err error) {
		if d.decoder == nil {
			// A bytes.Buffer cannot seek, so the decoder does not look ahead.
			if d.decoder, err = mp3.NewDecoder(&d.input); err != nil {
				return err
			}
		}
		n, err = d.decoder.Read(d.pcm[:])
		return err
	})
	if err != nil {
		return fmt.Errorf("the MP3 file is damaged: %w", err)
	}
	for raw := d.pcm[:n]; len(raw) >= 2; raw = raw[2:] {
		if d.front > 0 {
			d.front--
			continue
		}
		d.held = append(d.held, float32(int16(binary.LittleEndian.Uint16(raw)))/(1<<15))
	}
	ready := max(len(d.held)-d.back, 0)
	if err := d.out.write(d.held[:ready]); err != nil {
		return err
	}
	d.held = d.held[:copy(d.held, d.held[ready:])]
	return nil
}

// readMP3Note tells whether a frame is a note on the file, and how many samples
// of each channel it has us leave out at the front and the back: what the encoder
// put there, moved by the delay of the decoder. Behind the side information
// stands
//
//	"Xing"|"Info"  flags u32  [frames u32] [bytes u32] [seek table 100] [quality u32]
//	encoder's name 9 bytes, 12 others, delay 12 bits, padding 12 bits, …
//
// each part in brackets only if its bit in flags, from the lowest on, is set. In
// a note of the other kind "VBRI" stands at byte 36.
func readMP3Note(h mp3Header, frame []byte) (isNote bool, front, back int) {
	if len(frame) >= 40 && string(frame[36:40]) == "VBRI" {
		return true, 0, 0
	}
	// Encoders ignore a checksum when they place it.
	note := frame[mp3HeaderBytes+h.sideInfoBytes():]
	if len(note) < 8 || string(note[:4]) != "Xing" && string(note[:4]) != "Info" {
		return false, 0, 0
	}
	flags := binary.BigEndian.Uint32(note[4:])
	at := 8
	for bit, size := range []int{4, 4, 100, 4} {
		if flags>>bit&1 != 0 {
			at += size
		}
	}
	at += 9 + 12
	if len(note) < at+3 {
		return true, 0, 0
	}
	delay, padding := int(note[at])<<4|int(note[at+1]>>4), int(note[at+1]&0xF)<<8|int(note[at+2])
	if delay == 0 && padding == 0 { // a name without numbers
		return true, 0, 0
	}
	return true, delay + mp3DecoderDelay, max(padding-mp3DecoderDelay, 0)
}
