package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"bucketbrigade/audiofile"
	"bucketbrigade/codec"
	"bucketbrigade/internal/manual"
	"bucketbrigade/proto"
	"bucketbrigade/voice"
)

// opusConfig says what is measured.
type opusConfig struct {
	seconds  int      // of each material
	rounds   int      // how often each cost is measured; the least counts
	voices   []string // WAV files
	out      string   // page whose tables are replaced; "": standard output alone
	command  string   // what made the tables
	settings []codec.Settings
}

func opusCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cfg := opusConfig{settings: allSettings()}
	fs := manual.New("stress opus", page, stderr)
	fs.IntVar(&cfg.seconds, "seconds", 10, "how many `seconds` of each voice are coded, 2 to 120")
	fs.IntVar(&cfg.rounds, "rounds", 7, "how `often` each cost is measured, 1 to 100; the least counts")
	fs.Func("voice", "`file` to measure with as well: WAV, 48 kHz; may be given several times", func(path string) error {
		cfg.voices = append(cfg.voices, path)
		return nil
	})
	fs.StringVar(&cfg.out, "out", "", "`page` in which the tables are replaced, such as docs/opus-settings.md")
	if err := manual.Parse(fs, args); err != nil {
		return err
	}
	switch {
	case fs.NArg() > 0:
		return manual.Wrong(fs, "argument %q: stress opus takes flags only", fs.Arg(0))
	case cfg.seconds < 2 || cfg.seconds > 120:
		return manual.Wrong(fs, "-seconds %d is not in 2..120", cfg.seconds)
	case cfg.rounds < 1 || cfg.rounds > 100:
		return manual.Wrong(fs, "-rounds %d is not in 1..100", cfg.rounds)
	}
	cfg.command = "stress opus"
	for _, arg := range args {
		cfg.command += " " + arg
	}
	return measureOpus(ctx, cfg, stdout)
}

// bitrates are measured beside libopus's own choice, with the default settings.
var bitrates = []int{24000, 32000, 64000, 96000}

// allSettings are all that are measured.
func allSettings() (all []codec.Settings) {
	for _, app := range []codec.Application{codec.LowDelay, codec.Audio} {
		for complexity := range codec.MaxComplexity + 1 {
			all = append(all, codec.Settings{Application: app, Complexity: complexity})
		}
	}
	for _, b := range bitrates {
		s := codec.Default()
		s.Bitrate = b
		all = append(all, s)
	}
	return all
}

// material is one kind of sound, a whole number of frames.
type material struct {
	name   string
	frames [][]float32
}

// choirSize is how many sing in the choir.
const choirSize = 20

// materials are the sounds that everything is measured with.
func materials(cfg opusConfig) ([]material, error) {
	n := cfg.seconds * proto.SampleRate / proto.FrameSamples * proto.FrameSamples
	given, err := givenVoices(cfg, n)
	if err != nil {
		return nil, err
	}
	choir := make([]float32, n)
	for i := range choirSize {
		for j, x := range voice.Render(voice.NewSung(voice.SungConfig{Seed: uint64(100 + i)}), n) {
			choir[j] += x / 5
		}
	}
	sounds := []struct {
		name string
		pcm  []float32
	}{
		{"one who sings", voice.Render(voice.NewSung(voice.SungConfig{Seed: 1}), n)},
		{"one who speaks, in a room", voice.Render(voice.NewMix(
			voice.Layer{Voice: voice.NewSpoken(voice.SpokenConfig{Seed: 1}), Gain: 1},
			voice.Layer{Voice: voice.NewRoomNoise(voice.RoomNoiseConfig{Seed: 2}), Gain: 1}), n)},
		{"the noise of a room", voice.Render(voice.NewRoomNoise(voice.RoomNoiseConfig{Seed: 1}), n)},
		{fmt.Sprintf("a choir of %d", choirSize), choir},
	}
	var all []material
	for _, s := range sounds {
		all = append(all, material{s.name, slices.Collect(slices.Chunk(s.pcm, proto.FrameSamples))})
	}
	return append(all, given...), nil
}

// givenVoices reads the first n samples of the files.
func givenVoices(cfg opusConfig, n int) (all []material, err error) {
	for _, path := range cfg.voices {
		pcm, err := audiofile.ReadWAV(path)
		if err != nil {
			return nil, err
		}
		pcm = pcm[:min(n, len(pcm)/proto.FrameSamples*proto.FrameSamples)]
		if len(pcm) < proto.SampleRate || codec.RMS(pcm) < 0.002 {
			return nil, fmt.Errorf("%s: its first %d s hold less than a second that can be heard", path, cfg.seconds)
		}
		all = append(all, material{path, slices.Collect(slices.Chunk(pcm, proto.FrameSamples))})
	}
	return all, nil
}

// price is what one setting costs and gives with one material.
type price struct {
	settings codec.Settings
	// encode and decode are the processor time of a frame.
	encode, decode time.Duration
	// kbits is thousands of bits a second.
	kbits float64
	voice.Quality
}

// measureOpus measures all and writes the tables.
func measureOpus(ctx context.Context, cfg opusConfig, stdout io.Writer) error {
	sounds, err := materials(cfg)
	if err != nil {
		return err
	}
	prices := make([][]price, len(sounds))
	for i, m := range sounds {
		if prices[i], err = pricesOf(ctx, cfg, m); err != nil {
			return err
		}
	}
	tables := opusTables(cfg, sounds, prices)
	if _, err := io.WriteString(stdout, tables); err != nil || cfg.out == "" {
		return err
	}
	return replaceTables(cfg.out, tables)
}

// pricesOf gives the prices of all settings with one material.
func pricesOf(ctx context.Context, cfg opusConfig, m material) ([]price, error) {
	prices := make([]price, len(cfg.settings))
	packets := make([][][]byte, len(cfg.settings))
	for i, s := range cfg.settings {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		prices[i].settings = s
		if err := prices[i].judge(m, &packets[i]); err != nil {
			return nil, err
		}
	}
	// In turns, so that a burst of work elsewhere does not hit one setting alone.
	for range cfg.rounds {
		for i := range prices {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			encode, decode, err := timeCodec(prices[i].settings, m.frames, packets[i])
			if err != nil {
				return nil, err
			}
			prices[i].encode = min(cmp.Or(prices[i].encode, encode), encode)
			prices[i].decode = min(cmp.Or(prices[i].decode, decode), decode)
		}
	}
	return prices, nil
}

// settleFrames is how long codecs take to settle; what they say before is not
// judged.
const settleFrames = 4

// judge codes the material, keeps the packets, and compares.
func (p *price) judge(m material, packets *[][]byte) error {
	e, d := p.settings.NewEncoder(), codec.NewDecoder()
	want := slices.Concat(m.frames...)
	got, bytes := make([]float32, 0, len(want)), 0
	for _, frame := range m.frames {
		packet, err := e.Encode(frame)
		if err != nil {
			return err
		}
		*packets = append(*packets, slices.Clone(packet))
		bytes += len(packet)
		if got, err = d.Decode(got, packet); err != nil {
			return err
		}
	}
	const settled = settleFrames * proto.FrameSamples
	delay := p.settings.Application.Delay()
	p.Quality = voice.Compare(want[settled:len(want)-delay], got[settled+delay:])
	p.kbits = 8 * float64(bytes) / (float64(len(want)) / proto.SampleRate) / 1000
	return nil
}
