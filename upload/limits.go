package upload

import (
	"time"

	"bucketbrigade/audiofile"
)

// What may be uploaded.
const (
	// MaxBytes bounds the body of an upload. Clients send up to 16 000 000.
	MaxBytes = 16 << 20
	// MaxTrackSamples is the length of the longest track, 20 minutes. While it is
	// decoded it takes 8 bytes of memory a sample.
	MaxTrackSamples = 20 * 60 * audiofile.SampleRate
	// MaxPixels bounds an image, width times height: a browser takes four bytes
	// for each. MaxSide bounds either.
	MaxPixels = 1 << 26
	MaxSide   = 1 << 14
)

// What a folder keeps.
const (
	// MaxOfSession and MaxOfKind are numbers of files, of each kind.
	MaxOfSession = 4
	MaxOfKind    = 64
	// MaxFolderBytes bounds all of them together.
	MaxFolderBytes = 2_000_000_000
	// maxTempAge is how old a temporary file gets before it counts as left over.
	maxTempAge = time.Hour
)

// What is done at once.
const (
	// MaxAtOnce is how many uploads a Store takes at a time; one of them decodes.
	MaxAtOnce = 4
	// DecodeTime is how long decoding a track may take. 20 minutes of MP3 took 17 s
	// on a busy virtual machine with two processors.
	DecodeTime = 40 * time.Second
	// maxIndexSamples bounds what an Index holds in memory: 800 MB as float32,
	// some twenty songs.
	maxIndexSamples = 200_000_000
)
