package codec

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"gopkg.in/hraban/opus.v2"

	"bucketbrigade/proto"
	"bucketbrigade/voice"
)

// tone is n samples of two partials with a slow swell, loud enough to be coded
// well, from sample at on.
func tone(n, at int) []float32 {
	pcm := make([]float32, n)
	for i := range pcm {
		t := float64(at+i) / proto.SampleRate
		swell := 0.6 + 0.4*math.Sin(2*math.Pi*1.3*t)
		pcm[i] = float32(swell * (0.2*math.Sin(2*math.Pi*330*t) + 0.1*math.Sin(2*math.Pi*990*t+1)))
	}
	return pcm
}

// roundTrip passes pcm through an encoder and a decoder.
func roundTrip(t *testing.T, e *Encoder, d *Decoder, pcm []float32) []float32 {
	t.Helper()
	packed, err := e.AppendPacked(nil, pcm)
	if err != nil {
		t.Fatal(err)
	}
	packets, err := proto.ParsePackets(nil, packed)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float32, 0, len(pcm))
	for _, p := range packets {
		if out, err = d.Decode(out, p); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// snr compares got, which is delay samples late, with want, in dB.
func snr(want, got []float32, delay int) float64 {
	var signal, noise float64
	for i := range len(got) - delay {
		d := float64(got[i+delay] - want[i])
		signal += float64(want[i]) * float64(want[i])
		noise += d * d
	}
	return 10 * math.Log10(signal/noise)
}

func TestRoundTripKeepsTheSignalAndItsDelay(t *testing.T) {
	t.Parallel()
	const frames = 20
	pcm := tone(frames*proto.FrameSamples, 0)
	got := roundTrip(t, NewEncoder(), NewDecoder(), pcm)
	if len(got) != len(pcm) {
		t.Fatalf("%d samples came back of %d", len(got), len(pcm))
	}
	skip := 4 * proto.FrameSamples // until the codec has settled
	best, bestDelay := math.Inf(-1), -1
	for delay := range 500 {
		if s := snr(pcm[skip:], got[skip:], delay); s > best {
			best, bestDelay = s, delay
		}
	}
	if bestDelay != 120 {
		t.Errorf("delay %d samples, want 120", bestDelay)
	}
	if best < 20 {
		t.Errorf("SNR %.1f dB, want at least 20", best)
	}
}

func TestEncoderKeepsItsState(t *testing.T) {
	t.Parallel()
	// Two calls of five frames give what one call of ten does.
	pcm := tone(10*proto.FrameSamples, 0)
	half := len(pcm) / 2
	whole, err := NewEncoder().AppendPacked(nil, pcm)
	if err != nil {
		t.Fatal(err)
	}
	e := NewEncoder()
	a, _ := e.AppendPacked(nil, pcm[:half])
	b, _ := e.AppendPacked(nil, pcm[half:])
	if string(whole[1:]) != string(a[1:])+string(b[1:]) {
		t.Error("packets differ when the same audio comes in two parts")
	}
}

func TestDecoderTakesEveryMode(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		app     opus.Application
		rate    int
		bitrate int
		samples int // of rate
	}{
		{"audio 60 ms", opus.AppAudio, 48000, 50000, 2880},
		{"audio 20 ms", opus.AppAudio, 48000, 64000, 960},
		{"voice 60 ms, SILK", opus.AppVoIP, 16000, 16000, 960},
		{"voice 10 ms, SILK", opus.AppVoIP, 8000, 12000, 80},
		{"low delay 2.5 ms", opus.AppRestrictedLowdelay, 48000, 96000, 120},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e, err := opus.NewEncoder(c.rate, 1, c.app)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.SetBitrate(c.bitrate); err != nil {
				t.Fatal(err)
			}
			defer runtime.KeepAlive(e) // the binding does not
			d := NewDecoder()
			in, buf := tone(c.samples, 0), make([]byte, proto.MaxPacketBytes)
			for range 5 {
				n, err := e.EncodeFloat32(in, buf)
				if err != nil {
					t.Fatal(err)
				}
				want, err := proto.PacketSamples(buf[:n])
				if err != nil {
					t.Fatal(err)
				}
				out, err := d.Decode(make([]float32, 0, proto.FrameSamples), buf[:n:n])
				if err != nil {
					t.Fatal(err)
				}
				if len(out) != want || want*c.rate != c.samples*proto.SampleRate {
					t.Fatalf("%d samples out, PacketSamples says %d, %d at %d Hz went in", len(out), want, c.samples, c.rate)
				}
			}
		})
	}
}

