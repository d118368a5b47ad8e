package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"testing"

	"bucketbrigade/audiofile"
	"bucketbrigade/codec"
	"bucketbrigade/proto"
	"bucketbrigade/stack"
	"bucketbrigade/stack/stacktest"
)

// Not parallel: real pace needs the machine to itself.
func TestDemo(t *testing.T) {
	s := stacktest.Start(t, stack.Config{Shards: 2, Args: map[string][]string{
		stack.StateServer: {"-stems", "-flac"},
	}})
	cfg := demoConfig{url: s.URL(), out: t.TempDir(), seconds: 8}
	var said bytes.Buffer
	v, err := demo(t.Context(), cfg, &said)
	t.Log(said.String())
	if err != nil {
		t.Fatal(err)
	}
	if len(v.pairs) != 4 {
		t.Fatalf("%d pairs were judged, want 4", len(v.pairs))
	}
	for _, q := range v.pairs {
		if q.expected != (q.hearer > q.singer) {
			t.Errorf("%s and %s: expected %v", q.hearer, q.singer, q.expected)
		}
	}
	for _, name := range []string{"sung-by-leader", "sung-by-follower", "heard-by-leader", "heard-by-follower", "heard-by-listener"} {
		pcm, err := audiofile.ReadWAV(filepath.Join(cfg.out, name+".wav"))
		if err != nil || len(pcm) != 8*proto.SampleRate {
			t.Errorf("%s: %d samples, %v", name, len(pcm), err)
		}
	}
	picture, err := os.ReadFile(filepath.Join(cfg.out, "demo.svg"))
	if err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(bytes.NewReader(picture)); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
	}
	// What is left to record is written when the server stops.
	if err := s.Restart(t.Context(), stack.StateServer); err != nil {
		t.Fatal(err)
	}
	checkRecording(t, v.performance, filepath.Join(s.Dir(), "recordings"))
}

// checkRecording compares what was recorded with what was sung: to the sample in
// length, and as close as one pass through the singers' encoders allows.
func checkRecording(t *testing.T, p performance, dir string) {
	t.Helper()
	songs, err := demoSongs(demoConfig{seconds: 8})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, p.start.Time().Format("2006-01-02-150405"))
	read := func(path string) []float32 {
		t.Helper()
		pcm, err := audiofile.ReadWAV(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(pcm) != p.end.Sub(p.start) {
			t.Errorf("%s has %d samples, the song %d", filepath.Base(path), len(pcm), p.end.Sub(p.start))
		}
		return pcm
	}
	sung := [][]float32{inner(songs[leader]), inner(songs[follower])}
	var once [2][]float32
	for r := range listener {
		if once[r], err = throughCodec(codec.NewBrowserEncoder(), songs[r]); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		path string
		who  []role
	}{
		{name + ".wav", []role{leader, follower}},
		{filepath.Join(name, "bucket-1.wav"), []role{leader}},
		{filepath.Join(name, "bucket-2.wav"), []role{follower}},
	} {
		got := read(c.path)
		matches := find(inner(got[:min(len(got), len(songs[leader]))]), sung)
		for _, r := range c.who {
			alone := find(inner(once[r]), [][]float32{sung[r]})[0]
			if m := matches[r]; m.Corr < alone.Corr-allowance || m.Lag != alone.Lag {
				t.Errorf("%s: the %s is there with %.4f, %d samples late; the codec alone gives %.4f and %d",
					filepath.Base(c.path), r, m.Corr, m.Lag, alone.Corr, alone.Lag)
			} else {
				t.Logf("%s: the %s is there with %.4f (codec alone %.4f), %d samples late", filepath.Base(c.path), r, m.Corr, alone.Corr, m.Lag)
			}
		}
	}
	if quiet := read(filepath.Join(name, "bucket-4.wav")); codec.RMS(quiet) != 0 {
		t.Errorf("nobody stood in bucket 4, its RMS is %g", codec.RMS(quiet))
	}
}
