package codec

import (
	"fmt"
	"runtime"

	"gopkg.in/hraban/opus.v2"

	"bucketbrigade/proto"
)

// Decoder turns one singer's packets into samples.
type Decoder struct {
	opus *opus.Decoder
}

// NewDecoder makes a decoder with fresh state, about 18 kB.
func NewDecoder() *Decoder {
	d, err := opus.NewDecoder(proto.SampleRate, 1)
	if err != nil {
		panic(fmt.Sprintf("codec: libopus refuses 48 kHz mono: %v", err))
	}
	return &Decoder{d}
}

// Decode appends the samples of one packet to pcm, which must have room for
// proto.FrameSamples more. An empty packet stands for a lost one: 2880 samples
// are concealed. Any packet that passed proto.PacketSamples decodes to as many
// samples as that said; an error is libopus's word on another.
func (d *Decoder) Decode(pcm []float32, packet []byte) ([]float32, error) {
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
