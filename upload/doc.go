// Package upload keeps what singers upload, backing tracks and images, in one
// folder on the disk: codec shards write there, the state server looks what there
// is.
//
//	shard ── Store ──> temporary file ── check, convert ── rename ──> the folder
//	shard <── OpenImage ── by its ten letters ────────────────────────┤
//	state server <── Index: the newest of each session, tracks in memory
//
// Any number of processes may do so at once: a file appears whole, under a name
// that nobody had before, and never changes.
//
// # Names
//
//	track-1760000000123456789-6c5a1f02d3e4b597-QWERTYUIOP.wav
//	image-1760000000223456789-6c5a1f02d3e4b597-ABCDEFGHIJ.png   or .jpg, .webp
//	kind  stamp               who              id
//
// The stamp is ns since 1970, so names sort by time; each is later than all stamps
// in the folder, so that a clock set back does not make a file old. Who is the
// session's hash: the first 64 bits of SHA-256. A session holds a cookie, which
// must not be readable here. The id is random; clients are told an image's, and
// with it any shard finds the file without asking anybody. All other names are
// ignored, and so may lie here as well.
//
// # What is in them
//
// Whoever uploads is a stranger. A track of any kind that package audiofile reads
// is decoded at once, in the shard: hostile files cost a shard at most, and never
// the state server, which reads what a shard has written: 16 bits, mono, 48 kHz.
// An image is stored byte for byte if it begins like a PNG, a JPEG or a WebP of no
// more than MaxPixels; what is not exactly that must be served so that a browser
// takes it for nothing else.
//
// # Bounds
//
// Of each kind the newest MaxOfSession of a session and the newest MaxOfKind of
// all stay, and the newest MaxFolderBytes of both together. An upload removes what
// is too much, the oldest first.
package upload
