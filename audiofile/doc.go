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
//
// # Takes
//
// A Take is a recording that grows while people sing. It has the plain header of 44
// bytes, integers of 16 bits, and no chunk behind the samples:
//
//	 0  "RIFF"  36+2n   "WAVE"
//	12  "fmt "  16  1  1  48000  96000  2  16
//	36  "data"  2n
//	44  n samples                              the file, as its header has it
//	    samples that the header does not tell of yet
//
// Samples are written first, the header after them, with both sizes in one call:
//
//	WriteAt ──> samples at 44 + 2·at ──> header of n = at + their number
//
// So at any moment the header tells of nothing that is not there, and a process
// killed leaves a whole file with all that WriteAt had written. What lies behind the
// announced end harms nobody: readers stop there. After a write that failed it is
// cut off, since a gap that later samples leave must be silent, a hole in the file.
//
// When the power goes, the disk may have got the header before the samples. Close
// waits for the disk; a take that was never closed is put right when the folder is
// opened.
//
// # FLAC
//
// A finished take is half as large as FLAC, the same bit for bit. Blocks of 4096
// samples are coded one by one, each as what a predictor leaves over:
//
//	WAV file ──> block ──> best predictor ──> differences as Rice codes ──> FLAC file
//	    └──────> MD5 ───────────────────────────────────> stream information ──┘
//
// # Recordings
//
// Recordings is a folder of songs, for example
//
//	2026-01-02-150405.wav               began at 15:04:05 UTC
//	2026-01-02-150405.flac              the same
//	2026-01-02-150405/bucket-1.wav      its stems: what was sung in bucket 1
//	2026-01-02-150405/backing.wav       and the backing track
//	2026-01-02-150405-2.wav             began in the same second
//	index.html, index.json              what there is
//	.2026-01-02-150405.flac-123.tmp     not complete yet
//
// Files but takes appear under their names when they are complete. Only the newest
// songs are kept. Whatever is called otherwise belongs to the operator: it is not
// listed and never deleted.
//
// index.html is for people, and for clients in the field that put it into a page of
// their own; of each song, newest first, it has
//
//	<li><a href='NAME.wav'>NAME.wav</a> (12.34 MB) … other files …</li>
//
// with MB of 2^20 bytes. index.json is for programs; what is optional is left out:
//
//	{"limit": 20, "recordings": [{
//	    "name": "NAME", "wav": "NAME.wav", "flac": "NAME.flac" (optional),
//	    "stems": ["NAME/bucket-1.wav", …], "start": "2026-01-02T15:04:05Z",
//	    "seconds": 185.001, "bytes": 17760092 (of the WAV file),
//	    "recording": true (optional: it is still growing)}, …]}
package audiofile
