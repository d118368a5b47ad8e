//go:build cgo && nolibopusfile

package proto_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"gopkg.in/hraban/opus.v2"

	"bucketbrigade/proto"
)

// realPackets encodes a swelling chord with noise in every mode, bandwidth,
// number of channels and frame length that the encoder knows.
func realPackets(t testing.TB) [][]byte {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	var packets [][]byte
	for _, app := range []opus.Application{opus.AppVoIP, opus.AppAudio, opus.AppRestrictedLowdelay} {
		for _, bandwidth := range []opus.Bandwidth{opus.Narrowband, opus.Mediumband, opus.Wideband, opus.SuperWideband, opus.Fullband} {
			for channels := 1; channels <= 2; channels++ {
				for _, bitrate := range []int{8000, 24000, 96000} {
					for _, n := range []int{120, 240, 480, 960, 1920, 2880} {
						packets = append(packets, encodeSome(t, r, app, bandwidth, channels, bitrate, n)...)
					}
				}
			}
		}
	}
	return packets
}

// encodeSome gives two packets of n samples from a fresh encoder.
func encodeSome(
	t testing.TB, r *rand.Rand, app opus.Application, bandwidth opus.Bandwidth, channels, bitrate, n int,
) (packets [][]byte) {
	t.Helper()
	enc, err := opus.NewEncoder(proto.SampleRate, channels, app)
	if err != nil {
		t.Fatal(err)
	}
	if err := enc.SetMaxBandwidth(bandwidth); err != nil {
		t.Fatal(err)
	}
	if err := enc.SetBitrate(bitrate); err != nil {
		t.Fatal(err)
	}
	defer runtime.KeepAlive(enc) // the binding does not
	pcm := make([]float32, n*channels)
	for k := range 2 {
		for i := range pcm {
			x := float64(k*n + i/channels)
			pcm[i] = float32(0.3*math.Sin(x*0.0288)+0.2*math.Sin(x*0.0432*float64(1+i%channels))) + 0.05*(r.Float32()-0.5)
		}
		buf := make([]byte, proto.MaxPacketBytes)
		size, err := enc.EncodeFloat32(pcm, buf)
		if err != nil {
			t.Fatal(err)
		}
		packets = append(packets, buf[:size])
	}
	return packets
}

// reframe packs the frames of other packets anew: two or more in one packet,
// with and without lengths and padding. Whether that is legal is up to chance.
func reframe(r *rand.Rand, toc byte, frames [][]byte, padding int) []byte {
	length := func(p []byte, n int) []byte {
		if n < 252 {
			return append(p, byte(n))
		}
		low := 252 + n%4
		return append(p, byte(low), byte((n-low)/4))
	}
	switch code := r.IntN(4); {
	case code == 0 || len(frames) == 1:
		return append([]byte{toc &^ 3}, frames[0]...)
	case code == 1:
		return append(append([]byte{toc&^3 | 1}, frames[0]...), frames[0]...)
	case code == 2:
		p := length([]byte{toc&^3 | 2}, len(frames[0]))
		return append(append(p, frames[0]...), frames[1]...)
	}
	variable := r.IntN(2) == 1
	p := []byte{toc | 3, byte(len(frames))}
	if variable {
		p[1] |= 0x80
	}
	if padding > 0 {
		p[1] |= 0x40
		rest := padding - 1
		for ; rest >= 255; rest -= 255 {
			p = append(p, 255)
		}
		p = append(p, byte(rest))
	}
	for i, f := range frames {
		if variable && i < len(frames)-1 {
			p = length(p, len(f))
		}
		if !variable {
			frames[i] = frames[0]
		}
	}
	for _, f := range frames {
		p = append(p, f...)
	}
	return append(p, make([]byte, padding)...)
}

