// Package brigade is what the singers share: the ring of audio, the song, the
// buckets and everybody's settings. It does no I/O, starts no goroutine and
// has no clock: whoever owns a [Brigade] calls [Brigade.Handle] with each
// request and the time, and [Brigade.Tick] four times a second, always from one
// goroutine.
//
// # Clock
//
// Time is counted in samples of 48 kHz ([proto.Clock]). S is the clock at which
// a request is handled. A read clock R with n samples asks for [R-n, R), a
// write clock W brings audio for [W-n, W): clocks name the end.
//
// # Ring
//
// The ring holds the last Q = 120 s. Position c lies at index c mod Q, and each
// position has four values:
//
//	audio    all voices added up          backing  metronome or backing track
//	monitor  the soloed voices added up   people   how many voices were added
//
//	     S-Q                    W-n    W        R-n    R          S
//	      |                      |-----|         |-----|          |
//	......|======================|#####|=========|>>>>>|==========|......
//	older |  valid               brought         asked for        | future
//
// Nothing may be read or written past S or before S-Q. Whoever comes next, a
// request or a tick, clears what became valid since the last one and fills its
// backing. An interval of the ring is at most two runs of memory: one up to the
// end of the slice and one from its start.
//
// # Who hears whom
//
// A singer d seconds behind S hears what has been added at S-d by then. Its own
// voice arrives about 1.2 s behind what it hears, so a singer never hears
// itself, and those d+3 seconds behind hear it with all who sang before:
//
//	  S-9         S-6         S-3         S
//	...|...........|...........|..........|
//	bucket 3    bucket 2    bucket 1
//	hears 1, 2  hears 1     the leader
//
// # Bucket
//
// Who asks to lead gets bucket 1; everybody else is dealt to the buckets
// behind, 3 s apart, the last bucket first. Seven followers, no rounds:
//
//	bucket      1   2   3   4   5   6
//	seconds     3   6   9  12  15  18
//	followers   -   1   1   1   2   2
//
// With rounds the leader stands back by all repeats: 60 bpm, 8 beats a round,
// 2 repeats is 8 s a round, so the leader is at 16 + 3 = 19 s and the next
// buckets at 22 and 25 s (two at most: a round has room for 8/3 buckets).
//
// # Song
//
// A song begins at the read clock of who starts it and ends at the last write
// clock of the leader who stops it. Outside of a song nothing is stored and
// everybody hears silence. Anybody else's stop halts the song for all.
//
// # Gain
//
// With n voices at a sample the voices are turned down by sqrt(3/(n+2)): one
// voice 1, two 0.866, four 0.707. Then
//
//	out = (audio × gain + backing × backingVolume × (bpm > 0 ? 1 : 0.2) × own) × globalVolume
//
// Two voices of 0.25, no backing, global volume 1.2: (0.5 × 0.866) × 1.2 = 0.52.
//
// # What many hear
//
// Singers with the same volume of the backing who ask for the same positions hear
// the same, if they ask at the same time. A shard that has encoded a piece for one
// says so when the next one asks ([proto.Held]), and the brigade tells how far that
// still holds. It does not where a voice has come since, unless the piece is less
// than 250 ms old, and not where something that all mixes depend on has changed:
// a volume, the song, the metronome.
//
// # Metronome
//
// A click is one sample of 1.0 each floor(2880000/bpm) samples. Between two
// fills only the distance to the next click is kept. 120 bpm, distance 0:
//
//	filled    clicks at             distance to the next, from the end
//	60000     0, 24000, 48000       12000
//	12000     none                  0
//	1         0                     23999
//
// # Recording
//
// A song is taken down where all have sung, 5.25 s behind the last bucket, as a
// [Recorder] wants it: the mix, and on request a stem for each bucket and the
// backing, which add up to it. A song of 10 s from clock 0, the last bucket 18 s
// behind:
//
//	at clock      taken down
//	23.25 s       the first sample
//	33.25 s       all
//
// What can be sung no more is taken down at once: the rest of a song that is
// halted, or followed by another, or left by everybody.
//
// # Control
//
// A request without userid that brings the secret of [Config] controls the
// room: it starts at S what it starts, ends at S what it stops, and its chats go
// to everybody from [ANNOUNCEMENT]. With the first one the room is taken over for
// good, also after [Restore] unless control is switched off then: requests to lead,
// and tempo, repeats and bpr are ignored from then on, whoever sends them, and the
// state is never reset.
//
// Such a request has no clocks, so each has a nonce instead: a nonce that was
// carried out is answered, not repeated. A new server that has forgotten the
// room carries it out.
//
// # Life after death
//
// A process can be killed at any moment and another goes on ([Restore]). For that a
// request or tick commits what it changed, before anybody is told: records in a
// [durable.Store], one for what all share, one for each user, for each chat, for
// lyrics, events, and the nonces of control. Only the records that changed are
// written, mostly two. A user's record has of the chats that wait only their
// numbers.
//
// The ring lies beside them and is changed in place. Of where a voice is added the
// samples are saved before, and put back if the request was not committed:
//
//	killed                       found afterwards      the request, asked again, is
//	before it was committed      as if it never came   carried out
//	before it was answered       all that it changed   answered, not repeated
//
// What is cleared and filled in front needs no saving: it is no position yet of what
// was committed. The ring that a song silences is not saved either; it is found
// silent. What the recorder had not written is taken down again, as long as the ring
// has it. A track that plays goes on from what is kept ahead of it, until it is
// decoded anew; what was owed meanwhile is filled then.
//
// # What a request costs
//
// A singer's request of 600 ms is 115 200 bytes of audio each way. It is looked at
// once, before anything changes, and added once; what is heard is mixed in one pass:
//
//	           reads                            writes
//	check      audio in
//	add        audio in, ring audio, people     ring audio, people
//	save       the same of the ring             the log of the store, if there is one
//	mix        ring audio, backing, people      audio out
//
// Without saving that is 3.7 times what a copy of it moves, and memory is what bounds it. It is so
// with vectors, which need amd64 and a build with GOEXPERIMENT=simd; any other build
// has plain loops, which give the same and take more than twice as long. What is done
// beside the audio does not grow with the users, but for the user list: that of a
// large room is sorted once a second.
//
// # Refusals
//
// A request is checked whole before anything changes. One that is refused
// leaves no trace: not in the ring, not in the clocks, not in what anybody is
// told.
package brigade
