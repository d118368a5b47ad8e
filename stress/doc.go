/*
Stress sings at a brigade with simulated singers and judges what they hear, and
measures what it all costs.

Usage:

	stress demo [flags]
	stress unit [-inner] [-users N]
	stress opus [flags]
	stress bench [flags]

	stress demo -url http://127.0.0.1:8080
	stress demo -voice mine.wav -out /tmp/heard
	stress unit -users 1000 -inner
	stress opus -voice mine.wav
	stress bench -out docs/performance.md

Demo is the whole idea in half a minute: a leader sings, a follower hears the
leader three seconds later and sings along, a listener behind both hears both.
Each goes its own way through the proxy: the leader to /api/01, the follower to
/api/02, the listener to /api, where the proxy chooses. What each heard is
written to -out as WAV, beside what was sung, with a picture of it all
(demo.svg). For everyone who should hear a voice it prints

	correlation   of the voice with what was heard, other voices taken out; 1 is
	              perfect, a stranger stays below 0.3
	codec alone   the same after two passes through Opus without any network
	lag           how late the voice was heard, in samples of 48 kHz; two passes
	              through Opus are late by 432

and checks that nobody hears anybody who stands behind.

Unit tells how many singers one core carries, with everything in one process and
without network. It prints three times

	N ms each; est M clients

N is the processor time of one request of 600 ms, and M = 600/N how many singers
send such requests. The inputs are honest: a song is on, every request brings
28 800 samples of sung audio, takes as many, and -users singers in six buckets
take their turns; nothing of that is prepared while time is counted. Without
-inner a request is all that a codec shard does with it, from the query to the
answer's bytes, and what the state server does for it: decoding, mixing, encoding.
With -inner it is the state server's part alone. Sockets, nginx and the memory
shared between processes are not in it; "stress bench" has them.

Opus measures what encoder settings cost and what they give, on sung and spoken
voices, the noise of a room, a choir, and files given with -voice. It takes a
bit more than a minute, and prints tables that docs/opus-settings.md explains.

Bench runs the benchmarks of the project, whose folder has to be the current one,
with the go tool, and prints one table of goals and what was measured. What the
benchmarks printed themselves is kept in -raw, for benchstat. It takes six minutes
on two cores. docs/performance.md explains the table.

Exit status: 0 if all went well, for demo if everybody heard whom they should and
nobody else, 1 if not or if something failed, 2 for a command line that makes no
sense.
*/
package main
