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

Operators: -control-secret names a file with a secret of 16 characters or more.
Who brings it controls the room without singing in it:

	curl -X POST -H "Authorization: Bearer $(cat FILE)" 'http://HOST/api?mark_start_singing=1'

The first such request takes the room over until this process ends: from then on
nobody takes the lead or sets the tempo. -secrets names a JSON file with what a
video call takes ("twilio": account_sid, api_key, api_secret, room) and with
"instance_name". Neither file may be readable for everybody. -metrics listens on
a loopback address:

	curl http://ADDR/api/telemetry          all that is known of room and singers
	go tool pprof http://ADDR/debug/pprof/profile

With port 0 the line "metrics addr=…" on standard error tells the port.

Exit status: 0 after SIGINT or SIGTERM, 1 after a failure, 2 for a command line
that makes no sense.

Memory: 81 MB of ring, and 270 kB a segment. Logs go to standard error, a line
an event.
*/
package main
