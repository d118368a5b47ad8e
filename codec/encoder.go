package codec

import (
	"fmt"
	"runtime"

	"gopkg.in/hraban/opus.v2"

	"bucketbrigade/proto"
)

// complexity trades processor for quality, 0..10. From 7 on libopus analyses
// its input and codes noise three times as dear; 5 costs two thirds of 9.
const complexity = 5

// Encoder turns what one singer hears into packets of 60 ms. It codes CELT
// only: no lurch in cost or delay between singing and talking.
type Encoder struct {
	opus   *opus.Encoder
	packet [proto.MaxPacketBytes]byte
}

// NewEncoder makes an encoder with fresh state, about 44 kB.
func NewEncoder() *Encoder { return newEncoder(opus.AppRestrictedLowdelay, complexity) }

// browserComplexity is libopus's own default.
const browserComplexity = 9

// NewBrowserEncoder makes an encoder as the web client's is: for general audio,
// at libopus's defaults. For simulated singers.
func NewBrowserEncoder() *Encoder { return newEncoder(opus.AppAudio, browserComplexity) }

func newEncoder(app opus.Application, complexity int) *Encoder {
	e, err := opus.NewEncoder(proto.SampleRate, 1, app)
	if err != nil {
		panic(fmt.Sprintf("codec: libopus refuses 48 kHz mono: %v", err))
	}
	if err := e.SetComplexity(complexity); err != nil {
		panic(fmt.Sprintf("codec: libopus refuses complexity %d: %v", complexity, err))
	}
	return &Encoder{opus: e}
}

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
