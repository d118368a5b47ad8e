package codec

import (
	"bytes"
	"math"
	"testing"

	"bucketbrigade/proto"
	"bucketbrigade/voice"
)

// programmes are what listeners hear: a choir, one who speaks, a room.
func programmes(n int) map[string][]float32 {
	choir := make([]float32, n)
	for i := range 8 {
		v := voice.Render(voice.NewSung(voice.SungConfig{Seed: uint64(i), Pitch: 110 * float64(1+i%3)}), n)
		for j, x := range v {
			choir[j] += x / 3
		}
	}
	return map[string][]float32{
		"choir":  choir,
		"solo":   voice.Render(voice.NewSung(voice.SungConfig{Seed: 9}), n),
		"spoken": voice.Render(voice.NewSpoken(voice.SpokenConfig{Seed: 1}), n),
		"room":   voice.Render(voice.NewRoomNoise(voice.RoomNoiseConfig{Seed: 1}), n),
	}
}

// packets takes frames [from, to) from a stream.
func packets(s *Stream, from, to Frame) (out [][]byte) {
	for f := from; f < to; f++ {
		out = append(out, bytes.Clone(s.Packet(f)))
	}
	return out
}

// decodeAll decodes packets with one decoder.
func decodeAll(t *testing.T, packets [][]byte) (pcm []float32) {
	t.Helper()
	d := NewDecoder()
	pcm = make([]float32, 0, (len(packets)+1)*proto.FrameSamples)
	for _, p := range packets {
		var err error
		if pcm, err = d.Decode(pcm, p); err != nil {
			t.Fatal(err)
		}
	}
	return pcm
}

// worst is the lowest SNR of any 20 ms in [from, to), and where it is. What is
// quieter than -60 dB is not looked at.
func worst(want, got []float32, from, to int) (snr float64, at int) {
	const part = proto.SampleRate / 50
	snr = math.Inf(1)
	for i := from; i+part <= to; i += part {
		var signal, noise float64
		for j := i; j < i+part; j++ {
			d := float64(got[j] - want[j])
			signal += float64(want[j]) * float64(want[j])
			noise += d * d
		}
		if signal < part*1e-6 {
			continue
		}
		if s := 10 * math.Log10(signal/noise); s < snr {
			snr, at = s, i
		}
	}
	return snr, at
}

const testFrames = 40

// mustPut brings frames [from, to) of pcm, primed as far as there is something
// before.
func mustPut(t *testing.T, s *Stream, pcm []float32, from, to Frame, at proto.Clock) {
	t.Helper()
	prime := min(PrimeFrames, int(from))
	first := from - Frame(prime)
	if err := s.Put(first, pcm[first*proto.FrameSamples:to*proto.FrameSamples], prime, at); err != nil {
		t.Fatal(err)
	}
}

// enough is the SNR of 20 ms that is asked for after a change: 15 dB, a sixth.
const enough = 15

// place is where somebody changes over: at a frame of a programme.
type place struct {
	programme string
	frame     Frame
}

// judge compares what is heard from sample change on with what an uninterrupted
// decoder gives. It must be enough, but at the places of floors.
//
// What libopus has no bits for, above 12 kHz, it fills with noise, which it draws
// from the packet before: whoever changes over hears another noise as loud for
// one frame. Where a programme is little else than noise that alone is more than a
// sixth. Below 12 kHz it must be enough there as well.
func judge(t *testing.T, p place, floors map[place]float64, want, got []float32, change int) {
	t.Helper()
	snr, where := worst(want, got, change, len(got))
	floor, excepted := floors[p]
	if !excepted {
		floor = enough
	}
	if snr < floor {
		t.Errorf("%s: change at frame %d: %.1f dB %d samples later, want %g", p.programme, p.frame, snr, where-change, floor)
	}
	if !excepted {
		return
	}
	end := change + proto.FrameSamples
	if snr, where = worst(below12k(want, change, end), below12k(got, change, end), 0, proto.FrameSamples); snr < enough {
		t.Errorf("%s: change at frame %d: %.1f dB below 12 kHz %d samples later, want %d", p.programme, p.frame, snr, where, enough)
	}
}

