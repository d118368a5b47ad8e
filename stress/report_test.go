package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReplaceTables(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "page.md")
	const page = "# Page\n\n" + tablesBegin + "old\n" + tablesEnd + "\nnotes\n"
	if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tables := range []string{"new\n", "newer\n\n"} {
		if err := replaceTables(path, tables); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		want := "# Page\n\n" + tablesBegin + "\n" + strings.TrimSpace(tables) + "\n\n" + tablesEnd + "\nnotes\n"
		if err != nil || string(got) != want {
			t.Errorf("%q (%v), want %q", got, err, want)
		}
	}
	for text, says := range map[string]string{
		"":                            "behind which tables belong",
		tablesEnd + tablesBegin:       "before which tables end",
		tablesBegin + "old, no end\n": "before which tables end",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := replaceTables(path, "new"); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%q became %q (%v)", text, got, err)
		}
	}
	if err := replaceTables(path+"x", "new"); err == nil || !strings.Contains(err.Error(), "-out") {
		t.Error(err)
	}
}

// Whatever a page holds, what people wrote stays, and replacing twice is
// replacing once.
func FuzzWithTables(f *testing.F) {
	f.Add([]byte("a\n"+tablesBegin+"b\n"+tablesEnd+"c\n"), "tables")
	f.Add([]byte(tablesEnd+tablesBegin), "")
	f.Fuzz(func(t *testing.T, page []byte, tables string) {
		once, err := withTables(page, tables)
		if err != nil {
			return
		}
		before, _, _ := bytes.Cut(page, []byte(tablesBegin))
		if !bytes.HasPrefix(once, append(bytes.Clone(before), tablesBegin...)) || !bytes.Contains(once, []byte(tables[:len(strings.TrimRight(tables, "\n"))])) {
			t.Fatalf("%q with %q became %q", page, tables, once)
		}
		if strings.Contains(tables, tablesEnd) || strings.Contains(tables, tablesBegin) {
			return
		}
		if twice, err := withTables(once, tables); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%q with %q became %q, then %q (%v)", page, tables, once, twice, err)
		}
	})
}

func TestProcessor(t *testing.T) {
	t.Parallel()
	if got := processor([]byte("processor\t: 0\nmodel name\t: Fast One\nmodel name\t: Other\n")); got != "Fast One" {
		t.Error(got)
	}
	if got := processor([]byte("nothing: here\nno colon")); !strings.Contains(got, "processor") {
		t.Error(got)
	}
}
