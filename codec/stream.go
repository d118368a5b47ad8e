package codec

import (
	"bucketbrigade/proto"
)

// Frame numbers the frames of 60 ms of all time: frame f holds the samples
// [2880f, 2880f+2880).
type Frame int64

// FrameAt is the frame that begins at clock c, which must lie on the grid.
func FrameAt(c proto.Clock) Frame {
	if c%proto.FrameSamples != 0 {
		panic("codec: a frame that begins off the grid: " + c.String())
	}
	return Frame(c / proto.FrameSamples)
}

// Clock is where f begins.
func (f Frame) Clock() proto.Clock { return proto.Clock(f) * proto.FrameSamples }

// PrimeFrames is how many frames an encoder wants to hear, if they are to be
// had, before one that is sent: without what lies before, its first 2.5 ms would
// fade in.
const PrimeFrames = 1

// streamFrames is how many packets a stream keeps: 3.8 s.
const streamFrames = 64

// Stream is one mix that many hear: it is encoded once, frame by frame, and all
// get the same packets. It does not know what a mix is made of; whoever feeds it
// says when each frame was read, and finds out whether that still holds.
//
//	frames   …  95   96   97   98   99  100  101
//	kept        ==   ==   ==   ==   ==   .    .
//	                                     next: the encoder's
//
// Who asks for [97, 102) gets 97 to 99 as they are, and brings 100 and 101. A
// frame that has become wrong is brought again: an encoder of the moment mends
// it, without touching what lies behind it. A decoder follows such changes at any
// time, as it follows a change of stream: below 12 kHz its first 20 ms are off by
// less than a sixth. What lies above is mostly noise that libopus draws from the
// packet before; there another noise is heard for a frame, as loud.
//
// A stream belongs to one goroutine at a time.
type Stream struct {
	encoder *Encoder
	next    Frame // what encoder takes without a break
	kept    [streamFrames]keptFrame

	settings Settings
}

// keptFrame is one packet. Its place is its number modulo streamFrames.
type keptFrame struct {
	there  bool
	frame  Frame
	read   proto.Clock
	packet []byte
}

// NewStream makes a stream without frames, some 50 kB once it has some.
func NewStream() *Stream { return Default().NewStream() }

func (s *Stream) at(f Frame) *keptFrame {
	return &s.kept[uint64(f)%streamFrames]
}

// Read tells when frame f was read from the ring; ok is false if it is not kept.
func (s *Stream) Read(f Frame) (at proto.Clock, ok bool) {
	k := s.at(f)
	return k.read, k.there && k.frame == f
}

// Kept is how many frames from f on, at most n, are kept without a gap.
func (s *Stream) Kept(f Frame, n int) int {
	for i := range n {
		if _, ok := s.Read(f + Frame(i)); !ok {
			return i
		}
	}
	return n
}

// Packet is the packet of a frame that is kept. It changes when the frame is
// brought again, and when a frame 64 later comes.
func (s *Stream) Packet(f Frame) []byte {
	k := s.at(f)
	if !k.there || k.frame != f {
		panic("codec: the packet of a frame that is not kept")
	}
	return k.packet
}

// Put encodes the frames that pcm holds, whole ones from first on, read from
// the ring at clock at. The first prime of them (0 or PrimeFrames) are not
// wanted for themselves: where the encoder does not join on, it hears them
// first.
func (s *Stream) Put(first Frame, pcm []float32, prime int, at proto.Clock) error {
	n := len(pcm) / proto.FrameSamples
	if len(pcm)%proto.FrameSamples != 0 || prime < 0 || prime > PrimeFrames || n < prime {
		panic("codec: a stream takes whole frames")
	}
	from, end := first+Frame(prime), first+Frame(n)
	encoder := s.encoder
	if encoder == nil || from != s.next {
		encoder = s.settings.NewEncoder()
		for f := range prime {
			if _, err := encoder.Encode(frameOf(pcm, f)); err != nil {
				return err
			}
		}
	}
	for f := from; f < end; f++ {
		packet, err := encoder.Encode(frameOf(pcm, int(f-first)))
		if err != nil {
			return err
		}
		s.keep(f, packet, at)
	}
	// What mends frames behind the head leaves the head's encoder alone.
	if s.encoder == nil || end >= s.next {
		s.encoder, s.next = encoder, end
	}
	return nil
}

// Next is the frame that joins on to the latest.
func (s *Stream) Next() Frame { return s.next }

// Takes tells whether frames from f on would be kept: they are if no frame a
// whole store later has come.
func (s *Stream) Takes(f Frame) bool { return f+streamFrames >= s.next }

func (s *Stream) keep(f Frame, packet []byte, at proto.Clock) {
	k := s.at(f)
	if k.there && k.frame > f {
		return // so old that a later frame has its place
	}
	k.there, k.frame, k.read = true, f, at
	k.packet = append(k.packet[:0], packet...)
}

// frameOf is the i-th frame of pcm.
func frameOf(pcm []float32, i int) []float32 {
	return pcm[i*proto.FrameSamples : (i+1)*proto.FrameSamples]
}
