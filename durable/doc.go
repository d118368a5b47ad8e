// Package durable keeps what a program knows in memory that outlives it: records
// of a fixed size in a mapped file, changed together or not at all, and a log
// that takes back what was under way. A program killed at any instruction finds,
// when it is started again, all that it had committed and nothing else. It does
// no I/O: who maps the file hands its memory over.
//
// What a process stores to a shared mapping is not lost with the process, so the
// order of stores is all that matters; a [Store] orders them with atomic stores.
// It does not protect from the loss of the machine.
//
// # The file
//
// Little endian. All sizes follow from the header.
//
//	0     magic "bbstate\n", version uint32, number of kinds uint32
//	16    identity, 16 bytes: of what else the records belong to
//	32    bytes of the log uint64
//	40    kinds, at most 16: slots uint32, bytes of a record uint32
//	168   checksum of all before
//	256   committed uint64: the last transaction that counts
//	320   transaction of the log uint64, bytes that it holds uint64
//	512   the records, one kind after the other, then the log
//
// # Records
//
// Of each record there are two copies, and a transaction never writes the one
// that counts:
//
//	0         8          12        16
//	+---------+----------+---------+------------------------+
//	| number  | checksum | length  | the record             |
//	| uint64  | uint32   | uint32  | at most what its kind  |
//	+---------+----------+---------+------------------------+
//
// number is that of the transaction that wrote the copy, 0 if none has; it is
// stored last. Of the two the one with the larger number counts that is not larger
// than committed. So one store of committed makes all records of a transaction
// count at once. Transaction 8 wrote the records a and c:
//
//	committed    a: 5, 8    b: 7, 3    c: 8, 6
//	        7       5          7          6     is what counts
//	        8       8          7          8
//
// A copy that is being written does not count: its number is the smaller one, or
// not committed. One that counts but does not have its checksum was damaged by
// something else than a kill: then nothing in the file is believed.
//
// A record of length 0 is an empty slot.
//
// # The log
//
// Memory beside the records that a transaction changes in place (a ring of audio)
// is saved before, piece by piece: which region, where, what was there. If the
// transaction of the log is not committed, its pieces are put back, the last one
// first. Putting them back twice does no harm.
//
// # Versions
//
// The version is that of what lies in the records. A program reads its own and
// the one before: a [Coder] goes through the fields of a record in one order,
// for writing and for reading, and knows which version it reads.
package durable
