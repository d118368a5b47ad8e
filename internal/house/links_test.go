package house

import (
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// link finds [text](target) and ![text](target) in Markdown; source= and href=
// in the HTML that GitHub allows between.
var link = regexp.MustCompile(`\]\(\s*<?([^)\s>]+)>?[^)]*\)|(?:src|href)="([^"]+)"`)

// code is what holds no links: fenced blocks and code spans.
var code = regexp.MustCompile("(?ms)^ *```.*?^ *```|`[^`\n]*`")

// deadLinks lists the relative links in the Markdown text of file name that
// lead nowhere below root.
func deadLinks(root, name, text string) []string {
	var dead []string
	for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(text, ""), -1) {
		target := m[1] + m[2]
		u, err := url.Parse(target)
		if err != nil {
			dead = append(dead, fmt.Sprintf("%s: %s: %v", name, target, err))
			continue
		}
		if u.IsAbs() || u.Host != "" {
			continue
		}
		file := name
		if u.Path != "" {
			file = path.Join(path.Dir(name), u.Path)
		}
		content, err := os.Stat(filepath.Join(root, file))
		if err != nil || strings.HasPrefix(file, "..") {
			dead = append(dead, fmt.Sprintf("%s: there is no %s", name, target))
			continue
		}
		if u.Fragment != "" && !content.IsDir() && strings.HasSuffix(file, ".md") && !hasAnchor(root, file, u.Fragment) {
			dead = append(dead, fmt.Sprintf("%s: %s has no such heading", name, target))
		}
	}
	return dead
}

// hasAnchor looks for a heading whose anchor, made as GitHub makes them, is
// fragment: "## Adding shards" is #adding-shards.
func hasAnchor(root, file, fragment string) bool {
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		heading := strings.TrimLeft(line, "#")
		if heading == line {
			continue
		}
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(heading))
		if anchor == fragment {
			return true
		}
	}
	return false
}

func TestLinks(t *testing.T) {
	t.Parallel()
	for _, name := range files(t, ".md") {
		text, err := os.ReadFile(filepath.Join(top(t), name))
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range deadLinks(top(t), name, string(text)) {
			t.Error(fault)
		}
	}
}

func TestDeadLinksAreFound(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "docs"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "docs", "a.md"), []byte("# A, the *first*\n\n## Two words\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		text string
		dead int
	}{
		{"[x](a.md) [x](../docs/a.md) [x](../docs)", 0},
		{"[x](b.md)", 1},
		{"![x](picture.svg \"title\")", 1},
		{"<img src=\"picture.svg\">", 1},
		{"[x](https://example.org/none) [x](mailto:a@example.org)", 0},
		{"[x](a.md#two-words) [x](#a-the-first)", 0},
		{"[x](a.md#three-words)", 1},
		{"`[x](b.md)`\n```\n[x](b.md)\n```\n", 0},
		{"[x](../../outside)", 1},
	}
	for _, tt := range tests {
		if got := deadLinks(root, "docs/a.md", tt.text); len(got) != tt.dead {
			t.Errorf("%q: %q, want %d", tt.text, got, tt.dead)
		}
	}
}
