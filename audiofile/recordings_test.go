package audiofile

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// takeOf is a file as Take leaves it.
func takeOf(samples int) string {
	return string(appendInt16s(appendHeader(nil, samples), hum(0, samples)))
}

// lay puts files into a folder; a name that ends in "/" is a folder, a text that
// begins with "->" a symbolic link.
func lay(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if target, link := strings.CutPrefix(files[name], "->"); err != nil {
		} else if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(path, 0o755)
		} else if link {
			err = os.Symlink(target, path)
		} else {
			err = os.WriteFile(path, []byte(files[name]), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// tree lists all that is in a folder, folders with "/", without the index.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		if entry.IsDir() {
			name += "/"
		}
		if name != "./" && name != indexHTML && name != indexJSON {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func checkTree(t *testing.T, dir string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := tree(t, dir); !slices.Equal(got, want) {
		t.Errorf("the folder has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func names(list []Recording) (names []string) {
	for _, r := range list {
		names = append(names, r.Name)
	}
	return names
}

func TestFreeName(t *testing.T) {
	t.Parallel()
	r := &Recordings{Dir: t.TempDir()}
	start := time.Date(2026, 1, 2, 16, 4, 5, 999_999_999, time.FixedZone("CET", 3600))
	for i, taken := range []string{".wav", ".wav/", ".flac", "/"} {
		want := "2026-01-02-150405"
		if i > 0 {
			want += fmt.Sprintf("-%d", i+1)
		}
		name, err := r.FreeName(start)
		if name != want || err != nil {
			t.Errorf("%d names are taken, the next is %s, %v; want %s", i, name, err, want)
		}
		lay(t, r.Dir, map[string]string{want + taken: ""})
	}
	checkTree(t, r.Dir, "2026-01-02-150405.wav", "2026-01-02-150405-2.wav/", "2026-01-02-150405-3.flac", "2026-01-02-150405-4/")
	lay(t, r.Dir, map[string]string{"2026-01-02-150405-5.wav": "->nowhere"})
	if name, err := r.FreeName(start); name != "2026-01-02-150405-6" || err != nil {
		t.Errorf("next to a link to nowhere: %s, %v", name, err)
	}
	if err := os.Remove(r.WAV("2026-01-02-150405-5")); err != nil {
		t.Fatal(err)
	}
	if name, err := r.FreeName(start); name != "2026-01-02-150405-5" || err != nil {
		t.Errorf("a name that is free again: %s, %v", name, err)
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	const a, b, c, d = "2026-01-01-000000", "2026-01-01-000000-2", "2026-01-01-000000-10", "2026-01-03-000000"
	others := map[string]string{".keep": "", "notes.txt": "", "1999.wav": "", "best of/bucket-1.wav": "", "2026-01-01-000000.mp3": "", "2025-01-01-000000-1.wav": ""}
	for _, test := range []struct {
		name  string
		keep  int
		open  []string
		files map[string]string
		want  []string // of the files
	}{
		{"fewer", 5, nil, map[string]string{a + ".wav": "", b + ".wav": ""}, []string{a + ".wav", b + ".wav"}},
		{"the oldest go, by number too", 2, nil, map[string]string{a + ".wav": "", b + ".wav": "", c + ".wav": "", d + ".wav": ""}, []string{c + ".wav", d + ".wav"}},
		{"with all that belongs to them", 1, nil, map[string]string{
			a + ".wav": "", a + ".flac": "", a + "/bucket-1.wav": "", a + "/backing.wav": "", d + ".wav": "", d + ".flac": "", d + "/bucket-6.wav": ""},
			[]string{d + ".wav", d + ".flac", d + "/", d + "/bucket-6.wav"}},
		{"never what is open", 1, []string{a}, map[string]string{a + ".wav": "", a + "/bucket-1.wav": "", b + ".wav": "", d + ".wav": ""},
			[]string{a + ".wav", a + "/", a + "/bucket-1.wav", d + ".wav"}},
		{"what is open counts", 2, []string{d}, map[string]string{a + ".wav": "", b + ".wav": "", d + ".wav": ""}, []string{b + ".wav", d + ".wav"}},
		{"strangers among the stems", 1, nil, map[string]string{a + ".wav": "", a + "/bucket-1.wav": "", a + "/mix.ardour": "", a + "/more/x": "", d + ".wav": ""},
			[]string{a + "/", a + "/mix.ardour", a + "/more/", a + "/more/x", d + ".wav"}},
		{"parts are counted apart", 1, nil, map[string]string{a + ".flac": "", b + "/bucket-1.wav": "", a + ".wav": "", c + ".flac": "", d + "/": ""},
			[]string{a + ".wav", a + ".flac", d + "/"}},
		{"parts go with the songs of their time", 2, nil, map[string]string{a + ".flac": "", b + ".wav": "", c + ".flac": "", d + ".wav": ""},
			[]string{b + ".wav", c + ".flac", d + ".wav"}},
		{"links and folders are no songs", 1, nil, map[string]string{
			a + ".wav": "->notes.txt", a + ".flac/": "", b + ".wav/": "", b + ".wav/x": "", c: "->best of", c + ".flac/": "", d + ".wav": "", "2026-01-02-000000": "->best of", "2026-01-02-000000.wav": ""},
			[]string{a + ".wav", a + ".flac/", b + ".wav/", b + ".wav/x", c, c + ".flac/", d + ".wav", "2026-01-02-000000"}},
		{"a link among the stems", 1, nil, map[string]string{a + ".wav": "", a + "/bucket-1.wav": "->../notes.txt", d + ".wav": ""},
			[]string{a + "/", a + "/bucket-1.wav", d + ".wav"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := &Recordings{Dir: t.TempDir(), Keep: test.keep}
			lay(t, r.Dir, others)
			strangers := tree(t, r.Dir)
			lay(t, r.Dir, test.files)
			for range 2 {
				if err := r.Prune(test.open...); err != nil {
					t.Error(err)
				}
				checkTree(t, r.Dir, append(strangers, test.want...)...)
			}
		})
	}
}

func TestKeepsTwenty(t *testing.T) {
	t.Parallel()
	r := &Recordings{Dir: t.TempDir()}
	for i := range 25 {
		lay(t, r.Dir, map[string]string{fmt.Sprintf("2026-01-01-0000%02d.wav", i): takeOf(i)})
	}
	if err := r.Prune(); err != nil {
		t.Fatal(err)
	}
	list, err := r.List()
	if got := names(list); err != nil || len(got) != DefaultKeep || got[0] != "2026-01-01-000024" || got[19] != "2026-01-01-000005" {
		t.Errorf("%v, %v", got, err)
	}
}

// childBusy prunes where a folder cannot be deleted, not even by root: something
// is mounted upon it.
func childBusy(dir string) error {
	r := &Recordings{Dir: dir, Keep: 1}
	stems := r.Stems("2026-01-02-000000")
	if err := unix.Mount("tmpfs", stems, "tmpfs", 0, "size=64k"); err != nil {
		fmt.Println("skip: mount:", err)
		return nil
	}
	if err := r.Prune(); !errors.Is(err, syscall.EBUSY) || !strings.Contains(err.Error(), stems) {
		return fmt.Errorf("error %w, want that %s is busy", err, stems)
	}
	fmt.Println("well")
	return nil
}

// A folder that cannot be deleted keeps nothing else from being so, and is named.
func TestPruneGoesOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lay(t, dir, map[string]string{
		"2026-01-01-000000.wav": "", "2026-01-02-000000.wav": "", "2026-01-02-000000/": "", "2026-01-03-000000.wav": ""})
	playChild(t, ownMounts(), "busy", dir)
	checkTree(t, dir, "2026-01-02-000000/", "2026-01-03-000000.wav")
}

func TestOpenRecordings(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "recordings")
	r, err := OpenRecordings(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]fs.FileMode{dir: fs.ModeDir | 0o755, filepath.Join(dir, indexHTML): 0o644, filepath.Join(dir, indexJSON): 0o644} {
		if info, err := os.Stat(path); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, mode)
		}
	}
	checkTree(t, dir)
	name, err := r.FreeName(time.Unix(1767366245, 0))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.MakeStems(name), r.MakeStems(name)); err != nil {
		t.Fatal(err)
	}
	take, err := CreateTake(r.WAV(name))
	if err != nil {
		t.Fatal(err)
	}
	defer take.Close()
	stem, err := CreateTake(filepath.Join(r.Stems(name), BucketStem(2)))
	if err != nil {
		t.Fatal(err)
	}
	defer stem.Close()
	if err := errors.Join(take.WriteAt(hum(0, 72_000), 0), stem.WriteAt(hum(0, 10), 0)); err != nil {
		t.Fatal(err)
	}
	// Another one that starts now finds what a killed one would have left.
	r, err = OpenRecordings(dir, 7)
	if err != nil {
		t.Fatal(err)
	}
	list, err := r.List()
	want := Recording{Name: "2026-01-02-150405", Start: time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC), Seconds: 1.5, Bytes: 144_044, Stems: []string{"bucket-2.wav"}}
	if err != nil || len(list) != 1 || fmt.Sprint(list[0]) != fmt.Sprint(want) {
		t.Errorf("%+v, %v; want %+v", list, err, want)
	}
}

