package proto_test

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"bucketbrigade/proto"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// packed packs packets; none pack to nothing.
func packed(packets ...[]byte) []byte {
	if len(packets) == 0 {
		return nil
	}
	b := proto.AppendPacking(nil, len(packets))
	for _, p := range packets {
		b = proto.AppendPacket(b, p)
	}
	return b
}

func TestPackingGolden(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		hex     string
		packets [][]byte
	}{
		{"none", "", nil},
		{"one lost", "01 0000", [][]byte{{}}},
		{"one", "01 0001 18", [][]byte{{0x18}}},
		{"three", "03 0002 1801 0000 0003 fb0300", [][]byte{{0x18, 1}, {}, {0xfb, 3, 0}}},
		{"two-byte length", "01 0102" + strings.Repeat("aa", 258), [][]byte{bytes.Repeat([]byte{0xaa}, 258)}},
		{"largest", "01 0ef8" + strings.Repeat("00", 3832), [][]byte{make([]byte, 3832)}},
		{"most", "ff" + strings.Repeat("0000", 255), slices.Repeat([][]byte{{}}, 255)},
	} {
		want := unhex(t, c.hex)
		if got := packed(c.packets...); !bytes.Equal(got, want) {
			t.Errorf("%s: packed to %x, want %x", c.name, got, want)
		}
		got, err := proto.ParsePackets(nil, want)
		if err != nil || !slices.EqualFunc(got, c.packets, bytes.Equal) {
			t.Errorf("%s: parsed to %x, %v; want %x", c.name, got, err, c.packets)
		}
		for i, p := range got {
			if cap(p) != len(p) {
				t.Errorf("%s: packet %d has %d bytes and room for %d", c.name, i, len(p), cap(p))
			}
		}
	}
}

func TestParsePacketsRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, hex, names string }{
		{"count 0", "00", "0 packets"},
		{"count 0 and a packet", "00 0001 18", "0 packets"},
		{"count alone", "01", "packet 1 of 1"},
		{"half a length", "01 00", "packet 1 of 1"},
		{"packet cut by one", "01 0003 1801", "3 bytes, 2 are left"},
		{"second missing", "02 0001 18", "packet 2 of 2"},
		{"second cut", "02 0001 18 0001", "packet 2 of 2"},
		{"one byte over", "01 0001 18 00", "1 bytes after"},
		{"second not counted", "01 0001 18 0001 18", "3 bytes after"},
		{"too large", "01 0ef9" + strings.Repeat("00", 3833), "3833"},
		{"largest length", "01 ffff" + strings.Repeat("00", 65535), "65535"},
	} {
		_, err := proto.ParsePackets(nil, unhex(t, c.hex))
		wantRefusal(t, c.name, err, 400, c.names)
	}
}

func TestParsePacketsAppends(t *testing.T) {
	t.Parallel()
	before := [][]byte{{1}, {2}}
	got, err := proto.ParsePackets(before, unhex(t, "01 0001 18"))
	if err != nil || !slices.EqualFunc(got, [][]byte{{1}, {2}, {0x18}}, bytes.Equal) {
		t.Errorf("%x, %v", got, err)
	}
}

func TestAppendPackingPanics(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(){
		"0 packets":   func() { proto.AppendPacking(nil, 0) },
		"-1 packets":  func() { proto.AppendPacking(nil, -1) },
		"256 packets": func() { proto.AppendPacking(nil, 256) },
		"3833 bytes":  func() { proto.AppendPacket(nil, make([]byte, 3833)) },
	} {
		wantPanic(t, name, f)
	}
}

func wantPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", what)
		}
	}()
	f()
}

func TestParsePacketsAllocs(t *testing.T) {
	body := packed(slices.Repeat([][]byte{{0x18, 1, 2, 3}}, 10)...)
	packets := make([][]byte, 0, 10)
	out := make([]byte, 0, len(body))
	if n := testing.AllocsPerRun(100, func() {
		packets, _ = proto.ParsePackets(packets[:0], body)
		out = proto.AppendPacking(out[:0], len(packets))
		for _, p := range packets {
			out = proto.AppendPacket(out, p)
		}
	}); n != 0 || !bytes.Equal(out, body) {
		t.Errorf("%v allocations; packed again to %x", n, out)
	}
}

func FuzzParsePackets(f *testing.F) {
	for _, s := range []string{
		"", "00", "01 0000", "01 0001 18", "02 0001 18 0002 fb03", "01 0005 18", "01 0001 18 00", "ff" + strings.Repeat("0000", 255),
		"01 0ef9" + strings.Repeat("00", 3833),
	} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		packets, err := proto.ParsePackets(nil, body)
		if err != nil {
			wantRefusal(t, "packing", err, 400, "")
			return
		}
		if len(packets) > proto.MaxPackets {
			t.Fatalf("%d packets", len(packets))
		}
		for _, p := range packets {
			if len(p) > proto.MaxPacketBytes || cap(p) != len(p) {
				t.Errorf("packet of %d bytes, room for %d", len(p), cap(p))
			}
		}
		if again := packed(packets...); !bytes.Equal(again, body) {
			t.Errorf("packed again to %x, was %x", again, body)
		}
	})
}
