package codec

import (
	"strings"
	"testing"

	"bucketbrigade/proto"
	"bucketbrigade/voice"
)

func TestSettingsCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		s    Settings
		says string // "" if good
	}{
		{"default", Default(), ""},
		{"browser", Browser(), ""},
		{"bounds", Settings{LowDelay, 0, 6000}, ""},
		{"other bounds", Settings{Audio, 10, 510000}, ""},
		{"zero", Settings{}, "application 0 is not known"},
		{"too complex", Settings{LowDelay, 11, 0}, "complexity 11 is not in 0..10"},
		{"too simple", Settings{LowDelay, -1, 0}, "complexity -1"},
		{"too few bits", Settings{LowDelay, 5, 5999}, "5999 bits a second are not in 6000..510000"},
		{"too many bits", Settings{LowDelay, 5, 510001}, "510001 bits"},
	} {
		err := c.s.Check()
		if c.says == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			if _, err := c.s.NewEncoder().Encode(make([]float32, proto.FrameSamples)); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
}

func TestApplicationNames(t *testing.T) {
	t.Parallel()
	for _, a := range []Application{LowDelay, Audio} {
		text, err := a.MarshalText()
		var got Application
		if err != nil || got.UnmarshalText(text) != nil || got != a {
			t.Errorf("%d is %q, which is read as %d (%v)", a, text, got, err)
		}
	}
	a := LowDelay
	if err := a.UnmarshalText([]byte("voip")); err == nil || a != LowDelay || !strings.Contains(err.Error(), `"voip" is not known`) {
		t.Errorf("%v, %v", a, err)
	}
}

// Settings reach libopus: more bits are more bytes, and the table of contents of
// a packet tells what coded it (RFC 6716, 3.1).
func TestSettingsReachTheEncoder(t *testing.T) {
	t.Parallel()
	pcm := voice.Render(voice.NewSpoken(voice.SpokenConfig{Seed: 1}), 50*proto.FrameSamples)
	bytes := func(s Settings) (n int, silk bool) {
		e := s.NewEncoder()
		for f := range len(pcm) / proto.FrameSamples {
			p, err := e.Encode(frameOf(pcm, f))
			if err != nil {
				t.Fatal(err)
			}
			n += len(p)
			silk = silk || p[0]>>3 < 16
		}
		return n, silk
	}
	few, _ := bytes(Settings{LowDelay, 5, 24000})
	many, _ := bytes(Settings{LowDelay, 5, 96000})
	if many < 3*few {
		t.Errorf("%d bytes at 24 kbit/s, %d at 96", few, many)
	}
	simple, _ := bytes(Settings{LowDelay, 0, 0})
	complex, silk := bytes(Settings{LowDelay, 10, 0})
	if simple == complex {
		t.Errorf("complexity makes no difference: %d bytes at 0 and 10", simple)
	}
	if silk {
		t.Error("LowDelay uses SILK")
	}
	s := Settings{LowDelay, 5, 24000}.NewStream()
	mustPut(t, s, pcm, 0, 1, 0)
	if n := len(s.Packet(0)); n > 240 {
		t.Errorf("the stream's packet has %d bytes, 24 kbit/s are 180", n)
	}
}

// click is n samples of silence and one click of two cycles at 3 kHz at sample
// at.
func click(n, at int) []float32 {
	pcm := make([]float32, n)
	burst := [...]float32{0, 0.35, 0.5, 0.35, 0, -0.35, -0.5, -0.35}
	for i := range 4 * len(burst) {
		pcm[at+i] = burst[i/2%len(burst)]
	}
	return pcm
}

// through passes pcm through e and a decoder.
func through(t *testing.T, e *Encoder, pcm []float32) []float32 {
	t.Helper()
	return roundTrip(t, e, NewDecoder(), pcm)
}

// Who sings in perfect time is heard late by what the browser's encoder needs,
// and by no more than 130 samples for each time that he passes through ours:
// clicks are sent by a browser, decoded by a shard, encoded by it, and decoded
// by a browser.
func TestServerDelaysLittle(t *testing.T) {
	t.Parallel()
	const late = 130
	for complexity := range MaxComplexity + 1 {
		settings := Settings{Application: LowDelay, Complexity: complexity}
		for at := 5000; at < 12000; at += 777 { // anywhere in a frame
			sung := click(10*proto.FrameSamples, at)
			ring := through(t, NewBrowserEncoder(), sung) // what lies in the ring
			heard := through(t, settings.NewEncoder(), ring)
			before, _ := voice.Align(ring, sung, 1000)
			after, _ := voice.Align(heard, sung, 1000)
			if hop := after - before; hop < 0 || hop > late {
				t.Errorf("complexity %d, click at %d: %d samples late in the ring, %d in the ears: the hop adds %d, want at most %d",
					complexity, at, before, after, hop, late)
			}
		}
	}
}
