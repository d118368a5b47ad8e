package upload

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	stdimage "image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pngOf is an image of 40 by 30.
func pngOf(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, stdimage.NewGray(stdimage.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, stdimage.NewYCbCr(stdimage.Rect(0, 0, 40, 30), stdimage.YCbCrSubsampleRatio420), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pngSized changes what a PNG says about its size.
func pngSized(t testing.TB, width, height uint32) []byte {
	file := pngOf(t)
	binary.BigEndian.PutUint32(file[16:], width)
	binary.BigEndian.PutUint32(file[20:], height)
	binary.BigEndian.PutUint32(file[29:], crc32.ChecksumIEEE(file[12:29]))
	return file
}

func webpOf(t testing.TB, name string) []byte {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", name+".webp"))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestImageExt(t *testing.T) {
	t.Parallel()
	lossy, lossless, alpha := webpOf(t, "lossy"), webpOf(t, "lossless"), webpOf(t, "alpha")
	html := []byte("<!DOCTYPE html><script>alert(1)</script>" + strings.Repeat(" ", 100))
	with := func(file []byte, at int, b ...byte) []byte {
		file = bytes.Clone(file)
		copy(file[at:], b)
		return file
	}
	for _, c := range []struct {
		name string
		file []byte
		ext  string // "": refused
		says string
	}{
		{"PNG", pngOf(t), "png", ""},
		{"JPEG", jpegOf(t), "jpg", ""},
		{"lossy WebP", lossy, "webp", ""},
		{"lossless WebP", lossless, "webp", ""},
		{"WebP with alpha", alpha, "webp", ""},
		// Served as what it begins like, and as nothing else.
		{"PNG with a page behind it", append(pngOf(t), html...), "png", ""},
		{"widest PNG", pngSized(t, 1<<14, 1<<12), "png", ""},
		{"a page", html, "", "neither PNG, JPEG nor WebP; its first bytes are 3c 21"},
		{"SVG", []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), "", "neither"},
		{"SVG as XML", []byte(`<?xml version="1.0"?><svg/>`), "", "neither"},
		{"GIF that is a script", []byte("GIF89a/*" + string(html)), "", "neither"},
		{"BMP that is a script", []byte("BM=1;" + string(html)), "", "neither"},
		{"one byte", []byte{0x89}, "", "neither"},
		{"PNG and then a page", append([]byte("\x89PNG\r\n\x1a\n"), html...), "", "begins like a png, but is damaged"},
		{"JPEG and then a page", append([]byte("\xff\xd8\xff"), html...), "", "begins like a jpg, but is damaged"},
		{"WebP and then a page", append([]byte("RIFF\x00\x01\x00\x00WEBP"), html...), "", "begins like a webp, but is damaged"},
		{"sound", append([]byte("RIFF\x00\x01\x00\x00WAVEfmt "), html...), "", "neither"},
		{"PNG of no width", pngSized(t, 0, 30), "", "damaged"},
		{"PNG too wide", pngSized(t, 1<<14+1, 1), "", "16385 by 1 pixels, at most 16384"},
		{"PNG of too many pixels", pngSized(t, 1<<14, 1<<12+1), "", "67108864 in all"},
		{"PNG of 16 Tpx", pngSized(t, 1<<22, 1<<22), "", "4194304 by 4194304"},
		{"PNG with a wrong checksum", with(pngOf(t), 29, 0, 0, 0, 0), "", "damaged"},
		{"WebP of no width", with(lossy, 26, 0, 0), "", "0 by 30"},
		{"WebP that is no key frame", with(lossy, 20, 1), "", "damaged"},
		{"WebP of another kind", with(lossy, 12, 'V', 'P', '9', ' '), "", `chunk "VP9 "`},
		{"WebP with a short chunk", with(lossy, 16, 9, 0, 0, 0), "", "chunk of 9 bytes"},
		{"lossless WebP of another version", with(lossless, 24, 0xE0), "", "damaged"},
		{"WebP of 16 Mpx wide", with(alpha, 24, 0xFF, 0xFF, 0xFF), "", "16777216 by 30"},
	} {
		ext, err := imageExt(bytes.NewReader(c.file))
		if ext != c.ext || (err == nil) != (c.ext != "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %q, %v; want %q, %q", c.name, ext, err, c.ext, c.says)
		}
	}
}

func TestImageCutShort(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file  []byte
		needs int // bytes of header
	}{
		"png":  {pngOf(t), 33},
		"jpg":  {jpegOf(t), 150},
		"webp": {webpOf(t, "lossy"), 30},
	} {
		for n := 1; n < c.needs; n++ {
			if ext, err := imageExt(bytes.NewReader(c.file[:n])); err == nil {
				t.Errorf("%d bytes of %s pass as %q", n, name, ext)
			}
		}
	}
}

// The sides of all three kinds of WebP are found.
func TestWebPSize(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"lossy", "lossless", "alpha"} {
		if w, h, err := webpSize(webpOf(t, name)[:webpHead]); w != 40 || h != 30 || err != nil {
			t.Errorf("%s: %d by %d, %v; want 40 by 30", name, w, h, err)
		}
	}
}

func FuzzImageExt(f *testing.F) {
	for _, file := range [][]byte{pngOf(f), jpegOf(f), webpOf(f, "lossy"), webpOf(f, "lossless"), webpOf(f, "alpha"), []byte("<svg/>")} {
		f.Add(file[:min(len(file), 700)])
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		ext, err := imageExt(bytes.NewReader(file))
		if (err == nil) != (imageTypes[ext] != "") {
			t.Fatalf("%q, %v", ext, err)
		}
		// What passes cannot be read as markup: it does not begin with text.
		if err == nil && ext != "webp" && file[0] < 0x80 {
			t.Fatalf("%s begins with % x", ext, file[:4])
		}
	})
}