func TestLostPacketIsConcealed(t *testing.T) {
	t.Parallel()
	e, d := NewEncoder(), NewDecoder()
	roundTrip(t, e, d, tone(5*proto.FrameSamples, 0))
	out, err := d.Decode(make([]float32, 0, proto.FrameSamples), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(out) != proto.FrameSamples {
		t.Fatalf("%d samples, want %d", len(out), proto.FrameSamples)
	}
	if RMS(out[:480]) < 0.02 {
		t.Errorf("concealment starts with RMS %.4f: silence is no concealment", RMS(out[:480]))
	}
}

func TestDecodeErrorLeavesTheSamples(t *testing.T) {
	t.Parallel()
	pcm := make([]float32, 3, 3+proto.FrameSamples)
	// Two equal frames cannot share an odd number of bytes (RFC 6716, R3).
	out, err := NewDecoder().Decode(pcm, []byte{0x01, 0x00})
	if err == nil || len(out) != 3 {
		t.Errorf("got %d samples and error %v, want 3 and an error", len(out), err)
	}
}

func TestRMS(t *testing.T) {
	t.Parallel()
	sine := make([]float32, 480)
	for i := range sine {
		sine[i] = float32(0.5 * math.Sin(2*math.Pi*float64(i)/48))
	}
	for _, c := range []struct {
		name string
		pcm  []float32
		want float64
	}{
		{"nothing", nil, 0},
		{"silence", make([]float32, 10), 0},
		{"one and minus one", []float32{1, -1}, 1},
		{"sine of 0.5", sine, 0.5 / math.Sqrt2},
	} {
		if got := RMS(c.pcm); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%s: %g, want %g", c.name, got, c.want)
		}
	}
}

// Every sample counts, wherever a vector ends.
func TestRMSOfAnyLength(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	for n := range 75 {
		pcm, sum := make([]float32, n), 0.0
		for i := range pcm {
			pcm[i] = float32(rng.NormFloat64())
			sum += float64(pcm[i]) * float64(pcm[i])
		}
		if got, want := RMS(pcm), math.Sqrt(sum/float64(max(1, n))); math.Abs(got-want) > 1e-12 {
			t.Errorf("%d samples: %g, want %g", n, got, want)
		}
	}
}

func BenchmarkRMS(b *testing.B) {
	pcm := tone(28800, 0)
	b.SetBytes(int64(4 * len(pcm)))
	for b.Loop() {
		RMS(pcm)
	}
}

func TestFramesDoNotAllocate(t *testing.T) {
	e, d := NewEncoder(), NewDecoder()
	in, out := tone(proto.FrameSamples, 0), make([]float32, 0, proto.FrameSamples)
	packed := make([]byte, 0, 2*proto.MaxPacketBytes)
	allocs := testing.AllocsPerRun(50, func() {
		p, err := e.AppendPacked(packed, in)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Decode(out, p[3:]); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%.1f allocations a frame, want 0", allocs)
	}
}

// benchVoices are what singers send: 2 s of each, in frames.
func benchVoices() map[string][][]float32 {
	out := make(map[string][][]float32)
	for name, v := range map[string]voice.Voice{
		"sung":   voice.NewSung(voice.SungConfig{Seed: 1}),
		"spoken": voice.NewSpoken(voice.SpokenConfig{Seed: 1}),
		"room":   voice.NewRoomNoise(voice.RoomNoiseConfig{Seed: 1}),
	} {
		pcm := voice.Render(v, 2*proto.SampleRate/proto.FrameSamples*proto.FrameSamples)
		out[name] = slices.Collect(slices.Chunk(pcm, proto.FrameSamples))
	}
	return out
}

func BenchmarkEncodeFrame(b *testing.B) {
	for name, frames := range benchVoices() {
		b.Run(name, func(b *testing.B) {
			e := NewEncoder()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := e.Encode(frames[i%len(frames)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecodeFrame(b *testing.B) {
	for name, frames := range benchVoices() {
		b.Run(name, func(b *testing.B) {
			e, d := NewBrowserEncoder(), NewDecoder()
			packets := make([][]byte, len(frames))
			for i, f := range frames {
				p, err := e.Encode(f)
				if err != nil {
					b.Fatal(err)
				}
				packets[i] = slices.Clone(p)
			}
			out := make([]float32, 0, proto.FrameSamples)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := d.Decode(out, packets[i%len(packets)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
