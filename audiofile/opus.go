package audiofile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"

	"gopkg.in/hraban/opus.v2"
)

// maxOpusFrames is the longest packet of Opus, 120 ms.
const maxOpusFrames = SampleRate * 120 / 1000

const (
	opusMark      = "OpusHead"
	opusHeadBytes = 19
)

func isOpusHead(packet []byte) bool { return bytes.HasPrefix(packet, []byte(opusMark)) }

// decodeOpus reads the Opus stream that begins with head (RFC 7845, section 5.1),
// little endian:
//
//	"OpusHead" version  channels  pre-skip  input rate  gain  family
//	           u8       u8        u16       u32         i16   u8
//
// Pre-skip is in samples at 48 kHz, gain in dB/256. Family 0 means one stream of
// one or two channels, all others have more.
func decodeOpus(r *oggReader, head []byte, out *mixer) error {
	if len(head) < opusHeadBytes {
		return fmt.Errorf("an Opus header of %d bytes, at least %d are needed", len(head), opusHeadBytes)
	}
	version, channels, family := head[8], int(head[9]), head[18]
	switch {
	case version >= 16:
		return fmt.Errorf("an Opus header of version %d, only 0 to 15 are known; convert it first (ffmpeg -i IN OUT.flac)", version)
	case family != 0:
		return fmt.Errorf("an Opus stream with %d channels of mapping family %d, only 1 or 2 of family 0 are allowed; mix it down first (ffmpeg -i IN -ac 2 OUT.opus)", channels, family)
	case channels != 1 && channels != 2:
		return fmt.Errorf("an Opus stream with %d channels, only 1 or 2 are allowed: the header is damaged", channels)
	}
	gain := math.Pow(10, float64(int16(binary.LittleEndian.Uint16(head[16:])))/256/20)
	// The comments follow, and nobody needs them.
	if _, err := r.headers(1); err != nil {
		return err
	}
	decoder, err := opus.NewDecoder(SampleRate, channels)
	if err != nil {
		return fmt.Errorf("start an Opus decoder: %w", err)
	}
	if err := out.start(SampleRate, channels); err != nil {
		return err
	}
	d := &opusDecoder{decoder: decoder, channels: channels, gain: float32(gain), pcm: make([]float32, maxOpusFrames*channels)}
	return pour(r, channels, int64(binary.LittleEndian.Uint16(head[10:])), d.decode, out)
}

// opusDecoder decodes the packets of one stream.
type opusDecoder struct {
	decoder  *opus.Decoder
	channels int
	gain     float32
	pcm      []float32
}

// decode gives what one packet holds, valid until the next call.
func (d *opusDecoder) decode(packet []byte) ([]float32, error) {
	defer runtime.KeepAlive(d) // the binding does not
	n, err := d.decoder.DecodeFloat32(packet, d.pcm)
	if err != nil {
		return nil, fmt.Errorf("an Opus packet of %d bytes: %w: the file is damaged", len(packet), err)
	}
	pcm := d.pcm[:n*d.channels]
	for i := range pcm {
		pcm[i] *= d.gain
	}
	return pcm, nil
}

// pour decodes all pages that are left and hands on what is to be heard, but for
// skip frames in front.
func pour(r *oggReader, channels int, skip int64, decode func([]byte) ([]float32, error), out *mixer) error {
	trim := trimmer{skip: skip}
	var samples []float32
	for !r.ended {
		page, err := r.next()
		if err != nil {
			return err
		}
		samples = samples[:0]
		for _, packet := range page.packets {
			if err := out.ctx.Err(); err != nil {
				return err // a page has up to 255 of them
			}
			pcm, err := decode(packet)
			if err != nil {
				return err
			}
			samples = append(samples, pcm...)
		}
		from, to := trim.page(int64(len(samples)/channels), page)
		if err := out.write(samples[from*int64(channels) : to*int64(channels)]); err != nil {
			return err
		}
	}
	return r.finish()
}
