package brigade

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"bucketbrigade/proto"
)

// runs is sample data as [[count, value], …].
type runs [][2]float64

func (r runs) floats() []float32 {
	var out []float32
	for _, run := range r {
		out = append(out, slices.Repeat([]float32{float32(run[1])}, int(run[0]))...)
	}
	return out
}

type scenario struct {
	Name   string          `json:"scenario"`
	About  string          `json:"about"`
	Tracks map[string]runs `json:"tracks"`
	steps  []step
}

type step struct {
	Clock   proto.Clock     `json:"clock"`
	Request json.RawMessage `json:"request"`
	Input   runs            `json:"input"`
	Expect  struct {
		Error    *string         `json:"error"`
		Metadata map[string]any  `json:"metadata"`
		Summary  *string         `json:"summary"`
		Audio    json.RawMessage `json:"audio"`
	} `json:"expect"`
}

// mayTell are the keys that an answer may have beyond the expected ones.
var mayTell = map[string]bool{
	"backing_track_type": true, "bpm": true, "repeats": true, "bpr": true, "globalVolume": true,
	"backingVolume": true, "lyrics": true, "image": true, "disableSongVideo": true, "first_bucket": true, "tracks": true,
}

// trackMap is backing tracks in memory.
type trackMap map[string][]float32

func (t trackMap) Names() []string {
	names := make([]string, 0, len(t))
	for name := range t {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (t trackMap) Track(name string) ([]float32, bool) {
	pcm, ok := t[name]
	return pcm, ok
}

func TestConformance(t *testing.T) {
	dir := os.Getenv("BRIGADE_CONFORMANCE_DIR")
	if dir == "" {
		dir = filepath.Join("testdata", "conformance")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no *.jsonl files in %s (%v)", dir, err)
	}
	for _, file := range files {
		s := readScenario(t, file)
		t.Run(s.Name, func(t *testing.T) { replay(t, s) })
	}
}

func readScenario(t *testing.T, file string) *scenario {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := new(scenario)
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 64<<20)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if s.Name == "" {
			err = json.Unmarshal(lines.Bytes(), s)
		} else {
			var st step
			err = json.Unmarshal(lines.Bytes(), &st)
			s.steps = append(s.steps, st)
		}
		if err != nil {
			t.Fatalf("%s line %d: %v", file, n, err)
		}
		if s.Name == "" {
			t.Fatalf("%s: the first line names no scenario", file)
		}
	}
	if err := lines.Err(); err != nil || len(s.steps) == 0 {
		t.Fatalf("%s: %d steps, %v", file, len(s.steps), err)
	}
	return s
}

func replay(t *testing.T, s *scenario) {
	tracks := trackMap{}
	for name, r := range s.Tracks {
		pcm := r.floats()
		scaleInto(pcm, pcm, 1.0/32768)
		tracks[name] = pcm
	}
	b := New(Config{MaxUsers: 35, Tracks: tracks, Rand: rand.New(rand.NewPCG(1, 2))})
	var ans proto.Answer
	for i, st := range s.steps {
		for _, fault := range replayStep(b, &st, &ans) {
			t.Errorf("%s: step %d: %s", s.Name, i+1, fault)
		}
		if t.Failed() {
			t.Fatalf("%s: stopped at step %d: %s", s.Name, i+1, st.Request)
		}
	}
}

// replayStep makes one request and gives what differs from what is expected.
func replayStep(b *Brigade, st *step, ans *proto.Answer) (faults []string) {
	var req proto.Request
	if err := proto.ParseRequestJSON(st.Request, &req); err != nil {
		if st.Expect.Error == nil {
			return []string{"request: " + err.Error()}
		}
		return nil
	}
	req.PCM = st.Input.floats()
	b.Handle(st.Clock, &req, ans)
	if st.Expect.Error != nil {
		if ans.Error == "" {
			faults = append(faults, fmt.Sprintf("error: want one like %q, got none", *st.Expect.Error))
		}
		return faults
	}
	if ans.Error != "" {
		return []string{fmt.Sprintf("error: want none, got %d %q", ans.Code, ans.Error)}
	}
	faults = append(faults, diffMetadata(st.Expect.Metadata, ans.Metadata)...)
	if want := st.Expect.Summary; want != nil && *want != "*" && *want != hex.EncodeToString(ans.Summary) {
		faults = append(faults, fmt.Sprintf("summary:\nwant %s\n got %x", *want, ans.Summary))
	}
	if len(st.Expect.Audio) == 0 || st.Expect.Audio[0] != '[' {
		return faults
	}
	var want runs
	if err := json.Unmarshal(st.Expect.Audio, &want); err != nil {
		return append(faults, "expected audio: "+err.Error())
	}
	got := make([]float32, b.Samples())
	b.Mix(got)
	return append(faults, diffAudio(want.floats(), got)...)
}

func diffMetadata(want map[string]any, text string) (faults []string) {
	var got map[string]any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		return []string{fmt.Sprintf("metadata %q: %v", text, err)}
	}
	for k, w := range want {
		if g, ok := got[k]; w != "*" && (!ok || !alike(w, g)) {
			faults = append(faults, fmt.Sprintf("metadata %s: want %v, got %v (present: %t)", k, w, g, ok))
		}
	}
	for k, g := range got {
		if _, ok := want[k]; !ok && !mayTell[k] {
			faults = append(faults, fmt.Sprintf("metadata %s: want none, got %v", k, g))
		}
	}
	slices.Sort(faults)
	return faults
}

// alike compares JSON values; numbers may differ in the last digits.
func alike(want, got any) bool {
	switch w := want.(type) {
	case float64:
		g, ok := got.(float64)
		return ok && (w == g || math.Abs(w) < 1e6 && math.Abs(w-g) <= 1e-12)
	case []any:
		g, ok := got.([]any)
		return ok && slices.EqualFunc(w, g, alike)
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for k := range w {
			if v, ok := g[k]; !ok || !alike(w[k], v) {
				return false
			}
		}
		return true
	}
	return want == got
}

func diffAudio(want, got []float32) []string {
	if len(want) != len(got) {
		return []string{fmt.Sprintf("audio: want %d samples, got %d", len(want), len(got))}
	}
	for i, w := range want {
		g := got[i]
		if d := math.Abs(float64(w) - float64(g)); !(d <= 1e-5*math.Max(1, math.Abs(float64(w)))) {
			return []string{fmt.Sprintf("audio sample %d of %d: want %v, got %v", i, len(want), w, g)}
		}
	}
	return nil
}
