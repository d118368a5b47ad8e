package proto

import "time"

// What a client may send. Each limit has a clear error; none depends on the
// order of requests.
const (
	// MaxSamples is the most audio in one request or answer: 17 frames, 1.02 s.
	// One more would not fit MaxData.
	MaxSamples = 17 * FrameSamples
	// MaxQueryBytes bounds the query string.
	MaxQueryBytes = 16 << 10
	// MaxQueryItems bounds the number of key=value pairs in it.
	MaxQueryItems = 64
	// MaxAppendedBytes bounds what a shard appends to a client's query, the
	// loudness.
	MaxAppendedBytes = 40
	// MaxBodyBytes bounds a request body: MaxPackets packets of the largest
	// legal size would be more, MaxSamples of the fattest audio is far less.
	MaxBodyBytes = 256 << 10
	// MaxPackets is what the count byte of a packing can say.
	MaxPackets = 255
	// MaxPacketBytes is the largest Opus packet taken: three frames of 20 ms of
	// 1275 bytes each with seven bytes of framing (RFC 6716, 3.2), which is what
	// decoders in the field make room for. Shorter frames could fill more.
	MaxPacketBytes = 3*1275 + 7

	// MaxNameChars bounds a display name, in Unicode characters.
	MaxNameChars = 64
	// MaxChatChars bounds one chat message, in Unicode characters.
	MaxChatChars = 500
	// MaxChatsRequest bounds the chat messages in one request.
	MaxChatsRequest = 10
	// MaxChatsQueued bounds the messages that wait for one user; of more, the
	// oldest are forgotten.
	MaxChatsQueued = 200
	// MaxLyricsChars and MaxLyricsBytes bound the lyrics.
	MaxLyricsChars = 8500
	MaxLyricsBytes = 26000
	// MaxEvents bounds the events that are remembered.
	MaxEvents = 64
	// MaxEventIDBytes bounds the JSON text of one event's id.
	MaxEventIDBytes = 256
	// MaxTrackBytes bounds the name of a backing track.
	MaxTrackBytes = 255
	// MaxSessionBytes bounds a session name.
	MaxSessionBytes = 128
	// MinSecretBytes and MaxSecretBytes bound the secret of server control: a
	// shorter one could be guessed.
	MinSecretBytes = 8
	MaxSecretBytes = 256
	// MaxNonceBytes bounds the name that a shard gives a control request.
	MaxNonceBytes = 32
	// MaxTokenBytes bounds a token for the video call.
	MaxTokenBytes = 2048
	// MaxTelemetryBytes bounds what a client tells of itself, in one request and
	// in all, and MaxTelemetryDepth how deep objects and lists lie inside each
	// other there.
	MaxTelemetryBytes = 4096
	MaxTelemetryDepth = 16
	// MaxMicVolumes bounds the entries of one mic_volume list.
	MaxMicVolumes = 256

	// MaxBPM and MaxBPR bound the metronome, MaxRepeats the rounds.
	MaxBPM     = 500
	MaxBPR     = 500
	MaxRepeats = 20
	// MaxVolume bounds every volume on the friendly scale.
	MaxVolume = 2.0
	// MaxLevel bounds one decoded sample and so the loudness of many. Full scale
	// is 1; what a singer's encoder made decodes to hardly more. Opus packets
	// that nobody sang, though well framed, can decode to a million.
	MaxLevel = 1000
)

// What the segment can carry.
const (
	// MaxData is the size of a segment's data area, in bytes.
	MaxData = 199998
	// OldJSONArea is what the peers of the first generation hold of JSON.
	OldJSONArea = 10000
	// MaxJSONArea is the most that a 16-bit length can say.
	MaxJSONArea = 65535
)

const (
	// UserInactive is how long after its last request a user counts as active.
	UserInactive = 5 * SampleRate
	// UserLifetime is how long a silent user is remembered.
	UserLifetime = 3600 * SampleRate
	// DefaultMaxUsers is how many active users a room takes unless it is told
	// otherwise.
	DefaultMaxUsers = 2000
	// ReorderWait is how long a request waits for its missing predecessor.
	ReorderWait = 300 * time.Millisecond
)
