package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"testing"

	"bucketbrigade/audiofile"
	"bucketbrigade/proto"
	"bucketbrigade/stack"
	"bucketbrigade/stack/stacktest"
)

// Not parallel: real pace needs the machine to itself.
func TestDemo(t *testing.T) {
	s := stacktest.Start(t, stack.Config{Shards: 2})
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
}
