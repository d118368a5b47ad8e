package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"bucketbrigade/audiofile"
	"bucketbrigade/internal/manual"
	"bucketbrigade/proto"
	"bucketbrigade/voice"
)

// demoConfig says what the demo does.
type demoConfig struct {
	url     string // of the site, without a slash at its end
	voice   string // WAV that the leader sings; "" sings a synthetic voice
	out     string // directory for sound and picture
	seconds int    // how long the song is at most
}

func demoCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var cfg demoConfig
	fs := manual.New("stress demo", page, stderr)
	fs.StringVar(&cfg.url, "url", "http://127.0.0.1:8080", "`address` of the site; shards are asked at /api/01 and /api/02 below it")
	fs.StringVar(&cfg.voice, "voice", "", "`file` that the leader sings: WAV, 48 kHz; a synthetic voice if empty")
	fs.StringVar(&cfg.out, "out", "demo", "`directory` for what was heard and the picture")
	fs.IntVar(&cfg.seconds, "seconds", 12, "how many `seconds` the song lasts at most, 4 to 120")
	if err := manual.Parse(fs, args); err != nil {
		return err
	}
	switch {
	case fs.NArg() > 0:
		return manual.Wrong(fs, "argument %q: the demo takes flags only", fs.Arg(0))
	case cfg.seconds < 4 || cfg.seconds > 120:
		return manual.Wrong(fs, "-seconds %d is not in 4..120", cfg.seconds)
	}
	cfg.url = strings.TrimSuffix(cfg.url, "/")
	_, err := demo(ctx, cfg, stdout)
	return err
}

// errNotHeard is the demo's verdict when somebody does not hear whom he should,
// or hears whom he should not.
var errNotHeard = errors.New("not everybody heard what they should: see above")

// demo sings, judges, and writes what came of it.
func demo(ctx context.Context, cfg demoConfig, out io.Writer) (verdict, error) {
	songs, err := demoSongs(cfg)
	if err != nil {
		return verdict{}, err
	}
	heard, err := perform(ctx, cfg.url, songs, out)
	if err != nil {
		return verdict{}, err
	}
	v, err := judge(heard, songs)
	if err != nil {
		return verdict{}, err
	}
	v.print(out)
	if err := writeDemo(cfg.out, v, songs, out); err != nil {
		return v, err
	}
	if !v.good() {
		return v, errNotHeard
	}
	return v, nil
}

// leaderPitch is the leader's keynote in Hz; the follower sings an octave below.
const leaderPitch = 220

// demoSongs gives what leader and follower sing, of equal length.
func demoSongs(cfg demoConfig) (songs [2][]float32, err error) {
	n := cfg.seconds * proto.SampleRate
	if cfg.voice == "" {
		songs[leader] = voice.Render(voice.NewSung(voice.SungConfig{Seed: 1, Pitch: leaderPitch}), n)
	} else {
		pcm, err := audiofile.ReadWAV(cfg.voice)
		if err != nil {
			return songs, err
		}
		if len(pcm) < 4*proto.SampleRate {
			return songs, fmt.Errorf("%s lasts %.1f s, the demo needs at least 4", cfg.voice, float64(len(pcm))/proto.SampleRate)
		}
		songs[leader] = pcm[:min(n, len(pcm))]
	}
	songs[follower] = voice.Render(voice.NewSung(voice.SungConfig{Seed: 2, Pitch: leaderPitch / 2}), len(songs[leader]))
	return songs, nil
}

// writeDemo writes the sounds and the picture.
func writeDemo(dir string, v verdict, songs [2][]float32, out io.Writer) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("directory for the sounds: %w; name another with -out", err)
	}
	files := map[string][]float32{
		"sung-by-leader.wav":   songs[leader],
		"sung-by-follower.wav": songs[follower],
	}
	for r, pcm := range v.heard {
		files["heard-by-"+role(r).String()+".wav"] = pcm
	}
	for name, pcm := range files {
		if err := audiofile.WriteWAV(filepath.Join(dir, name), pcm); err != nil {
			return err
		}
	}
	picture := filepath.Join(dir, "demo.svg")
	if err := os.WriteFile(picture, drawDemo(v, songs), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d sounds and the picture %s written\n", len(files), picture)
	return nil
}