func TestOpenCleans(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	short := takeOf(100)
	lay(t, dir, map[string]string{
		".index.html-12.tmp": "", ".2026-01-01-000000.flac-1.tmp": "", ".other-1.tmp": "", ".keep": "",
		"2026-01-01-000000.wav": takeOf(5), "2026-01-01-000000/bucket-1.wav": takeOf(0), "2026-01-01-000000/bucket-2.wav": short[:150],
		"2026-01-02-000000.wav": takeOf(0), "2026-01-02-000000/bucket-1.wav": takeOf(0),
		"2026-01-03-000000.wav": "", "2026-01-04-000000.wav": takeOf(0)[:20], // killed in the first moment
		"2026-01-05-000000.wav": short[:101],         // the samples went with the power
		"2026-01-06-000000.wav": short[:44],          // all of them
		"2026-01-07-000000.wav": takeOf(3) + "extra", // killed before the header told of them
		"2026-01-08-000000.wav": "some notes",        // never ours
		"2026-01-09-000000.wav": string(riff(chunk("fmt ", fmtBody(1, 2, 44100, 16)), chunk("data", nil))),
	})
	if _, err := OpenRecordings(dir, 0); err != nil {
		t.Fatal(err)
	}
	checkTree(t, dir, ".other-1.tmp", ".keep", "2026-01-01-000000.wav", "2026-01-01-000000/", "2026-01-01-000000/bucket-2.wav",
		"2026-01-05-000000.wav", "2026-01-07-000000.wav", "2026-01-08-000000.wav", "2026-01-09-000000.wav")
	checkWAV(t, filepath.Join(dir, "2026-01-05-000000.wav"), hum(0, 28))
	checkWAV(t, filepath.Join(dir, "2026-01-07-000000.wav"), hum(0, 3))
	checkWAV(t, filepath.Join(dir, "2026-01-01-000000/bucket-2.wav"), hum(0, 53))
	if got, _ := os.ReadFile(filepath.Join(dir, "2026-01-08-000000.wav")); string(got) != "some notes" {
		t.Errorf("a strange file is now %q", got)
	}
}

