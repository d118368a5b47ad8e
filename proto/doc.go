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
// such PCM. A singer's request without data that says what it wants stands for
// n_samples of silence; else messages without data ask for the clock ([KindClock]) or
// whether an upload can be used yet ([KindUploaded]).
//
// # What a shard holds already
//
// Many singers hear the same mix, and a shard that has encoded a piece of it for
// one need not do so for the next. It says what it holds and when that was read;
// the state server says how far that is still what this singer would hear, and
// mixes the rest. An interval of ten frames, of which the shard holds the first
// six, four read at clock 900 and two at 910; a late voice came into the fifth:
//
//	request  read_end 28800, want [17280, 28800),
//	         held {mix 1001, read [[11520, 900], [17280, 910]]}
//	answer   mix 1001, keep 11520, pcm [8640, 28800), server_clock 1000
//
// What is kept is before 11520; the frame before that, 8640 to 11520, comes along
// for an encoder to warm up with. Old peers know none of this and hear and send
// everything.
//
// # Refusals
//
// What a peer or a singer gets wrong is a [Refusal]: an HTTP status and a
// sentence that names the value and the limit.
package proto
