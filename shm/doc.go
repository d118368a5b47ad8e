// Package shm is the call from a codec shard to the state server through a
// segment of shared memory: one file, mapped by both, one call at a time. A
// program in any language that knows this page can stand on either side.
//
// # The segment
//
// Little endian. A is the JSON area, 65 535 bytes unless both sides are told
// otherwise (peers of the first generation hold 10 000).
//
//	0        1         3                 3+J       7+J
//	+--------+---------+-----------------+---------+----------------------+
//	| status | J: JSON | JSON, J <= A    | D: data | data, D <= 199 998   |
//	| uint8  | uint16  | bytes of UTF-8  | uint32  |                      |
//	+--------+---------+-----------------+---------+----------------------+
//	|<- first word  ->|
//
//	W = 7 + A + 199 998, rounded up to a multiple of 64
//
//	W                W+4
//	+----------------+----------------+
//	| server sleeps  | shard sleeps   |  uint32 each
//	+----------------+----------------+
//
// Status is 0 in a fresh segment, 1 when a request stands there (the server's
// turn), 2 when an answer does. All-zero memory is a valid idle segment, so
// whoever comes first creates the file and nobody waits for anybody.
//
// Request and answer lie in the same place. The data of a request is PCM
// (mono, 48 kHz, float32); the data of an answer is the user summary and then
// PCM. We end JSON in as many spaces as it takes for the PCM to lie at a
// multiple of 64, and work on it where it lies.
//
// # Turns
//
// The shard writes only while the status is not 1, the server only while it
// is. The first 32-bit word holds the status, J and the first byte of JSON: it
// is stored last, in one atomic store, and loaded first, in one atomic load.
// Lengths are read once and checked; what a peer got wrong is an error.
//
// # Waiting
//
// To sleep: set the own flag behind the data to 1, read the status word again,
// wait on that word (futex; the server on all its segments at once,
// futex_waitv); awake again, set the flag to 0. To publish: store the word, look
// at the other's flag; if it is not 0, change a 1 to 2 (compare and swap) and
// wake. The order of store and look is sequentially consistent on both sides, so
// one of the two always sees the other.
//
// Before it sleeps a side polls: for half a microsecond in any case, and then for
// as long as the last waits make it likely to pay, at most 50 µs. A shard that had
// to wake the server does not, nor does anybody whose waits are longer, but for a
// try now and then. So a server that is called all the time never sleeps, and one
// that is called some hundred times a second never spins.
//
// A sleep ends after 100 ms in any case. A message that is there then, with the
// flag still at 1, is from a peer that wakes nobody: for the next ten seconds
// sleeps end after 1 ms. A flag at 2 says that it was only the wake that came
// too late; a peer need not set it, it costs us short sleeps if it does not.
//
// # Many callers
//
// The goroutines of a shard call one at a time. While it has the turn, a call
// copies its audio in, waits, and copies the answer out; JSON is written before
// and read afterwards. What is read from a message lies in a [proto.Scratch]: of
// the server for a request, until the next one; of the caller for an answer.
//
// # Deaths
//
//   - A shard whose call times out leaves the segment alone while the status
//     is 1. Whatever stands there afterwards answers a request that nobody
//     waits for: it is never read. A new shard that finds 1 does the same.
//   - A server that starts sets every 1 to 0. A waiting shard that sees 0
//     writes its request again, marked "again", from its own copy.
//   - A server killed while it wrote an answer leaves 1, so its successor sets
//     0 and the shard writes again. A shard killed while it wrote a request
//     leaves 0 or 2, so the server never looks.
//   - Open file description locks keep a second server, and a second shard,
//     off a segment: byte 0 of the file is the server's, byte 1 the shard's.
//     They go with the process.
package shm
