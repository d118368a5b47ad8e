// Package codec is Opus for one singer at a time: a [Decoder] for what a singer
// sends, an [Encoder] for what one hears. Both carry state from packet to
// packet, so packets must pass in order, and neither may be used by two
// goroutines at once.
//
// Audio is mono float32 at 48 kHz with full scale ±1; frames are 60 ms, 2880
// samples. libopus does the work, about 0.1 ms a frame to decode and 0.2 ms to
// encode; around it nothing is allocated.
//
// # The collector
//
// The binding keeps libopus's state in Go memory, but points to it with a C type
// that Go knows nothing about, and the collector does not follow such pointers.
// Whoever calls the binding must keep encoder or decoder alive until the call
// returns, or their memory may be gone within it.
//
// # Delay
//
// An encoder looks ahead: what goes in comes out of a decoder a little later.
//
//	LowDelay (ours)        120 samples, 2.5 ms
//	Audio (most clients)   312 samples, 6.5 ms
//
// A click at sample 1000 of a singer's microphone therefore lies at 1312 in
// the ring, and at 1432 in the ears of the next singer.
package codec
