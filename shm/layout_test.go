package shm

import (
	"errors"
	"strings"
	"testing"

	"bucketbrigade/proto"
)

func TestLayoutOffsets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ area, server, shard, size int }{
		{10000, 210048, 210052, 210056}, // 7 + 10 000 + 199 998 = 210 005
		{65535, 265600, 265604, 265608}, // 265 540
		{10043, 210048, 210052, 210056}, // 210 048, a multiple of 64 itself
		{10044, 210112, 210116, 210120}, // 210 049
		{1024, 201088, 201092, 201096},  // 201 029
	} {
		at, err := newLayout(c.area)
		if err != nil {
			t.Fatal(err)
		}
		want := layout{jsonArea: c.area, serverSleeps: c.server, shardSleeps: c.shard, size: c.size}
		if at != want {
			t.Errorf("JSON area %d: %+v, want %+v", c.area, at, want)
		}
	}
	for _, area := range []int{-1, 1, 1023, 65536} {
		if _, err := newLayout(area); err == nil || !strings.Contains(err.Error(), "1024..65535") {
			t.Errorf("JSON area %d: error %v does not name the limits", area, err)
		}
	}
	if got := RoomForJSON(0); got != RoomForJSON(proto.MaxJSONArea) || got != 65472 {
		t.Errorf("RoomForJSON(0) = %d", got)
	}
}

func TestFirstWord(t *testing.T) {
	t.Parallel()
	w := firstWord(statusAnswer, 0xBEEF, '{')
	if w != 0x7BBEEF02 || status(w) != 2 || jsonLen(w) != 0xBEEF || firstByte(w) != '{' {
		t.Errorf("word %#x: status %d, J %#x, first byte %q", w, status(w), jsonLen(w), firstByte(w))
	}
}

// Every length of JSON and every place of the PCM in the data: the PCM lies
// aligned, the padding is as short as can be and never leaves the JSON area.
func TestPlaceAligns(t *testing.T) {
	t.Parallel()
	const area = proto.OldJSONArea
	seg := mustOpen(t, segmentPath(t), ForShard, area)
	text := []byte("{" + strings.Repeat("j", RoomForJSON(area)-1))
	for _, prefix := range []int{0, 2, 53, 104, 51*63 + 2, 51*64 + 2} {
		for n := 2; n <= RoomForJSON(area); n++ {
			word, data, err := seg.place(statusRequest, text[:n], prefix, prefix+8)
			if err != nil {
				t.Fatal(err)
			}
			seg.word.Store(word)
			m, err := seg.read(word)
			if err != nil {
				t.Fatalf("%d bytes of JSON: %v", n, err)
			}
			at := offJSON + len(m.json) + dataLenLen + prefix
			pad := len(m.json) - n
			switch {
			case at%pcmAlign != 0:
				t.Fatalf("%d bytes of JSON, prefix %d: PCM at %d", n, prefix, at)
			case pad < 0 || pad >= pcmAlign:
				t.Fatalf("%d bytes of JSON, prefix %d: %d spaces", n, prefix, pad)
			case string(m.json[:n]) != string(text[:n]) || strings.Trim(string(m.json[n:]), " ") != "":
				t.Fatalf("%d bytes of JSON came out changed", n)
			case len(m.data) != prefix+8 || &m.data[0] != &data[0]:
				t.Fatalf("%d bytes of JSON: data is read at another place than written", n)
			}
			if _, ok := floats(data[prefix:]); !ok {
				t.Fatalf("%d bytes of JSON, prefix %d: not usable in place", n, prefix)
			}
		}
	}
	if _, _, err := seg.place(statusRequest, make([]byte, RoomForJSON(area)+1), 0, 0); refusalCode(err) != 413 {
		t.Errorf("one byte of JSON too many: %v", err)
	}
	if _, _, err := seg.place(statusRequest, text[:2], 0, proto.MaxData+1); refusalCode(err) != 413 {
		t.Errorf("one byte of data too many: %v", err)
	}
}

// PCM is used in place only where the machine may read it.
func TestFloats(t *testing.T) {
	t.Parallel()
	seg := mustOpen(t, segmentPath(t), ForShard, 0)
	for at := range 8 {
		f, ok := floats(seg.mem[at : at+12])
		if ok != (at%4 == 0) || (ok && len(f) != 3) {
			t.Errorf("12 bytes at %d: %d samples, %v", at, len(f), ok)
		}
	}
	if f, ok := floats(nil); !ok || f != nil {
		t.Errorf("no bytes: %v, %v", f, ok)
	}
}

// refusalCode is the status of a refusal, 0 for anything else.
func refusalCode(err error) int {
	var r *proto.Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return 0
}
