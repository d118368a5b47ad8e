package stack

import (
	"os"
	"path/filepath"
	"testing"
)

// What a killed owner left is removed by the next; what is in use, or is no such
// directory, stays.
func TestSharedIsNotLeftBehind(t *testing.T) {
	t.Parallel()
	memory := t.TempDir()
	fill := func(name string) string {
		t.Helper()
		path := filepath.Join(memory, name)
		if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path, "brigade-rings"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	used, err := makeShared(memory, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	fill(filepath.Base(used.path))
	left, other := fill("brigade-run-left"), fill("else")
	next, err := makeShared(memory, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		want bool
	}{{used.path, true}, {left, false}, {other, true}, {next.path, true}} {
		if _, err := os.Stat(c.path); (err == nil) != c.want {
			t.Errorf("%s: there %t, want %t", c.path, err == nil, c.want)
		}
	}
	for _, s := range []*sharedDir{used, next} {
		if err := s.remove(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(s.path); err == nil {
			t.Errorf("%s is left", s.path)
		}
	}
}

func TestSharedWithoutMemory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := makeShared(filepath.Join(dir, "none"), dir)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(s.path) != dir {
		t.Errorf("it is %s, want it in %s", s.path, dir)
	}
	if err := s.remove(); err != nil {
		t.Error(err)
	}
}