// mutate gives a packet that has something to do with those given.
func mutate(r *rand.Rand, real [][]byte) []byte {
	pick := func() []byte { return real[r.IntN(len(real))] }
	p := append([]byte(nil), pick()...)
	switch r.IntN(8) {
	case 0: // as it is
	case 1: // other mode, other packing
		p[0] = byte(r.IntN(256))
	case 2: // a few other bits
		for range 1 + r.IntN(4) {
			p[r.IntN(len(p))] ^= 1 << r.IntN(8)
		}
	case 3: // the start is where the packing is
		for i := range min(len(p), 1+r.IntN(5)) {
			p[i] = byte(r.IntN(256))
		}
	case 4: // cut
		p = p[:1+r.IntN(len(p))]
	case 5: // longer
		p = append(p, pick()...)
	case 6: // chance alone
		p = make([]byte, 1+r.IntN([]int{4, 40, 400, 4000}[r.IntN(4)]))
		for i := range p {
			p[i] = byte(r.Uint32())
		}
	case 7:
		var frames [][]byte
		for range 1 + r.IntN(4) {
			f := pick()[1:]
			frames = append(frames, f[:min(len(f), []int{0, 1, 2, 60, 1276}[r.IntN(5)])])
		}
		p = reframe(r, p[0], frames, max(0, []int{-300, -10, 600}[r.IntN(3)]+r.IntN(300)))
	}
	return p
}

// compare checks that PacketSamples and a fresh decoder are of one mind about a
// packet that is not empty, and gives its length; 0 if it is refused.
func compare(t *testing.T, packet []byte) int {
	t.Helper()
	dec, err := opus.NewDecoder(proto.SampleRate, 1)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]float32, 2*proto.FrameSamples)
	n, refused := proto.PacketSamples(packet)
	got, failed := dec.DecodeFloat32(packet[:len(packet):len(packet)], buf)
	runtime.KeepAlive(dec) // the binding does not
	switch {
	case refused == nil && failed != nil:
		t.Errorf("%x: libopus refuses (%v), PacketSamples says %d", packet, failed, n)
	case refused == nil && got != n:
		t.Errorf("%x: libopus decodes %d samples, PacketSamples says %d", packet, got, n)
	case refused != nil && failed == nil && got <= proto.FrameSamples:
		t.Errorf("%x: libopus decodes %d samples, PacketSamples refuses: %v", packet, got, refused)
	case refused != nil && failed == nil && got > proto.FrameSamples:
		return 0
	}
	return n
}

func TestPacketSamplesAgreesWithLibopus(t *testing.T) {
	t.Parallel()
	real := realPackets(t)
	modes := map[byte]int{}
	for _, p := range real {
		modes[p[0]>>3]++
		if compare(t, p) == 0 {
			t.Errorf("%x, fresh from the encoder, is refused", p)
		}
	}
	if len(modes) < 24 {
		t.Errorf("only %d of 32 configurations are tested", len(modes))
	}
	r := rand.New(rand.NewPCG(3, 4))
	taken, refused := 0, 0
	for range 6000 {
		if compare(t, mutate(r, real)) > 0 {
			taken++
		} else {
			refused++
		}
	}
	if taken < 1000 || refused < 1000 {
		t.Errorf("%d taken, %d refused: the mutations test too little", taken, refused)
	}
}

// TestPacketSamplesRunning hands whatever is accepted to one decoder, which has
// to follow through all changes of mode and through losses, into a buffer of
// one frame.
func TestPacketSamplesRunning(t *testing.T) {
	t.Parallel()
	real := realPackets(t)
	r := rand.New(rand.NewPCG(5, 6))
	dec, err := opus.NewDecoder(proto.SampleRate, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.KeepAlive(dec) // the binding does not
	buf := make([]float32, proto.FrameSamples)
	for range 6000 {
		packet := mutate(r, real)
		if r.IntN(8) == 0 {
			packet = nil
		}
		n, err := proto.PacketSamples(packet)
		if err != nil {
			continue
		}
		got := n
		if len(packet) == 0 {
			err = dec.DecodePLCFloat32(buf[:n:n])
		} else {
			got, err = dec.DecodeFloat32(packet, buf)
		}
		if err != nil || got != n {
			t.Fatalf("%x: %d samples, %v; want %d", packet, got, err, n)
		}
		for _, x := range buf[:n] {
			if x-x != 0 { // NaN or infinite; much too loud may happen
				t.Fatalf("%x decodes to %v", packet, x)
			}
		}
	}
}

func FuzzPacketSamplesLibopus(f *testing.F) {
	r := rand.New(rand.NewPCG(7, 8))
	real := realPackets(f)
	for range 200 {
		f.Add(mutate(r, real))
	}
	f.Add([]byte{0xfb, 3})
	f.Fuzz(func(t *testing.T, packet []byte) {
		if len(packet) == 0 {
			if n, err := proto.PacketSamples(packet); n != proto.FrameSamples || err != nil {
				t.Error(fmt.Sprint(n, err))
			}
			return
		}
		compare(t, packet)
	})
}
