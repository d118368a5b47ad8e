package main

import (
	"runtime"
	"time"

	"bucketbrigade/codec"
	"bucketbrigade/internal/cputime"
	"bucketbrigade/proto"
)

// timeCodec gives the processor time of a frame: to encode frames with fresh
// state, and to decode packets.
func timeCodec(s codec.Settings, frames [][]float32, packets [][]byte) (encode, decode time.Duration, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	e, d := s.NewEncoder(), codec.NewDecoder()
	pcm := make([]float32, 0, proto.FrameSamples)
	start := cputime.Thread()
	for _, frame := range frames {
		if _, err := e.Encode(frame); err != nil {
			return 0, 0, err
		}
	}
	encoded := cputime.Thread()
	for _, packet := range packets {
		if _, err := d.Decode(pcm, packet); err != nil {
			return 0, 0, err
		}
	}
	decoded := cputime.Thread()
	return (encoded - start) / time.Duration(len(frames)), (decoded - encoded) / time.Duration(len(packets)), nil
}