// below12k is what pcm[from:to] has below 12 kHz, by a filter that takes some
// samples before and after.
func below12k(pcm []float32, from, to int) []float32 {
	const half = 64
	out := make([]float32, to-from)
	for k := -half; k <= half; k++ {
		weight := 0.5
		if k != 0 {
			x := math.Pi * float64(k)
			weight = math.Sin(x/2) / x * (0.5 + 0.5*math.Cos(x/half))
		}
		for i := range out {
			out[i] += float32(weight) * pcm[from+i+k]
		}
	}
	return out
}

// changeFloors are what is reached where it is not enough.
var changeFloors = map[place]float64{
	{"solo", 32}: 13.5,
	{"room", 18}: 11.5, {"room", 19}: 11.5, {"room", 20}: 13.5, {"room", 21}: 14, {"room", 24}: 13,
	{"room", 31}: 10, {"room", 32}: 10, {"room", 34}: 10,
}

// A running decoder changes over to a stream, at any frame, and hardly notices.
func TestDecoderChangesStreams(t *testing.T) {
	t.Parallel()
	for name, pcm := range programmes(testFrames * proto.FrameSamples) {
		shared := NewStream()
		mustPut(t, shared, pcm, 0, testFrames, 0)
		want := decodeAll(t, packets(shared, 0, testFrames))[3*proto.FrameSamples:]
		for at := Frame(8); at < testFrames-4; at++ {
			own := NewStream()
			mustPut(t, own, pcm, 3, at, 0)
			got := decodeAll(t, append(packets(own, 3, at), packets(shared, at, testFrames)...))
			judge(t, place{name, at}, changeFloors, want, got, int(at-3)*proto.FrameSamples)
		}
	}
}

// joinFloors are what newcomers reach where it is not enough.
var joinFloors = map[place]float64{
	{"room", 8}: 11.5, {"room", 10}: 11.5, {"room", 13}: 12, {"room", 15}: 11, {"room", 16}: 11.5, {"room", 17}: 13, {"room", 18}: 14,
	{"room", 21}: 14.5, {"room", 24}: 14, {"room", 27}: 12.5, {"room", 29}: 10, {"room", 30}: 11.5, {"room", 31}: 10,
}

// A newcomer hears a few packets that are made for him, fading in, and then the
// stream. The last of them is as loud as the stream: after one that still fades
// his decoder would be off by as much as a half.
func TestNewcomerChangesToTheStream(t *testing.T) {
	t.Parallel()
	const own, fading = 3, 2
	for name, pcm := range programmes(testFrames * proto.FrameSamples) {
		shared := NewStream()
		mustPut(t, shared, pcm, 0, testFrames, 0)
		whole := decodeAll(t, packets(shared, 0, testFrames))
		for at := Frame(8); at < testFrames-8; at++ {
			part := pcm[at*proto.FrameSamples : (at+own)*proto.FrameSamples]
			faded := append([]float32(nil), part...)
			FadeIn(faded, fading*proto.FrameSamples)
			private, err := NewEncoder().AppendPacked(nil, faded)
			if err != nil {
				t.Fatal(err)
			}
			first, err := proto.ParsePackets(nil, private)
			if err != nil {
				t.Fatal(err)
			}
			want := whole[at*proto.FrameSamples:]
			got := decodeAll(t, append(first, packets(shared, at+own, testFrames)...))
			judge(t, place{name, at}, joinFloors, want, got, own*proto.FrameSamples)
			if peak, whole := peakOf(got[:own*proto.FrameSamples]), peakOf(part); peak > 1.5*whole+0.02 {
				t.Errorf("%s: joined at frame %d: the beginning peaks at %.2f, the programme at %.2f", name, at, peak, whole)
			}
		}
	}
}

func peakOf(pcm []float32) (peak float64) {
	for _, x := range pcm {
		peak = max(peak, math.Abs(float64(x)))
	}
	return peak
}

