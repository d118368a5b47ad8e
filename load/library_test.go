package load

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bucketbrigade/audiofile"
	"bucketbrigade/codec"
	"bucketbrigade/proto"
	"bucketbrigade/singer"
	"bucketbrigade/voice"
)

// decoded is what a loop sounds like.
func decoded(t *testing.T, l loop) (pcm []float32) {
	t.Helper()
	d := codec.NewDecoder()
	for _, body := range l.bodies {
		packets, err := proto.ParsePackets(nil, body)
		if err != nil || len(packets) != 10 {
			t.Fatalf("%d packets, %v", len(packets), err)
		}
		part := make([]float32, 0, singer.BatchSamples)
		for _, p := range packets {
			if part, err = d.Decode(part, p); err != nil {
				t.Fatal(err)
			}
		}
		pcm = append(pcm, part...)
	}
	return pcm
}

func TestLibrary(t *testing.T) {
	t.Parallel()
	l, err := newLibrary(map[string]float64{KindSung: 3, KindRoom: 1, KindSilence: 0}, "", 3)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	places := map[int]int{}
	for number := range 1000 {
		lp, place := l.pick(number)
		places[place]++
		for kind, loops := range l.loops {
			for _, have := range loops {
				if &have.bodies[0] == &lp.bodies[0] {
					counts[kind]++
				}
			}
		}
	}
	if n := counts[KindSung]; n < 700 || n > 800 || counts[KindRoom] != 1000-n {
		t.Errorf("of 1000 singers %v", counts)
	}
	if len(places) != 3 || places[0] < 280 || places[2] < 280 {
		t.Errorf("places %v", places)
	}
	if p := l.parts(); len(p) != 2 || math.Abs(p[KindSung]-0.75) > 1e-9 || math.Abs(p[KindRoom]-0.25) > 1e-9 {
		t.Errorf("parts %v", p)
	}
	for kind, least := range map[string]float64{KindSung: 0.02, KindRoom: 0.0005} {
		if rms := codec.RMS(decoded(t, l.loops[kind][0])); rms < least || rms > 0.1 {
			t.Errorf("%s has an RMS of %g", kind, rms)
		}
	}
}

func TestFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := newLibrary(nil, dir, 2); err == nil || !strings.Contains(err.Error(), "no file *.wav") {
		t.Error(err)
	}
	pcm := voice.Render(voice.NewSung(voice.SungConfig{Seed: 4}), 3*singer.BatchSamples+7)
	if err := audiofile.WriteWAV(filepath.Join(dir, "a.WAV"), pcm); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := newLibrary(nil, dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	lp, _ := l.pick(5)
	got := decoded(t, lp)
	if m := voice.Fit(got, [][]float32{pcm}, 1000)[0]; len(got) != 3*singer.BatchSamples || m.Lag != 312 || m.Corr < 0.95 {
		t.Errorf("%d samples, %+v", len(got), m)
	}
	if err := audiofile.WriteWAV(filepath.Join(dir, "b.wav"), pcm[:100]); err != nil {
		t.Fatal(err)
	}
	if _, err := newLibrary(nil, dir, 2); err == nil || !strings.Contains(err.Error(), "b.wav has 100 samples") {
		t.Error(err)
	}
}