func TestOpenPrunes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lay(t, dir, map[string]string{"2026-01-01-000000.wav": takeOf(5), "2026-01-02-000000.wav": takeOf(5)})
	if _, err := OpenRecordings(dir, 1); err != nil {
		t.Fatal(err)
	}
	checkTree(t, dir, "2026-01-02-000000.wav")
	if page, _ := os.ReadFile(filepath.Join(dir, indexHTML)); strings.Count(string(page), "<li>") != 1 {
		t.Errorf("the index is not that of one song:\n%s", page)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lay(t, dir, map[string]string{"file": ""})
	for _, c := range []struct {
		dir  string
		keep int
		want string
	}{
		{filepath.Join(dir, "file"), 0, "file is no folder: move it away"},
		{filepath.Join(dir, "file", "a"), 0, "file: not a directory"},
		{dir, -1, "keep -1 recordings, at least 1"},
	} {
		r, err := OpenRecordings(c.dir, c.keep)
		if r != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, keep %d: %v, want %q", c.dir, c.keep, err, c.want)
		}
	}
}

// childReadOnly opens recordings on a disk that is mounted read-only.
func childReadOnly(dir string) error {
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_RDONLY, "size=64k"); err != nil {
		fmt.Println("skip: mount:", err)
		return nil
	}
	_, err := OpenRecordings(dir, 0)
	if err == nil || !strings.Contains(err.Error(), "mount the disk of "+dir) {
		return fmt.Errorf("error %w, want advice", err)
	}
	fmt.Println("well")
	return nil
}

