package audiofile

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// hole writes a silent take.
func hole(t *testing.T, path string, samples int) {
	t.Helper()
	take, err := CreateTake(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(take.WriteAt([]int16{0}, samples-1), take.Close()); err != nil {
		t.Fatal(err)
	}
}

// anEvening is a folder with songs of every kind; the one of open is growing.
func anEvening(t *testing.T) (r *Recordings, open string) {
	t.Helper()
	r = &Recordings{Dir: t.TempDir(), Keep: 12}
	lay(t, r.Dir, map[string]string{
		".keep": "", "notes.wav": "", "2026-01-02-999999.wav": "", "2026-01-01-000000.flac": "a song without its WAV file",
		"2026-01-02-200000.flac": "x", "2026-01-02-200000/": "", "2026-01-02-200000/notes.txt": "",
		"2026-01-02-200000-2/bucket-1.wav": takeOf(1), "2026-01-02-200000-2/bucket-2.wav": takeOf(1), "2026-01-02-200000-2/bucket-6.wav": takeOf(1),
		"2026-01-02-200000-2/backing.wav": takeOf(1), "2026-01-02-200000-10.flac": "x", "2026-01-02-200000-10/bucket-3.wav": takeOf(1),
	})
	for name, samples := range map[string]int{
		"2026-01-01-195959":    MaxSamples,
		"2026-01-02-200000":    185*SampleRate + 24, // 3:05.0005
		"2026-01-02-200000-2":  59*SampleRate + 47_999,
		"2026-01-02-200000-10": 1,
		"2026-01-02-210000":    600 * SampleRate,
	} {
		hole(t, r.WAV(name), samples)
	}
	return r, "2026-01-02-210000"
}

func TestIndex(t *testing.T) {
	t.Parallel()
	evening, open := anEvening(t)
	for name, c := range map[string]struct {
		r    *Recordings
		open []string
	}{
		"evening": {evening, []string{"2026-01-01-000000", open}},
		"empty":   {&Recordings{Dir: t.TempDir()}, nil},
	} {
		if err := c.r.WriteIndex(c.open...); err != nil {
			t.Fatal(err)
		}
		for _, base := range []string{indexHTML, indexJSON} {
			got, err := os.ReadFile(filepath.Join(c.r.Dir, base))
			if want := read(t, "recordings/"+name+"-"+base); err != nil || string(got) != string(want) {
				t.Errorf("%s, %s, %v:\n%s\nwant\n%s", name, base, err, got, want)
			}
			if info, err := os.Stat(filepath.Join(c.r.Dir, base)); err != nil || info.Mode() != 0o644 {
				t.Errorf("%s: %v, %v; want mode 0644", base, info.Mode(), err)
			}
		}
	}
}

// What clients in the field make of the page: links into the folder that open in a
// tab of their own, and nothing that could harm the page it is put into.
func TestIndexWithinClients(t *testing.T) {
	t.Parallel()
	r, open := anEvening(t)
	if err := r.WriteIndex(open); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(r.Dir, indexHTML))
	if err != nil {
		t.Fatal(err)
	}
	page := strings.ReplaceAll(string(raw), "href='", "target=_blank href='recordings/")
	links := regexp.MustCompile(`<a target=_blank href='recordings/([^'/:]+(?:/[^'/:]+)?)'>`).FindAllStringSubmatch(page, -1)
	if all := strings.Count(page, "<a"); len(links) != 5+2+4+1 || all != len(links) || strings.Count(page, "href") != all {
		t.Errorf("%d of %d links lead into the folder, want 12:\n%s", len(links), all, page)
	}
	for _, link := range links {
		if info, err := os.Stat(filepath.Join(r.Dir, link[1])); err != nil || !info.Mode().IsRegular() {
			t.Errorf("link to %s: %v", link[1], err)
		}
	}
	for _, wrong := range []string{"<script", "<style", "<link", "<base", "<form", "viewport", "color-scheme\"", " on", "id="} {
		if strings.Contains(strings.ReplaceAll(page, " on ", ""), wrong) {
			t.Errorf("the page contains %q", wrong)
		}
	}
	items := regexp.MustCompile(`<li><a href='([^']+)\.wav'>([^<]+)\.wav</a> \((\d+\.\d\d) MB\)`).FindAllStringSubmatch(string(raw), -1)
	list, err := r.List()
	if err != nil || len(items) != len(list) {
		t.Fatalf("%d items of the form that clients know, %v; want %d", len(items), err, len(list))
	}
	sizes := []string{"54.93", "0.00", "5.49", "16.94", "329.59"}
	for i, item := range items {
		if name := list[i].Name; item[1] != name || item[2] != name || item[3] != sizes[i] {
			t.Errorf("item %d: %q, want %s with %s MB", i, item[0], name, sizes[i])
		}
	}
	for _, word := range []string{"UTC", "<ul>", "</ul>", "12"} {
		if !strings.Contains(string(raw), word) {
			t.Errorf("the page does not contain %q", word)
		}
	}
}

// What other programs read out of index.json.
func TestIndexJSON(t *testing.T) {
	t.Parallel()
	r, open := anEvening(t)
	if err := r.WriteIndex(open); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(r.Dir, indexJSON))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Limit      int
		Recordings []struct {
			Name, WAV, FLAC string
			Stems           []string
			Start           time.Time
			Seconds         float64
			Bytes           int64
			Recording       bool
		}
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	list, err := r.List()
	if err != nil || got.Limit != 12 || len(got.Recordings) != len(list) {
		t.Fatalf("%+v, %v", got, err)
	}
	for i, e := range got.Recordings {
		rec := list[i]
		if e.Name != rec.Name || !e.Start.Equal(rec.Start) || e.Seconds != rec.Seconds || e.Bytes != rec.Bytes || e.Recording != (e.Name == open) ||
			(e.FLAC != "") != rec.FLAC || len(e.Stems) != len(rec.Stems) || e.Stems == nil {
			t.Errorf("%+v, want %+v", e, rec)
		}
		for _, file := range slices.Concat([]string{e.WAV}, e.Stems) {
			if _, err := os.Stat(filepath.Join(r.Dir, file)); err != nil {
				t.Error(err)
			}
		}
	}
}

// A new index replaces the old one or leaves it whole.
func TestIndexIsReplaced(t *testing.T) {
	t.Parallel()
	r := &Recordings{Dir: t.TempDir()}
	if err := r.WriteIndex(); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(r.Dir, indexHTML))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	before, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	hole(t, r.WAV("2026-01-02-150405"), 5)
	if err := r.WriteIndex(); err != nil {
		t.Fatal(err)
	}
	// Whoever has it open reads the old one to its end.
	read := make([]byte, len(before)+100)
	if n, _ := file.Read(read); string(read[:n]) != string(before) {
		t.Errorf("the open page changed:\n%s", read[:n])
	}
	if after, err := os.ReadFile(file.Name()); err != nil || !strings.Contains(string(after), "2026-01-02-150405.wav") {
		t.Errorf("the new page: %s, %v", after, err)
	}
	checkTree(t, r.Dir, "2026-01-02-150405.wav")
}
