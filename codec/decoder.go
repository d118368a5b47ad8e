package codec

import (
	"bytes"
	"fmt"
	"runtime"

	"gopkg.in/hraban/opus.v2"

	"bucketbrigade/proto"
)

// silentPackets is how many packets of silence are decoded before further ones
// that are the same are not.
const silentPackets = 10

// Decoder turns one singer's packets into samples. Who is muted sends silence,
// packet after packet the same: after ten of them they are not decoded any more.
type Decoder struct {
	opus *opus.Decoder

	// last is the last packet that was decoded to silence, of length samples;
	// silent counts how many were in a row. skipped: the state of opus is behind.
	last    []byte
	length  int
	silent  int
	skipped bool
}

// NewDecoder makes a decoder with fresh state, about 18 kB.
func NewDecoder() *Decoder {
	d, err := opus.NewDecoder(proto.SampleRate, 1)
	if err != nil {
		panic(fmt.Sprintf("codec: libopus refuses 48 kHz mono: %v", err))
	}
	return &Decoder{opus: d}
}

// Decode appends the samples of one packet to pcm, which must have room for
// proto.FrameSamples more. An empty packet stands for a lost one: 2880 samples
// are concealed. Any packet that passed proto.PacketSamples decodes to as many
// samples as that said; an error is libopus's word on another.
func (d *Decoder) Decode(pcm []float32, packet []byte) ([]float32, error) {
	at := len(pcm)
	if d.silent >= silentPackets && bytes.Equal(packet, d.last) {
		d.skipped = true
		pcm = pcm[:at+d.length]
		clear(pcm[at:])
		return pcm, nil
	}
	pcm, err := d.decode(pcm, packet)
	if err != nil {
		return pcm, err
	}
	part := pcm[at:]
	if d.skipped {
		// What was skipped would have changed the state a little.
		FadeIn(part, fadeSamples)
		d.skipped = false
	}
	if len(packet) > 0 && IsSilent(part) {
		d.silent++
		d.last, d.length = append(d.last[:0], packet...), len(part)
	} else {
		d.silent = 0
	}
	return pcm, nil
}

// decode hands a packet to libopus.
func (d *Decoder) decode(pcm []float32, packet []byte) ([]float32, error) {
	defer runtime.KeepAlive(d) // see the package comment
	at := len(pcm)
	// The wrapper hands capacities to C: exactly one frame of room, no more.
	room := pcm[at : at+proto.FrameSamples : at+proto.FrameSamples]
	if len(packet) == 0 {
		if err := d.opus.DecodePLCFloat32(room); err != nil {
			return pcm, fmt.Errorf("conceal a lost packet: %w", err)
		}
		return pcm[:at+proto.FrameSamples], nil
	}
	n, err := d.opus.DecodeFloat32(packet, room)
	if err != nil {
		return pcm, fmt.Errorf("decode a packet of %d bytes: %w", len(packet), err)
	}
	return pcm[:at+n], nil
}
