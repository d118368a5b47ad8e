// Package audiofile brings sound in from files and out to them. Inside the
// program sound is mono float32 at 48 kHz with full scale ±1; so it is here.
//
// # WAV
//
// A WAV file is a row of chunks, little endian, each padded to an even length:
//
//	"RIFF" size "WAVE"
//	"fmt " size  code  channels  rate  bytes/s  bytes/frame  bits  [extension]
//	       u32   u16   u16       u32   u32      u16          u16
//	…any others, skipped…
//	"data" size  samples, the channels of one frame side by side
//
// Code 1 is integers, 3 is IEEE floats, 0xFFFE says that the code opens the 16
// bytes at offset 24 of the chunk instead (Microsoft, "Multiple channel audio
// data and WAVE files", 2001). What is read and written:
//
//	read     48 kHz, 1 or 2 channels, integers of 16, 24, 32 bits or floats of 32
//	written  48 kHz, 1 channel, integers of 16 bits
//
// Integers are fractions of the greatest magnitude: 16 bits hold -32768/32768 to
// 32767/32768, so what was read from 16 bits is written back bit for bit.
//
// The reader is our own. Libraries at hand take the sizes in a file at their
// word, up to allocating them, and read float samples as integers; the rest of
// the format is two pages.
package audiofile
