package codec

import (
	"fmt"
	"runtime"

	"gopkg.in/hraban/opus.v2"

	"bucketbrigade/proto"
)

// Encoder turns what one singer hears into packets of 60 ms. [Settings] make it.
type Encoder struct {
	opus   *opus.Encoder
	packet [proto.MaxPacketBytes]byte
}

// NewEncoder makes an encoder with the default settings and fresh state.
func NewEncoder() *Encoder { return Default().NewEncoder() }

// NewBrowserEncoder makes an encoder as the web client's is. For simulated
// singers.
func NewBrowserEncoder() *Encoder { return Browser().NewEncoder() }

// Encode gives the packet of one frame of proto.FrameSamples samples; it is
// valid until the next call.
func (e *Encoder) Encode(frame []float32) ([]byte, error) {
	if len(frame) != proto.FrameSamples {
		panic(fmt.Sprintf("codec: a frame of %d samples, not %d", len(frame), proto.FrameSamples))
	}
	defer runtime.KeepAlive(e) // see the package comment
	n, err := e.opus.EncodeFloat32(frame, e.packet[:])
	if err != nil {
		return nil, fmt.Errorf("encode a frame: %w", err)
	}
	return e.packet[:n], nil
}

// AppendPacked appends pcm, a whole number of frames and at most 255, as a
// packing (proto.AppendPacking). No samples pack to nothing.
func (e *Encoder) AppendPacked(dst []byte, pcm []float32) ([]byte, error) {
	if len(pcm) == 0 {
		return dst, nil
	}
	if len(pcm)%proto.FrameSamples != 0 {
		panic(fmt.Sprintf("codec: %d samples are no whole number of frames", len(pcm)))
	}
	dst = proto.AppendPacking(dst, len(pcm)/proto.FrameSamples)
	for ; len(pcm) > 0; pcm = pcm[proto.FrameSamples:] {
		packet, err := e.Encode(pcm[:proto.FrameSamples])
		if err != nil {
			return dst, err
		}
		dst = proto.AppendPacket(dst, packet)
	}
	return dst, nil
}
