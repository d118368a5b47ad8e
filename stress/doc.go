/*
Stress sings at a brigade with simulated singers and judges what they hear, and
measures what it all costs.

Usage:

	stress -url URL[,URL…] [-users 200] [-duration 60s] [-json FILE] [flags]
	stress max -url URL [-most 10000] [flags]
	stress merge [-json FILE] [-report FILE] FILE…
	stress local [-shards 2] [flags]
	stress shards [-counts 0,1,2] [-most 10000] [-json FILE] [flags]
	stress demo [flags]
	stress unit [-inner] [-users N]
	stress opus [flags]
	stress bench [flags]

	stress -url https://sing.example.org -users 200 -duration 60s -report out.html
	stress -url URL -users 1000 -start-at 20:15 -machine 2/3 -json 2.json
	stress demo -url http://127.0.0.1:8080
	stress demo -voice mine.wav -out /tmp/heard
	stress unit -users 1000 -inner
	stress opus -voice mine.wav
	stress bench -out docs/performance.md

Without a subcommand singers sing at real pace, a request every 600 ms each, for
-duration. They join one after another in the first part of it, are dealt to
buckets when one of them takes the lead, and then do what -scenario says: choir,
crowd, rehearsal, storm, restart, or a file; go doc ./load Scenario has its form, and
says how storms really are. Whatever the server does, the schedule stays: latency counts from when a request was due.

A few singers, the pilots, sing a pattern that the others of them look for in what
they hear: it must be there, at the right position, and not before it was sung. The
last of them stands behind all others and only listens. It is told how many were
heard, and why the others were not listened for, as those near the end of the
chain in a short run: a song comes to each bucket three seconds later than to the one
before.

The objective is: no error, which a voice that was looked for and not heard is, too;
no pilot who was passed over although enough of him was to be heard, and in a
scenario with songs at least one who was listened for; and 99 of 100 requests
answered within -p99.

On a terminal one sees how the run stands: singers, answers, latency, errors, with
a curve of the last 40 seconds. Elsewhere a line comes every five seconds, as it
does with TERM=dumb; with NO_COLOR the terminal's lines have no colours.

With -report FILE a page with plots is written: latency over time and as a
distribution, with the objective, requests a second, errors, singers, processors;
behind each plot are its numbers. It is one file, for a browser, and needs no
network. That of max and shards shows what each attempt found, too. With -json FILE
the same is written for programs; go doc ./load Result has its form. A run of more
than half an hour is kept in 1800 steps at most.

Max looks for the largest number of singers for which it holds. Each attempt is a
run of its own, of 25 s unless -duration says otherwise. Its -json has all of them,
also if none held: go doc ./load Found has the form.

With many machines give each the same command with the same -start-at, and its own
-machine and -json. They start when the server's clock shows that time; it is said
if a machine's clock is off. Merge makes one result of their files.

With -pid NAME=PID,… the processors of the server's processes are looked at, with
their children: what a request costs each of them, how many singers a core
carries, and what a machine of -cores would. A number at the end of a name counts
the processes of a kind, as in shard-01. With -metrics NAME=HOST:PORT,… processes
are asked what they have used, at the address of their own -metrics, which nginx
has not. They answer who is on their machine: from another one take a tunnel, such
as ssh -L 7201:127.0.0.1:7201. Both may be given, for different processes.

What a singer costs the generator is told beside what he costs the shards: shards
and generator of one machine share its processors.

With -pace none singers do not wait for 600 ms to pass: each of -users workers asks
again as soon as he is answered, and it is estimated how many real singers ask as
often. That is what others have measured so far. It flatters: it asks a slow server
less.

Local starts a brigade on this machine, sings at it and stops it again. Shards does
so for several numbers of shards, and searches for the maximum of each; its -json has
what max's has, of each number of shards: go doc ./load SetUp.
docs/sizing.md says how to plan an event with all this.

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
with the go tool, and prints one table of goals and what was measured, and where the
time of some lines goes: the ten first lines of their profiles. What the benchmarks
printed themselves is kept in -raw, for benchstat; so are the profiles. It takes
six minutes on two cores. docs/performance.md explains the table.

Exit status: 0 if all went well: the objective held, or in the demo everybody heard
whom they should and nobody else; 1 if not, if something failed, or if max or a number
of shards carries nobody; 2 for a command line that makes no sense.
*/
package main
