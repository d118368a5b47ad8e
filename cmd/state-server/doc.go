/*
State-server owns what the singers of one brigade share: the ring of audio, the
song, the buckets, who is there. Codec shards ask it through shared memory.

Usage:

	state-server [flags] [SEGMENT...]

	state-server -dir /run/bucketbrigade echo01 echo02
	state-server -dir /run/bucketbrigade

A SEGMENT is the name of a file in -dir that one codec shard shares with this
process. Without any, every file there called echo00 to echo99 is served, and
new ones are taken up within a second. Segments are created by whoever comes
first, shard or server, in either order of start, and never deleted.

There is one state server to a set of segments; a second one is told so and
stops. It can be stopped and started while shards run: singers wait, then start
afresh.

Exit status: 0 after SIGINT or SIGTERM, 1 after a failure, 2 for a command line
that makes no sense.

Memory: 81 MB of ring, and 270 kB a segment. Logs go to standard error, a line
an event.
*/
package main
