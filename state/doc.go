// Package state is the state server: it serves the segments of all shards from
// one brigade. The same brigade can live inside a shard instead ([Local]).
//
// # Who owns what
//
// One goroutine owns the brigade and all segments: [Server.Run]'s own, locked to
// its thread because it sleeps in the kernel between requests. It takes one
// request after the other, each segment in its turn, and ticks the brigade once
// a second. It does no file I/O: a second goroutine looks for new segments and
// hands them over a channel, opened and mapped.
//
// Backing tracks and uploads are files, too. A goroutine for each folder looks at
// it once a second, decodes what is new and publishes it; the brigade takes what
// was published last. Shards that have stored an upload ask whether it was.
//
// Songs are recorded by one more goroutine: the brigade's copies into a bounded
// queue and never waits. FLAC is made by yet another, of the lowest priority.
//
// What operators are told ([Server.Telemetry]) that goroutine only copies,
// between two requests; whoever asks makes the JSON of it.
//
// # What outlives it
//
// In the directory of the segments lie three more files, mapped like those and locked
// by the server that runs:
//
//	brigade-rings       a page of header, then the brigade's rings (ringFile)
//	brigade-state       the records that the brigade commits (package durable)
//	brigade-state.new   a spare file of the same size
//
// A server that starts goes on with what they hold: first it makes the state anew in
// the spare file, then the two change names at once, so that a server killed over that
// leaves all as it was:
//
//	            brigade-state   brigade-state.new
//	found       A, counts       B, of the server before the last
//	restored    A, counts       B, as A
//	swapped     B, counts       A
//
// Both are reserved by the first server, so that no later one lacks room. If the rings
// cannot be used, or the state, both begin anew, and the log says why. So they do if
// server after server broke over what it had restored (ends): that state is kept as
// brigade-state.bad, as long as nobody needs its room. The state of a [Local] goes with
// the process.
//
// # Counting
//
// What is counted ([Stats]) lies in atomic words, which the goroutine at work
// writes and anybody reads: who asks never holds it up.
//
// # The clock
//
// All positions in time are samples since the Unix epoch, but the wall clock
// may be set, and then the ring would tear. So the server clock is the boot
// clock plus a lead that is measured against the wall clock once: when the rings'
// file is made. Whoever goes on with that reads it there.
package state