// What is mended in the middle, at the head, or behind a gap is heard as well as
// if nothing had happened.
func TestMendedFramesSoundAsWell(t *testing.T) {
	t.Parallel()
	for name, pcm := range programmes(testFrames * proto.FrameSamples) {
		whole := NewStream()
		mustPut(t, whole, pcm, 0, testFrames, 0)
		usual, _ := againstInput(t, pcm, decodeAll(t, packets(whole, 0, testFrames)))
		for _, c := range []struct {
			what     string
			from, to Frame
		}{
			{"in the middle", 12, 22}, {"one frame", 17, 18}, {"to the head", 25, testFrames},
		} {
			s := NewStream()
			mustPut(t, s, pcm, 0, testFrames, 0)
			// What was there before c.from has been heard.
			heard := packets(s, 0, c.from)
			mustPut(t, s, pcm, c.from, c.to, 1)
			got, where := againstInput(t, pcm, decodeAll(t, append(heard, packets(s, c.from, testFrames)...)))
			if got < usual-2 {
				t.Errorf("%s, mended %s: %.1f dB at sample %d, usual are %.1f", name, c.what, got, where, usual)
			}
		}
		s := NewStream()
		mustPut(t, s, pcm, 0, 15, 0)
		heard := packets(s, 0, 15)
		mustPut(t, s, pcm, 15, 20, 0)
		mustPut(t, s, pcm, 30, testFrames, 0) // nobody asked for 20 to 29
		cut := append(append([]float32(nil), pcm[:15*proto.FrameSamples]...), pcm[30*proto.FrameSamples:]...)
		decoded := decodeAll(t, append(heard, packets(s, 30, testFrames)...))
		// The programme itself leaps there: 20 ms later that is over.
		settled := 15*proto.FrameSamples + proto.SampleRate/50
		got, where := worst(cut[:len(decoded)-120], decoded[120:], settled, len(decoded)-120)
		if got < usual-2 {
			t.Errorf("%s, behind a gap: %.1f dB at sample %d, usual are %.1f", name, got, where, usual)
		}
	}
}

// againstInput is the lowest SNR of 20 ms of what was decoded, once the codec has
// settled.
func againstInput(t *testing.T, pcm, decoded []float32) (float64, int) {
	t.Helper()
	const delay = 120
	return worst(pcm[:len(decoded)-delay], decoded[delay:], 4*proto.FrameSamples, len(decoded)-delay)
}

// Frames that come one after the other are packets of one encoder, however they
// were cut.
func TestStreamIsOneEncoder(t *testing.T) {
	t.Parallel()
	pcm := programmes(testFrames * proto.FrameSamples)["choir"]
	whole, parts := NewStream(), NewStream()
	mustPut(t, whole, pcm, 0, testFrames, 0)
	for f := Frame(0); f < testFrames; f += 5 {
		mustPut(t, parts, pcm, f, f+5, 0)
	}
	for f := range Frame(testFrames) {
		if !bytes.Equal(whole.Packet(f), parts.Packet(f)) {
			t.Errorf("frame %d differs", f)
		}
	}
}

func TestStreamKeepsTheLatestFrames(t *testing.T) {
	t.Parallel()
	s := NewStream()
	pcm := make([]float32, proto.FrameSamples)
	put := func(f Frame, at proto.Clock) {
		t.Helper()
		if err := s.Put(f, pcm, 0, at); err != nil {
			t.Fatal(err)
		}
	}
	for f := range Frame(100) {
		put(f, proto.Clock(f))
	}
	if n := s.Kept(30, 100); n != 0 {
		t.Errorf("%d frames from 30 on", n)
	}
	if n := s.Kept(36, 100); n != 64 {
		t.Errorf("%d frames from 36 on, want 64", n)
	}
	if at, ok := s.Read(50); !ok || at != 50 {
		t.Errorf("frame 50 was read at %d, %t", at, ok)
	}
	put(50, 777)
	if at, ok := s.Read(50); !ok || at != 777 || s.Kept(36, 100) != 64 {
		t.Errorf("frame 50 brought again was read at %d, %t", at, ok)
	}
	if s.Takes(36) != true || s.Takes(35) {
		t.Error("frame 36 still has a place, 35 has none")
	}
	put(20, 1) // its place is 84's
	if _, ok := s.Read(20); ok || s.Kept(84, 1) != 1 {
		t.Error("a frame too old drove a later one out")
	}
}

func TestStreamDoesNotAllocate(t *testing.T) {
	s, f := NewStream(), Frame(0)
	pcm := programmes(10 * proto.FrameSamples)["choir"]
	put := func() {
		if err := s.Put(f, pcm, 0, 0); err != nil {
			t.Fatal(err)
		}
		f += 10
	}
	for range 20 {
		put()
	}
	if allocs := testing.AllocsPerRun(20, put); allocs > 0.2 { // a packet may be longer than any before
		t.Errorf("%.1f allocations for ten frames, want none", allocs)
	}
}
