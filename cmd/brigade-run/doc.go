/*
Brigade-run runs a whole Bucket Brigade on this machine until Ctrl-C: a state
server, some codec shards and nginx before them.

Usage:

	brigade-run [flags]

	brigade-run -shards 4 -listen 0.0.0.0:8080 -dir ~/brigade

It waits until all of them are ready and says where to go; from then on every
line that one of them logs appears behind its name. `make run` builds the
programs and starts brigade-run with -shards SHARDS, -listen 127.0.0.1:PORT and
-base-port BASE_PORT.

Browsers give the microphone only to pages from localhost or over TLS: from
another machine one can look at such a brigade, but not sing in it.

nginx refuses what is more than a hundred singers would ask from one address,
but not from this machine. For a load test from others name each, or their
network, with -unlimited.

Backing tracks, sound files of any usual kind, go into the folder tracks of -dir
and can be chosen a second later. What singers upload goes into uploads. Each song
is recorded, complete once the last bucket has sung it, into recordings.

Without -dir the files of the programs lie in a temporary folder that is removed
at the end. To measure, give a folder in memory, such as /dev/shm/brigade.

Exit status: 0 after Ctrl-C or SIGTERM, 1 if something could not be started or
ended by itself (its last lines are shown), 2 for a command line that makes no
sense. A second Ctrl-C does not wait for an orderly end: all processes end with
brigade-run even so, but the temporary folder stays.
*/
package main
