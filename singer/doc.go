// Package singer is a browser without a browser: it speaks the protocol as the
// web client does, for load tests, demonstrations and end-to-end tests.
//
// # A singer's clocks
//
//	now          GET tells the server clock; the singer stands offset behind it
//	read         end of what is asked for; grows by 28 800 with every request
//	heard        end of what an answer brought; the same, or less by a constant
//	write        end of what is sung: heard by a fixed lag earlier
//
// A singer sings along with what comes out of the loudspeaker, so a sample sung
// at position p is stamped p, wherever on earth and however late it is sung.
// The lag is made of the batch that is being recorded (28 800 samples), of the
// audio that waits in the player (24 064) and of the ways there and back: about
// 1.25 s in all. For example, with offset 3 s and server clock 1 000 000:
//
//	read of the first request   1 000 000 − 144 000 + 28 800 = 884 800
//	write of the second         884 800 + 28 800 − 60 000     = 853 600
//
// # Who owns what
//
// A Singer belongs to one goroutine: the one in Run, or the one that calls
// Connect and Step. The callbacks are called on it.
package singer
