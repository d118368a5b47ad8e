// Package shard is the HTTP face of the brigade: it takes a singer's 600 ms of
// Opus, hands the samples to the shared state through a [Backend], and answers
// with what that singer hears.
//
// # One request
//
//	POST ─> parse all of it ─> the singer's turn ─> decode ─> Backend ─> encode ─> answer
//	        query, framing,    in the order of
//	        nothing touched    their clocks
//
// What is wrong with a request is found before a codec is touched: a codec
// that has taken audio cannot give it back. Requests of one singer are taken
// in the order of their clocks and answered in that order; requests of
// different singers run side by side, as many at once as there are processors.
//
// # Hearing
//
// All listeners of one bucket hear the same samples, so these are encoded once
// (type stream): whoever asks first has them fetched and encoded, the others get
// the packets. To be on one grid of frames all are told that they hear up to 60 ms
// less than they asked for, the same for as long as they are connected.
//
//	     asks for            the stream has   brought      answered with
//	ann  frames 90 to 99     up to 94         95 to 99     the stream's 90 to 99
//	bob  frames 92 to 101    up to 99         100, 101     the stream's 92 to 101
//	cyd  frames 92 to 101    up to 101        nothing      the stream's 92 to 101
//
// The state server says with each answer whether what the stream has still is
// what this listener would hear; what is not is brought anew. A newcomer's first
// three packets, solos, loopback, and all that a state server of the first
// generation says are encoded for one.
//
// # Uploads
//
//	POST /upload?type=backingTrack|image ─> upload.Store ─> is it ready, Backend? ─> ok
//	GET  /user-upload-image?VALUE        <─ upload.Store
//
// Any shard does both: what is stored lies in one folder, and VALUE is part of a
// file's name. Who has the answer to an upload can use it at once, so the shard
// asks the state server until it has taken the file up.
//
// # Who owns what
//
// Each request runs on its own goroutine. A singer's codecs belong to the
// request that has that singer's turn, a stream's to the one that has its token.
// No more goroutines are in libopus at once than there are processors. The table of singers and the turns lie
// under one mutex (type roster), held for moments and never while decoding,
// calling or writing.
//
// What is counted ([Stats]) lies in atomic words: a request waits for nobody who
// reads them.
//
// # Life
//
// Twice a second a shard sends a request of its own through its handlers and takes
// what a singer's takes; that it comes through is its proof of life (Config.Beat).
// To stop means to wait until no upload is under way, while singers are served as
// always and new uploads are refused (type intake); then to end connections, in an
// order in which no request is lost (type connections).
//
// # Answers
//
//	200  metadata, user summary and packed Opus; or the clock; or the status;
//	     or what who controls the room is told
//	4xx  the request is at fault: the reason as text, and in X-Audio-Metadata as
//	     {"kill_client": true, "message": reason}
//	503  the state server is away, or the shard is to stop and takes no uploads;
//	     Retry-After says when to try again
//
// A clock request (GET) is answered with 200 or not at all: clients in the
// field stop for good at anything else. Refusals that a retry cannot heal are
// delayed by a second, because those clients retry at once and for ever.
package shard
