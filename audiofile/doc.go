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
//
// # Backing tracks
//
// ReadTrack takes what people have on their disks, uploaded by whom nobody knows,
// and tells kinds apart by their first bytes, behind any ID3v2 tags:
//
//	WAV         integers of 8, 16, 24, 32 bits, floats of 32, 64; also written to a pipe
//	MP3         layer III of MPEG 1, 2 and 2.5 but for 8000 Hz; any bit rate, fixed or not
//	FLAC        8, 12, 16, 20, 24 bits
//	Ogg Vorbis  as encoders since 1.0 write it
//	Ogg Opus    mapping family 0: one or two channels
//
// All else is common: 8 to 192 kHz and 1 to 8 channels come in, a file has up to
// MaxTrackBytes and an hour. Each decoder hands what it has decoded to a mixer:
//
//	decoder ──> mean of the channels ──> resampler to 48 kHz ──> memory ──> level
//
// Length and time are right to the sample where the format tells: MP3 only with
// the encoder's note on its delay, as most have; others keep some 25 ms of silence
// in front. Damage and a missing end are errors. MP3 has no checksums and may end
// after any frame: it fails only where no frame follows another.
//
// # Loudness
//
// All tracks come out at -16 LUFS by ITU-R BS.1770-4, so that nobody has to touch
// the volume between songs. The measure weights what the ear hears best and leaves
// pauses out. A song of -20 LUFS gets +4 dB, one of -9 gets -7. Nothing is ever
// clipped: where a peak would exceed 0.99, the whole song is turned down to it and
// stays less loud. No song gets more than +30 dB; what is silent stays so.
//
// # Hostile files
//
// A header can claim anything. So nothing is allocated before it is decoded, the
// limits stop decoding where they are passed, and decoders that are not ours are
// called where a panic becomes an error. Two get only what was checked before: the
// Vorbis decoder headers whose tables are bounded, the MP3 decoder frames written
// anew. Each kind has a fuzz target.
//
// # Folders of tracks
//
// A Folder holds the tracks of a folder in memory. One goroutine has it look for
// changes; all others get names and samples from what was published last:
//
//	Scan ── disk, decoders ──> trackList ── atomic pointer ──> Names, Track
package audiofile
