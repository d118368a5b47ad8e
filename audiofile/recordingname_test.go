package audiofile

import (
	"testing"
	"time"
)

func TestParseSongName(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	for name, want := range map[string]songName{
		"2026-01-02-150405":      {begin, 1},
		"2026-01-02-150405-2":    {begin, 2},
		"2026-01-02-150405-10":   {begin, 10},
		"2026-01-02-150405-9999": {begin, 9999},
		"2024-02-29-000000":      {time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), 1},
		"9999-12-31-235959":      {time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), 1},
	} {
		got, ok := parseSongName(name)
		if !ok || got != want || got.String() != name {
			t.Errorf("%s: %v, %v; want %v", name, got, ok, want)
		}
	}
	for _, name := range []string{
		"", ".keep", "index", "2026", "2026-01-02", "2026-01-02-15040", "2026-01-02-1504055",
		"2026-13-02-150405", "2026-02-29-150405", "2026-01-02-240405", "2026-01-02-150460",
		"2026-01-02-150405-", "2026-01-02-150405-0", "2026-01-02-150405-1", "2026-01-02-150405-02", "2026-01-02-150405-+2",
		"2026-01-02-150405--2", "2026-01-02-150405-2 ", "2026-01-02-150405-10000", "2026-01-02-150405-2-2", "2026-01-02-150405-x",
		"2026-01-02-150405.5", "2026-01-02-150405 mix", " 2026-01-02-150405", "2026-01-02-150405\n", "2026-1-2-150405xx", "2026-01-02T150405",
		"２026-01-02-150405",
	} {
		if got, ok := parseSongName(name); ok {
			t.Errorf("%q is taken for %v", name, got)
		}
	}
}

func TestSongNamesInOrder(t *testing.T) {
	t.Parallel()
	names := []string{
		"2025-12-31-235959-9999", "2026-01-02-150405", "2026-01-02-150405-2", "2026-01-02-150405-9", "2026-01-02-150405-10", "2026-01-02-150406",
	}
	for i, a := range names {
		for j, b := range names {
			first, _ := parseSongName(a)
			second, _ := parseSongName(b)
			if got := first.compare(second); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("%s against %s: %d", a, b, got)
			}
		}
	}
}

func TestLeftovers(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		".index.html-123.tmp":                       true,
		".index.json-0.tmp":                         true,
		".writable-4294967295.tmp":                  true,
		".2026-01-02-150405.flac-77.tmp":            true,
		".2026-01-02-150405-2.flac-77.tmp":          true,
		"index.html-123.tmp":                        false,
		".index.html-123":                           false,
		".index.html-.tmp":                          false,
		".index.html-12x.tmp":                       false,
		".index.html.tmp":                           false,
		".index.html--1.tmp":                        false,
		".index.html-+1.tmp":                        false,
		".notes.txt-123.tmp":                        false,
		".mix.flac-123.tmp":                         false,
		".2026-01-02-150405.wav-77.tmp":             false,
		".2026-01-02-150405.flac":                   false,
		".2026-01-02-150405.flac-77.tmp.tmp":        false,
		".2026-13-02-150405.flac-77.tmp":            false,
		"2026-01-02-150405.flac":                    false,
		".keep":                                     false,
		".tmp":                                      false,
		".-.tmp":                                    false,
		"":                                          false,
		temporary(indexHTML, "1"):                   true,
		temporary("2026-01-02-150405-3.flac", "22"): true,
	} {
		if got := isLeftover(name); got != want {
			t.Errorf("%q is a leftover: %v, want %v", name, got, want)
		}
	}
}

func TestStemNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		BucketStem(1): true, BucketStem(6): true, BackingStem: true, "bucket-3.wav": true,
		"bucket-0.wav": false, "bucket-7.wav": false, "bucket-12.wav": false, "bucket-1.WAV": false, "bucket-1.flac": false, "": false, "notes.txt": false,
	} {
		if got := isStem(name); got != want {
			t.Errorf("%q is a stem: %v, want %v", name, got, want)
		}
	}
	for _, bucket := range []int{0, 7} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a stem for bucket %d", bucket)
				}
			}()
			BucketStem(bucket)
		}()
	}
}

// A name that is taken for ours is written just so again, and sorts with others.
func FuzzParseSongName(f *testing.F) {
	for _, name := range []string{"2026-01-02-150405", "2026-01-02-150405-2", "2024-02-29-000000-9999", "2026-02-29-000000", "2026-01-02-150405.5", ".keep"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got, ok := parseSongName(name)
		if !ok {
			return
		}
		again, ok := parseSongName(got.String())
		if got.String() != name || !ok || again != got || got.compare(again) != 0 || got.number < 1 || got.number > maxOfASecond || got.start.Nanosecond() != 0 {
			t.Errorf("%q is %v, written %q and read %v", name, got, got.String(), again)
		}
		if !isLeftover(temporary(name+".flac", "1")) || isLeftover(name) {
			t.Errorf("%q: leftovers are not told", name)
		}
	})
}
