/*
Stress sings at a brigade with simulated singers and judges what they hear.

Usage:

	stress demo [flags]

	stress demo -url http://127.0.0.1:8080
	stress demo -voice mine.wav -out /tmp/heard

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

Exit status: 0 if everybody heard whom they should and nobody else, 1 if not or
if something failed, 2 for a command line that makes no sense.
*/
package main
