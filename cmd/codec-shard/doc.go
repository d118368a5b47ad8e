/*
Codec-shard is the part of a brigade that browsers talk to: it decodes what
singers send, asks the state server what they hear, and encodes that.

Usage:

	codec-shard -dir DIR -segment echo01 -listen 127.0.0.1:7101 [flags]
	codec-shard -listen 127.0.0.1:8081 [flags]

With -segment it shares memory with a state server, which may start before or
after it; while there is none, singers get status 503 and try again. Several
shards, each with a segment of its own, carry one brigade. A singer always has
to reach the same shard; the proxy in front sees to that. A shard uses one
processor (-procs): run as many as there are processors to give.

Without -segment the whole brigade lives in this one process: good for some
sixty singers on a core, and no state server is needed. Then tracks, recordings,
-control-secret, -secrets and the telemetry of -metrics are here, as in
state-server, whose manual page explains them, and what clock, ring, bucket and
song are.

With -uploads singers can upload backing tracks and images, 16 MiB at most, at
/upload; the images are then at /user-upload-image. All shards and the state
server have to be given the same folder, and the shards have to be able to write
there. It is bounded: of each kind 4 files a session and 64 in all stay, 2 GB
together. A track is decoded here, for up to 40 s, and takes up to 500 MB of
memory meanwhile. Without -segment, -tracks is what it is to a state server.

What singers hear is encoded with -complexity 5 unless that says otherwise: from 5
on libopus follows the pitch of a voice, above it little is gained for half as
much time again, and where the processor is short 1 takes 40 % off what encoding
costs. -opus-application audio is libopus's general encoder, as browsers have it:
4 ms later for each bucket that a voice passes, and from -complexity 7 on three
times as dear where somebody speaks or breathes. It is there to compare with.
docs/opus-settings.md has the measurements.

Operators: -metrics listens on a loopback address.

	curl http://ADDR/metrics          counts and times, for Prometheus
	curl http://ADDR/healthz          ok, or 503: the shard hangs
	curl http://ADDR/readyz           ok, or 503 and why singers are not answered
	go tool pprof http://ADDR/debug/pprof/profile

and without -segment at /api/telemetry what the state server tells there. A shard is
healthy as long as it carries out a request of its own twice a second, whatever the
state server does; it is ready if that has answered within two seconds. Refusals
and odd timing are counted, and are one line each a second in the log.
docs/operating.md has what is counted.

Under systemd (Type=notify) the shard takes the sockets that systemd has opened,
which are called http (FileDescriptorName=http) and may be TCP or Unix sockets;
-listen is not used then, and said to be so if it is given. It is ready once it has
carried out a request of its own, with the segment mapped, and each time that it
does so it may tell the watchdog (WatchdogSec= of 2 s or more). Its status is as
"singers 41, shared streams 3, state server answers", with "stopping: " before it and
", uploads under way 1" behind it where that is so. Lines for the journal bring
their priority and no time.

SIGINT and SIGTERM end a shard without losing a request. From then on /readyz is 503
and further uploads are refused, with 503 and Retry-After. While others are under way,
52 s at most, all else goes on as before; those that are left then are refused, too.
From there on each answer is the last one of its connection. New connections are taken
for up to 0.7 s, until the old ones are gone; then what is under way is answered, and
who is silent for 0.7 s is hung up on. After 5 s what is left is cut off. Whoever
connects to a socket of systemd's after that waits there for the next shard, so that a
restart refuses nobody; an address of -listen refuses until the next shard has it.

It answers on every other path, so a proxy may pass /api, /api/07 or /. It speaks
plain HTTP and is meant to stand behind a proxy on the same machine, from which
it takes X-Forwarded-For and X-Forwarded-Proto. With port 0 the line
"listening addr=…" on standard error tells the port.

Exit status: 0 after SIGINT or SIGTERM, 1 after a failure, 2 for a command line
that makes no sense.
*/
package main
