package audiofile

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/jfreymuth/vorbis"
)

const (
	vorbisMark      = "\x01vorbis"
	vorbisHeadBytes = 30
	vorbisSetupMark = "\x05vorbis"
)

func isVorbisHead(packet []byte) bool { return bytes.HasPrefix(packet, []byte(vorbisMark)) }

// decodeVorbis reads the Vorbis stream that begins with head (Vorbis I
// specification, section 4.2.2), little endian:
//
//	1 "vorbis"  version  channels  rate  three bit rates  block sizes  1
//	            u32      u8        u32   i32 each         4 bits each
//
// The sizes are powers of two. The decoder is given this header and the set-up,
// after a look at both; it makes room for whatever they say. It is not given the
// comments, for which that look would be a parser.
func decodeVorbis(r *oggReader, head []byte, out *mixer) error {
	if len(head) < vorbisHeadBytes {
		return fmt.Errorf("a Vorbis header of %d bytes, %d are needed", len(head), vorbisHeadBytes)
	}
	if version := binary.LittleEndian.Uint32(head[7:]); version != 0 {
		return fmt.Errorf("a Vorbis header of version %d, only 0 is known", version)
	}
	channels, rate := int(head[11]), int(int32(binary.LittleEndian.Uint32(head[12:])))
	if err := out.start(rate, channels); err != nil {
		return err
	}
	if short, long := head[28]&15, head[28]>>4; short < 6 || long > 13 || short > long {
		return fmt.Errorf("a Vorbis stream with blocks of 2^%d and 2^%d samples, only 2^6 to 2^13 are allowed: the header is damaged", short, long)
	}
	headers, err := r.headers(2)
	if err != nil {
		return err
	}
	if err := checkVorbisSetup(headers[1]); err != nil {
		return err
	}
	d := &vorbisDecoder{}
	err = guard("Vorbis", func() error {
		if err := d.decoder.ReadHeader(head); err != nil {
			return err
		}
		return d.decoder.ReadHeader(headers[1])
	})
	if err != nil {
		return fmt.Errorf("the Vorbis headers are damaged: %w", err)
	}
	d.pcm = make([]float32, d.decoder.BufferSize())
	return pour(r, channels, 0, d.decode, out)
}

// vorbisDecoder decodes the packets of one stream.
type vorbisDecoder struct {
	decoder vorbis.Decoder
	pcm     []float32
}

// decode gives what one packet holds, valid until the next call. The first holds
// nothing yet: each is the second half of a transform and the first of the next.
func (d *vorbisDecoder) decode(packet []byte) (pcm []float32, err error) {
	if len(packet) == 0 { // allowed, and silent about time
		return nil, nil
	}
	err = guard("Vorbis", func() (err error) {
		pcm, err = d.decoder.DecodeInto(packet, d.pcm)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("a Vorbis packet of %d bytes: %w: the file is damaged", len(packet), err)
	}
	return pcm, nil
}
