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

There is one state server to a directory; a second one is told so and stops. It
can be stopped, killed, and started while shards run: shards hold what singers
send for up to 2 s, the next server goes on with the song where this one ended,
and nobody notices. What outlives it lies in -dir, mode 0600, for there are
sessions in it:

	brigade-rings   the last 120 s of audio, 32 s of the track that plays, and
	                what the clock counts from
	brigade-state   song and settings, users with their clocks, volumes and what
	                they are still to be told, the last 1024 chats, events,
	                lyrics, how far the recording is
	brigade-state.new
	                a spare file, as large: the next start makes its state there,
	                then the two change names
	brigade-state.bad
	                a state that was set aside, if there is one

Not in it are what clients have told of themselves for operators, and tracks and
uploads: these are decoded anew, the one that plays first. The files are made when
there are none, and anew when they cannot be used: after the machine was started,
with another -stems, if they are damaged, or of a program that is more than one
version older or at all newer. Then singers start afresh, and a line in the log
says why. With another -max-users they stay. If five servers in a row have ended
while they worked, by a panic or a hang, each within ten seconds of its start and
not all within three, the next one sets the state aside, which the log says, and
starts afresh. A room that was taken over by control stays so; started without
-control-secret it is free again.

An upgrade is a stop of the old program and a start of the new one within 2 s.

Words: the clock counts samples, 48 000 a second, since 1970. The ring holds the
last 120 seconds of it: at each position the sum of all voices that were sung
there. Singers stand in buckets, 3 s apart: the leader's hears the ring 3 s behind
the clock, the next one 6 s, and so on, so each hears all who stand in front. A
song is what is kept in the ring between its start and its end.
docs/how-it-works.md draws it.

	older <──────────────────────────────────────────────── now
	 ... ──┬───────────────┬───────────────┬───────────────┤
	   bucket 3        bucket 2        bucket 1          clock
	   hears 1, 2      hears 1         the leader

Each song is recorded into -recordings, named by the UTC time at which it began,
complete 5.25 s after the last bucket has sung; what is left is written when the
room is left, the next song starts, or the server stops. The next server goes on
with the same file. At any moment the file
holds all up to 6 s behind the last bucket, also after kill -9. The newest -keep
songs stay; index.html and index.json list them. A full disk is logged and leaves
silence in the file. Loud songs have room: full scale is recorded at half of it.

Backing tracks are the files in -tracks: WAV, MP3, FLAC, Ogg Vorbis or Opus, up
to 200 and almost three hours in all. New and changed ones can be used as soon as
they are decoded; names that begin with a dot and README are left out. In -uploads
lies what singers have uploaded: the same folder as the shards', which write there
while this program only reads.

Operators: -control-secret names a file with a secret of 8 characters or more.
Who brings it controls the room without singing in it:

	curl -X POST -H "Authorization: Bearer $(cat FILE)" 'http://HOST/api?mark_start_singing=1'

The first such request takes the room over until the server is started without
-control-secret, or afresh: from then on nobody takes the lead or sets the tempo.
-secrets names a JSON file with what a video call takes ("twilio": account_sid,
api_key, api_secret, room) and with "instance_name". The log warns if everybody
can read one of the two. -metrics listens on a loopback address:

	curl http://ADDR/api/telemetry          all that is known of room and singers
	curl http://ADDR/metrics                counts and times, for Prometheus
	curl http://ADDR/healthz                ok, or 503: the loop that serves hangs
	curl http://ADDR/readyz                 the same: it is ready once it serves
	go tool pprof http://ADDR/debug/pprof/profile

With port 0 the line "metrics addr=…" on standard error tells the port.

docs/operating.md has what is counted.

Under systemd (Type=notify) it is ready when it serves for the first time. The loop
that serves the segments tells the watchdog, and nothing else does (WatchdogSec= of
1 s or more). Its status is as "segments 4, singers 41, a song is on". After SIGINT
or SIGTERM it writes what is left of a recording and ends.

Exit status: 0 after SIGINT or SIGTERM, 1 after a failure, 2 for a command line
that makes no sense.

Memory: in -dir 150 MB, all of it reserved at the first start: 87 MB of rings and
twice 31 MB of state, twice 10 MB more for each 1000 of -max-users beyond 2000;
147 MB more with -stems; 270 kB a segment. Beside that 12 MB a minute of backing
tracks: at most 2 GB for those in -tracks, 800 MB for uploads. -dir must be on a
tmpfs: on a disk, what is changed there would be written to it again and again.
Logs go to standard error, a line an event; lines for systemd's journal bring their
priority and no time.
*/
package main
