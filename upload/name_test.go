package upload

import (
	"strings"
	"testing"

	"bucketbrigade/proto"
)

const goodName = "image-1760000000223456789-6c5a1f02d3e4b597-ABCDEFGHIJ.png"

func TestParseName(t *testing.T) {
	t.Parallel()
	change := func(old, new string) string {
		if !strings.Contains(goodName, old) {
			t.Fatalf("no %q in %s", old, goodName)
		}
		return strings.Replace(goodName, old, new, 1)
	}
	for _, c := range []struct {
		name string
		ours bool
	}{
		{goodName, true},
		{change("png", "jpg"), true},
		{change("png", "webp"), true},
		{"track-0000000000000000000-0000000000000000-ZZZZZZZZZZ.wav", true},
		{"", false},
		{change("image", "track"), false}, // of another ending
		{change("png", "wav"), false},
		{change("png", "svg"), false},
		{change("png", "PNG"), false},
		{change(".png", ""), false},
		{change(".png", ".png.tmp"), false},
		{change("image", "Image"), false},
		{change("image", "."), false},
		{change("1760", "176"), false},
		{change("1760", "17600"), false},
		{change("1760", "9760"), false},
		{change("1760", "+760"), false},
		{change("6c5a", "6C5A"), false},
		{change("6c5a", "6c5"), false},
		{change("ABC", "abc"), false},
		{change("ABC", "AB"), false},
		{change("ABC", "A/C"), false},
		{change("-ABC", "-"), false},
		{change("-ABC", "--ABC"), false},
		{"../" + goodName, false},
		{goodName + "\n", false},
		{"README", false},
		{".upload-123.tmp", false},
	} {
		if n, ours := parseName(c.name); ours != c.ours || ours && n.String() != c.name {
			t.Errorf("%q: %v, %q; want %v", c.name, ours, n, c.ours)
		}
	}
}

func FuzzParseName(f *testing.F) {
	f.Add(goodName)
	f.Add("track-0000000000000000000-0000000000000000-ZZZZZZZZZZ.wav")
	f.Add("track-1-2-3.wav")
	f.Fuzz(func(t *testing.T, name string) {
		n, ours := parseName(name)
		if !ours {
			return
		}
		if n.String() != name || n.stamp < 0 || n.stamp+1 < n.stamp || strings.ContainsAny(name, "/\x00") {
			t.Errorf("%q becomes %q, stamp %d", name, n, n.stamp)
		}
	})
}

func TestNamesHideTheSession(t *testing.T) {
	t.Parallel()
	cookie := "0123456789abcdef0123456789abcdef"
	who := whoIs(proto.CookieSession(cookie))
	if !isAll(who, whoDigits, "0123456789abcdef") || strings.Contains(who, cookie[:4]) || who == whoIs(proto.CookieSession(cookie[1:])) {
		t.Errorf("a session of %s is called %s", cookie, who)
	}
	seen := map[string]bool{}
	letters := map[rune]int{}
	for range 2600 {
		id := newID()
		if !isID(id) || seen[id] {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
		for _, r := range id {
			letters[r]++
		}
	}
	for r, n := range letters { // 1000 of each, give or take six deviations
		if n < 810 || n > 1190 {
			t.Errorf("letter %c comes %d times in 26000", r, n)
		}
	}
}
