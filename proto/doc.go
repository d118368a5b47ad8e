// Package proto is what crosses a wire: sample clocks, the query string of a
// request, the message between a codec shard and the state server, the packing
// of Opus packets, the user summary, and every limit. It does no I/O and keeps
// no state.
//
// # Request body
//
//	+------------------------+---------------------------------------------+
//	| JSON object, json_len  | packed Opus                                 |
//	| bytes (if json_len is  | may be empty: then n_samples of silence     |
//	| given)                 |                                             |
//	+------------------------+---------------------------------------------+
//
//	packed Opus  = count:uint8, count × ( length:uint16 big endian, packet )
//
// A packet of length zero stands for a lost one: the decoder conceals 2880
// samples.
//
// # Response body
//
//	+------------------------+------------------------+--------------------+
//	| metadata, JSON, as long| user summary           | packed Opus,       |
//	| as metadata_len says   |                        | 60 ms a packet     |
//	+------------------------+------------------------+--------------------+
//
//	user summary = count:uint16 big endian, count × 51 bytes
//
//	 0        8                          40      44      48    50
//	 +--------+--------------------------+-------+-------+-----+-+
//	 | userid | name, UTF-8, NUL padded  | mic   | rms   |delay|b|
//	 | uint64 | 32 bytes                 | f32   | f32   | u16 |i|
//	 +--------+--------------------------+-------+-------+-----+-+
//	                                       bits: 0 muted, 1 soloed
//
// All numbers of the summary are big endian.
//
// # Message
//
// Shard and state server exchange messages: a JSON object and binary data
// ([Request], [Answer]). How a message lies in shared memory is package shm's
// business. The data of a request is mono float32 PCM at 48 kHz in the byte
// order of the machine; the data of an answer is the user summary followed by
// such PCM. Messages without data ask for the clock ([KindClock]) or whether an
// upload can be used yet ([KindUploaded]).
//
// # Refusals
//
// What a peer or a singer gets wrong is a [Refusal]: an HTTP status and a
// sentence that names the value and the limit.
package proto
