// Package load lets simulated singers sing at a brigade at real pace and says
// whether it carried them.
//
// # An open loop
//
// When a request is due is known beforehand (type Plan) and nothing that the
// server does changes it. Latency is counted from that moment, not from when the
// request left, so a stall of 500 ms is seen by everybody who would have sung
// in it:
//
//	due       |     |     |     |     |        every 600 ms
//	server    ok    ok    ▒▒▒▒▒▒▒▒▒▒▒ ok       answers nothing
//	latency   4     4     900   300   4        ms
//
// Like a browser a singer has four requests under way at most. When a fifth is
// due he gives the connection up, which is a failure, and connects again. What
// would be due until he has his connection is due as well: it is never sent, and
// counts with the time until something can be sent. A clock that takes 2.4 s is a
// failure, after 10 s it is asked for anew. 2.4 s after its end a run is over,
// whatever has not been answered.
//
// # What is sent
//
// Voices are encoded before the run: some loops of 24 s a kind (type library),
// cut into batches that all singers of that kind share, each at a place of his
// own. So a request costs the generator no more than its way through the
// network, and most singers look at an answer's frame only: lengths, metadata,
// clocks that join on.
//
// # Pilots
//
// A few singers carry a voice.Pattern instead of a voice, and decode what they
// hear. Each notes which sample of his pattern lies at which position of the ring
// once the server has acknowledged it:
//
//	pilot A   sent     [p, p+28800) = pattern A from sample 57600 on, acknowledged at t
//	pilot B   asks for [p, p+86400) at t+2 s: must hold pattern A, at 57600 + 432
//	pilot C   asks for [p, p+86400) at t−1 s: must not
//
// The leader stands where the server puts him; the other pilots, as people may,
// choose a bucket, so that each but the last, who only listens, has another
// behind him. 432 samples are what two encoders look ahead. What was acknowledged
// and is not heard, or elsewhere, or before it was sung, is a failure of the run.
// Result.Voices says who was listened for, and why others were not.
//
// # Many machines
//
// Singers are dealt like cards: of three machines the second has singers 1, 4,
// 7, … of all. Number, userid, name and phase follow from the singer's number and
// the start, which all machines agree on by the server's clock.
//
// # Who owns what
//
// Each singer is one goroutine, which begins what is due; each request under way
// is another, which sends it, waits, and takes the answer in its turn. They share
// the singer under his mutex. The recorder is shared under one mutex, held
// for moments. One goroutine wakes the singers when a request is due (type alarm),
// one looks at the processors once a second, one listens for the pilots.
package load
