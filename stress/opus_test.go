package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bucketbrigade/audiofile"
	"bucketbrigade/codec"
	"bucketbrigade/internal/manual"
	"bucketbrigade/proto"
	"bucketbrigade/voice"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("not what %s says (go test -update writes it anew):\n%s", path, got)
	}
}

// scrubbed takes the machine out of a report.
func scrubbed(text string) string { return strings.ReplaceAll(text, machine(), "Machine: ours") }

func TestOpusTables(t *testing.T) {
	t.Parallel()
	cfg := opusConfig{command: "stress opus -rounds 1", settings: []codec.Settings{
		codec.Default(), codec.Browser(), {Application: codec.LowDelay, Complexity: 0, Bitrate: 24000},
	}}
	var prices [][]price
	for k := range 2 {
		var all []price
		for i, s := range cfg.settings {
			n := float64(1 + i + 10*k)
			all = append(all, price{
				settings: s, encode: time.Duration(100*n) * time.Microsecond, decode: time.Duration(n) * time.Microsecond,
				kbits: n, Quality: voice.Quality{SNR: 2 * n, Distance: n / 10, NoiseToMask: -n},
			})
		}
		prices = append(prices, all)
	}
	golden(t, "opus.golden", scrubbed(opusTables(cfg, []material{{name: "one"}, {name: "another"}}, prices)))
}

// The measurement itself, as short as it can be: better settings cost more, and
// sound better.
func TestMeasureOpus(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	wav := filepath.Join(dir, "mine.wav")
	if err := audiofile.WriteWAV(wav, voice.Render(voice.NewSung(voice.SungConfig{Seed: 5}), 2*proto.SampleRate)); err != nil {
		t.Fatal(err)
	}
	cfg := opusConfig{seconds: 2, rounds: 1, voices: []string{wav}}
	sounds, err := materials(cfg)
	if err != nil || len(sounds) != 5 || sounds[4].name != wav {
		t.Fatalf("%d materials, %v", len(sounds), err)
	}
	for _, m := range sounds {
		if len(m.frames) != 33 || len(m.frames[32]) != proto.FrameSamples {
			t.Errorf("%s: %d frames", m.name, len(m.frames))
		}
	}
	poor := codec.Settings{Application: codec.LowDelay, Complexity: 0, Bitrate: 16000}
	good := codec.Settings{Application: codec.LowDelay, Complexity: 10, Bitrate: 96000}
	late := codec.Settings{Application: codec.Audio, Complexity: 10, Bitrate: 96000}
	cfg.settings = []codec.Settings{poor, good, late}
	prices, err := pricesOf(t.Context(), cfg, sounds[0])
	if err != nil {
		t.Fatal(err)
	}
	p, g, l := prices[0], prices[1], prices[2]
	if p.encode <= 0 || p.decode <= 0 || g.encode <= 0 || p.kbits < 14 || p.kbits > 18 || g.kbits < 85 || g.kbits > 105 {
		t.Errorf("%+v, %+v", p, g)
	}
	if g.SNR < p.SNR+5 || g.Distance > p.Distance || g.NoiseToMask > p.NoiseToMask-5 {
		t.Errorf("16 kbit/s give %+v, 96 give %+v", p.Quality, g.Quality)
	}
	// The delay of either kind is taken out.
	if g.SNR < 20 || l.SNR < 20 {
		t.Errorf("SNR %g and %g at 96 kbit/s: is the delay right?", g.SNR, l.SNR)
	}
}

func TestOpusCommandLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"opus", "-seconds", "1"}, 2, "-seconds 1 is not in 2..120"},
		{[]string{"opus", "-rounds", "0"}, 2, "-rounds 0 is not in 1..100"},
		{[]string{"opus", "loud"}, 2, `argument "loud"`},
		{[]string{"opus", "-voice", dir + "/none.wav"}, 1, "none.wav"},
		{[]string{"sing"}, 2, `"sing" is not known`},
	} {
		var out bytes.Buffer
		err := run(t.Context(), c.args, io.Discard, &out)
		said := out.String()
		if err != nil {
			said += err.Error()
		}
		if manual.Status(err) != c.status || !strings.Contains(said, c.says) {
			t.Errorf("%v: status %d, said %q; want %d and %q", c.args, manual.Status(err), said, c.status, c.says)
		}
	}
}
