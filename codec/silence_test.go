package codec

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"bucketbrigade/proto"
)

// songAndSilence encodes frames of a tone and of silence as a browser does: 1 is a frame of
// tone, 0 one of silence.
func songAndSilence(t *testing.T, frames []int) (packets [][]byte) {
	t.Helper()
	e := NewBrowserEncoder()
	for i, sounds := range frames {
		pcm := make([]float32, proto.FrameSamples)
		if sounds == 1 {
			pcm = tone(proto.FrameSamples, i*proto.FrameSamples)
		}
		p, err := e.Encode(pcm)
		if err != nil {
			t.Fatal(err)
		}
		packets = append(packets, bytes.Clone(p))
	}
	return packets
}

func repeated(n, value int) []int { return slices.Repeat([]int{value}, n) }

// Who is muted for long costs nothing, and is heard again when he sings: as if
// all had been decoded, but for the first 20 ms.
func TestSilenceIsNotDecoded(t *testing.T) {
	t.Parallel()
	packets := songAndSilence(t, slices.Concat(repeated(5, 1), repeated(60, 0), repeated(10, 1), repeated(40, 0), repeated(5, 1)))
	d, plain := NewDecoder(), NewDecoder()
	var got, want []float32
	skipped, skippedSamples := 0, 0
	for i, p := range packets {
		out, err := d.Decode(make([]float32, 0, proto.FrameSamples), p)
		if err != nil {
			t.Fatal(err)
		}
		ref, err := plain.decode(make([]float32, 0, proto.FrameSamples), p)
		if err != nil {
			t.Fatal(err)
		}
		if len(out) != len(ref) {
			t.Fatalf("packet %d: %d samples, want %d", i, len(out), len(ref))
		}
		if d.skipped {
			skipped++
			skippedSamples += len(out)
			if !IsSilent(ref) {
				t.Fatalf("packet %d was not decoded, and is no silence", i)
			}
		}
		got, want = append(got, out...), append(want, ref...)
	}
	// The encoder takes about seven frames to come down to silence, then ten are
	// decoded.
	if skipped < 60+40-2*20 || skippedSamples != skipped*proto.FrameSamples {
		t.Errorf("%d packets of 100 of silence were not decoded", skipped)
	}
	for _, begin := range []int{65, 115} { // the frames where the tone comes back
		from, to := begin*proto.FrameSamples, (begin+5)*proto.FrameSamples
		checkFadedIn(t, begin, want[from:to], got[from:to])
	}
}

// checkFadedIn compares a voice that begins again in a frame, faded in over 20 ms,
// with the same one unfaded. Each 5 ms are as loud as a straight line makes them:
// the first at most a quarter of the unfaded ones, the last at least three. What
// is behind is the same to a thousandth.
func checkFadedIn(t *testing.T, frame int, want, got []float32) {
	t.Helper()
	const part = proto.SampleRate / 200
	for i := range 4 {
		whole := RMS(want[i*part : (i+1)*part])
		if whole < 1e-3 {
			t.Fatalf("frame %d, %d ms on: nothing comes back", frame, 5*i)
		}
		share, least := RMS(got[i*part:(i+1)*part])/whole, float64(i)/4
		if share < least || share > least+0.25 {
			t.Errorf("frame %d, %d ms on: %.2f of the voice, want %.2f to %.2f", frame, 5*i, share, least, least+0.25)
		}
	}
	if s := snr(want[4*part:], got[4*part:], 0); s < 60 {
		t.Errorf("frame %d, 20 ms on: %.1f dB off what decoding everything gives", frame, s)
	}
}

// Lost packets within silence are concealed, and end it.
func TestLossWithinSilence(t *testing.T) {
	t.Parallel()
	packets := songAndSilence(t, slices.Concat(repeated(2, 1), repeated(40, 0)))
	d := NewDecoder()
	decode := func(p []byte) {
		t.Helper()
		if out, err := d.Decode(make([]float32, 0, proto.FrameSamples), p); err != nil || len(out) != proto.FrameSamples {
			t.Fatal(len(out), err)
		}
	}
	for _, p := range packets {
		decode(p)
	}
	if !d.skipped {
		t.Fatal("silence is still decoded")
	}
	decode(nil)
	if d.skipped || d.silent != 0 {
		t.Error("a lost packet is taken for silence")
	}
}

func TestIsSilent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pcm  []float32
		want bool
	}{
		{nil, true}, {[]float32{0, 0}, true}, {[]float32{0, 1e-34, -1e-10}, true}, {[]float32{0, 1e-8}, false}, {[]float32{-1e-8, 0}, false},
		{[]float32{float32(math.NaN())}, false},
	} {
		if got := IsSilent(c.pcm); got != c.want {
			t.Errorf("%v: %t", c.pcm, got)
		}
	}
}

func TestFadeIn(t *testing.T) {
	t.Parallel()
	ones := func() []float32 { return []float32{1, 1, 1, 1, 1} }
	for n, want := range map[int][]float32{4: {0, 0.25, 0.5, 0.75, 1}, 1: {0, 1, 1, 1, 1}, 10: {0, 0.1, 0.2, 0.3, 0.4}} {
		pcm := ones()
		FadeIn(pcm, n)
		if !slices.EqualFunc(pcm, want, func(a, b float32) bool { return math.Abs(float64(a-b)) < 1e-6 }) {
			t.Errorf("over %d: %v, want %v", n, pcm, want)
		}
	}
}
