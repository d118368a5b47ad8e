//go:build nolibopusfile

// The tag is that of the Opus wrapper, which does not build without it here.

package voice

import (
	"math"
	"runtime"
	"testing"

	"gopkg.in/hraban/opus.v2"
)

// lookahead is what each application of libopus delays by, in samples.
var lookahead = map[opus.Application]int{opus.AppAudio: 312, opus.AppRestrictedLowdelay: 120}

// slack is how far two trips may move the peak: SILK, which only the former
// uses, resamples and bends phases.
var slack = map[opus.Application]int{opus.AppAudio: 1, opus.AppRestrictedLowdelay: 0}

// throughOpus is what remains of pcm at 50 kbit/s.
func throughOpus(t *testing.T, pcm []float32, application opus.Application) []float32 {
	t.Helper()
	const frame = 2880
	encoder, err := opus.NewEncoder(SampleRate, 1, application)
	if err == nil {
		err = encoder.SetBitrate(50000)
	}
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := opus.NewDecoder(SampleRate, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.KeepAlive(encoder) // the binding does not
	defer runtime.KeepAlive(decoder)
	packet, out := make([]byte, 4000), make([]float32, len(pcm)/frame*frame)
	for i := 0; i < len(out); i += frame {
		n, err := encoder.EncodeFloat32(pcm[i:i+frame:i+frame], packet)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decoder.DecodeFloat32(packet[:n:n], out[i:i+frame:i+frame]); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestFindThroughOpus(t *testing.T) {
	t.Parallel()
	for application, delay := range lookahead {
		for _, c := range []struct{ gain, seconds float64 }{
			{0.4, 2},  // 10 dB below the choir
			{0.4, 1},  //
			{0.13, 2}, // 20 dB below
		} {
			heard := choir(c.seconds)
			addAt(heard, patternFrom(7, -3333, len(heard)), 0, c.gain)
			// A second trip, as to the next singer in the chain.
			heard = throughOpus(t, throughOpus(t, heard, application), application)
			s, want := Find(heard, 7, -10000, 10000), 3333+2*delay
			if !s.Present() || s.Score < 25 || s.Lag < want-slack[application] || s.Lag > want+slack[application] {
				t.Errorf("application %d, gain %v, %v s: %+v, want lag %d", application, c.gain, c.seconds, s, want)
			}
			if s := Find(heard, 8, -10000, 10000); s.Present() {
				t.Errorf("application %d: somebody else's pattern is found: %+v", application, s)
			}
		}
	}
}

func TestFitThroughOpus(t *testing.T) {
	t.Parallel()
	leader, follower, absent := sungBy(1, 2), sungBy(2, 2), sungBy(3, 2)
	for application, delay := range lookahead {
		heard := heardOf(2*SampleRate, plant{leader, 14400, 1}, plant{follower, 20000, 0.25})
		heard = throughOpus(t, throughOpus(t, heard, application), application)
		matches := Fit(heard, [][]float32{leader, follower, absent}, 30000)
		for i, want := range []Match{{14400 + 2*delay, 1, 0.95}, {20000 + 2*delay, 0.25, 0.6}} {
			if m := matches[i]; m.Lag != want.Lag || math.Abs(m.Gain/want.Gain-1) > 0.15 || m.Corr < want.Corr {
				t.Errorf("application %d, voice %d: %+v, want %+v", application, i, m, want)
			}
		}
		if m := matches[2]; math.Abs(m.Corr) > 0.25 {
			t.Errorf("application %d: an absent voice matches with %+v", application, m)
		}
	}
}

// A test voice that costs Opus no bits would be no load.
func TestSungCostsOpusBits(t *testing.T) {
	t.Parallel()
	encoder, err := opus.NewEncoder(SampleRate, 1, opus.AppRestrictedLowdelay)
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.KeepAlive(encoder) // the binding does not
	packet, frame, bytes := make([]byte, 4000), make([]float32, 2880), 0
	s := NewSung(SungConfig{Seed: 1})
	for range 100 {
		s.Read(frame)
		n, err := encoder.EncodeFloat32(frame, packet)
		if err != nil {
			t.Fatal(err)
		}
		bytes += n
	}
	if rate := float64(bytes) * 8 / 6; rate < 30000 {
		t.Errorf("a song takes %.0f bit/s, want at least 30000", rate)
	}
}