func TestOpenOnReadOnlyDisk(t *testing.T) {
	t.Parallel()
	playChild(t, ownMounts(), "read only", t.TempDir())
}

// Whatever lies there, songs are recorded, listed and pruned.
func TestOddFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lay(t, dir, map[string]string{
		"index.html/": "", "2026-01-01-000000.wav/": "", "2026-01-02-000000.wav": "->/dev/zero", "2026-01-03-000000.wav": "->2026-01-03-000000.wav",
		"2026-01-04-000000.wav": takeOf(48), "2026-01-04-000000": "->.", "2026-01-05-000000.wav": takeOf(48), "2026-01-05-000000/bucket-1.wav/": "",
		"2026-01-06-000000.wav": takeOf(480), "\xff.wav": "", "a\nb": "", ".index.json-1.tmp/": ""})
	for _, name := range []string{"2026-01-07-000000.wav", "2026-01-05-000000/bucket-2.wav"} {
		if err := unix.Mkfifo(filepath.Join(dir, name), 0o644); err != nil { // opening it would wait for ever
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "2026-01-06-000000.wav"), 0); err != nil { // stops all but root
		t.Fatal(err)
	}
	before := tree(t, dir)
	r, err := OpenRecordings(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	checkTree(t, dir, before...)
	list, err := r.List()
	if got := fmt.Sprint(names(list)); err != nil || got != "[2026-01-06-000000 2026-01-05-000000 2026-01-04-000000]" {
		t.Errorf("listed: %s, %v", got, err)
	}
	for i, want := range []float64{0.01, 0.001, 0.001} {
		if list[i].Seconds != want || list[i].Stems != nil {
			t.Errorf("%+v, want %v s and no stems", list[i], want)
		}
	}
	if err := r.WriteIndex(); err == nil || !strings.Contains(err.Error(), indexHTML) {
		t.Errorf("writing index.html where a folder is: %v", err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, indexJSON)); err != nil || !strings.Contains(string(data), "2026-01-05-000000.wav") {
		t.Errorf("index.json: %s, %v", data, err)
	}
	checkTree(t, dir, before...)
}

// Lengths come from headers of any kind, and from sizes where there is none.
func TestListTellsLengths(t *testing.T) {
	t.Parallel()
	r := &Recordings{Dir: t.TempDir()}
	note := chunk("LIST", make([]byte, 5000))
	files := map[string]struct {
		file string
		want float64
	}{
		"2026-01-01-000001": {takeOf(120), 0.003}, // 2.5 ms
		"2026-01-01-000002": {takeOf(48) + "behind its end", 0.001},
		"2026-01-01-000003": {string(riff(note, chunk("fmt ", fmtBody(1, 2, 8000, 24)), chunk("data", make([]byte, 4800)))), 0.1},
		"2026-01-01-000004": {strings.Repeat("x", 44+9600), 0.1},
		"2026-01-01-000005": {"", 0},
		"2026-01-01-000006": {string(appendHeader(nil, MaxSamples)), 0},
		"2026-01-01-000007": {string(riff(chunk("fmt ", fmtBody(1, 0, 0, 0)), chunk("data", make([]byte, 9600)))), 0.1},
	}
	for name, c := range files {
		lay(t, r.Dir, map[string]string{name + ".wav": c.file})
	}
	list, err := r.List()
	if err != nil || len(list) != len(files) {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, rec := range list {
		if c := files[rec.Name]; rec.Seconds != c.want || rec.Bytes != int64(len(c.file)) || rec.FLAC || rec.Stems != nil {
			t.Errorf("%+v; want %v s", rec, c.want)
		}
	}
}

func TestAdvice(t *testing.T) {
	t.Parallel()
	for fault, want := range map[syscall.Errno]string{
		syscall.ENOSPC: "free space on the disk of /r", syscall.EDQUOT: "quota", syscall.EFBIG: "raise the limit", syscall.EROFS: "mount",
		syscall.EACCES: "let the user that runs this write to /r", syscall.EPERM: "let the user", syscall.EIO: "input/output error",
	} {
		err := advise(&fs.PathError{Op: "write", Path: "/r/a.wav", Err: fault}, "/r/a.wav")
		if !errors.Is(err, fault) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "/r/a.wav") {
			t.Errorf("%v: %v, want %q", fault, err, want)
		}
	}
}
