package proto_test

import (
	"bytes"
	"testing"

	"bucketbrigade/proto"
)

// TestPacketSamplesConfigs checks the length of one frame of every
// configuration (RFC 6716, table 2).
func TestPacketSamplesConfigs(t *testing.T) {
	t.Parallel()
	silk, hybrid, celt := []int{480, 960, 1920, 2880}, []int{480, 960}, []int{120, 240, 480, 960}
	var lengths []int
	for _, mode := range [][]int{silk, silk, silk, hybrid, hybrid, celt, celt, celt, celt} {
		lengths = append(lengths, mode...)
	}
	if len(lengths) != 32 {
		t.Fatal(len(lengths))
	}
	for config, want := range lengths {
		for _, stereo := range []byte{0, 4} {
			toc := byte(config<<3) | stereo
			if n, err := proto.PacketSamples([]byte{toc, 1, 2, 3}); n != want || err != nil {
				t.Errorf("configuration %d, one frame: %d, %v; want %d", config, n, err, want)
			}
			for count := 1; count <= 63; count++ {
				n, err := proto.PacketSamples([]byte{toc | 3, byte(count)})
				if count*want <= 2880 && (n != count*want || err != nil) {
					t.Errorf("configuration %d, %d frames: %d, %v", config, count, n, err)
				}
				if count*want > 2880 && err == nil {
					t.Errorf("configuration %d, %d frames: %d samples accepted", config, count, n)
				}
			}
		}
	}
}

func TestPacketSamples(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, hex string
		want      int    // 0: refused
		names     string // of the refusal
	}{
		{"lost", "", 2880, ""},
		{"one frame, nothing in it", "f8", 960, ""},
		{"one frame", "f8 0102", 960, ""},
		{"one frame of 60 ms", "18 01", 2880, ""},
		{"two equal", "f9 0102", 1920, ""},
		{"two equal of nothing", "f9", 1920, ""},
		{"two equal, odd", "f9 010203", 0, "3 bytes"},
		{"two of 40 ms", "11 0102", 0, "3840"},
		{"two of 60 ms", "19 0102", 0, "5760"},
		{"two, first of 1", "fa 01 aa bbbb", 1920, ""},
		{"two, first of 0", "fa 00 bbbb", 1920, ""},
		{"two, second of 0", "fa 02 aaaa", 1920, ""},
		{"two, first runs off", "fa 03 aaaa", 0, "3 bytes has 2 left"},
		{"two, no length", "fa", 0, "length"},
		{"two, half a length", "fa fc", 0, "length"},
		{"two, long length runs off", "fa fc00 aa", 0, "252"},
		{"no count", "fb", 0, "count"},
		{"no frames", "fb 00", 0, "0 frames"},
		{"no frames, padded", "fb 40 00", 0, "0 frames"},
		{"three, nothing in them", "fb 03", 2880, ""},
		{"three of two", "fb 03 0102 0102 0102", 2880, ""},
		{"three, one byte missing", "fb 03 0102 0102 01", 0, "5 bytes for 3"},
		{"four of 20 ms", "fb 04", 0, "3840"},
		{"48 of 2.5 ms: 120 ms", "e3 30", 0, "5760"},
		{"49 of 2.5 ms: above 120 ms", "e3 31", 0, "49 frames"},
		{"24 of 2.5 ms: 60 ms", "e3 18", 2880, ""},
		{"25 of 2.5 ms", "e3 19", 0, "3000"},
		{"padding of none", "fb 43 00 010203", 2880, ""},
		{"padding of two", "fb 43 02 010203 0000", 2880, ""},
		{"padding of all", "fb 43 02 0000", 2880, ""},
		{"padding runs off", "fb 43 03 0000", 0, "3 bytes of padding in 2"},
		{"padding without length", "fb 43", 0, "padding"},
		{"padding length goes on", "fb 43 ff", 0, "padding"},
		{"padding takes one too many", "fb 43 01 010203", 0, "2 bytes for 3"},
		{"variable", "fb 83 01 02 aa bbbb cc", 2880, ""},
		{"variable, nothing in them", "fb 83 00 00", 2880, ""},
		{"variable, lengths missing", "fb 83 01", 0, "length"},
		{"variable, runs off", "fb 83 01 02 aa bb", 0, "3 bytes together have 2"},
		{"variable, first runs off", "fb 83 7f 00 aa bb", 0, "127"},
		{"variable and padding", "fb c3 01 01 01 aa bb cc 00", 2880, ""},
		{"variable, padding into a frame", "fb c3 02 01 02 aa bb 00", 0, "3 bytes together have 1"},
		{"variable, one frame", "1b 81 aabb", 2880, ""},
	} {
		n, err := proto.PacketSamples(unhex(t, c.hex))
		if c.want == 0 {
			wantRefusal(t, c.name, err, 400, c.names)
			continue
		}
		if n != c.want || err != nil {
			t.Errorf("%s: %d, %v; want %d", c.name, n, err, c.want)
		}
	}
}

// TestPacketSamplesFrameBytes checks that a frame has 1275 bytes at most, in
// every packing.
func TestPacketSamplesFrameBytes(t *testing.T) {
	t.Parallel()
	join := func(head []byte, n int) []byte { return append(head, make([]byte, n)...) }
	padding := bytes.Repeat([]byte{255}, 3) // 3 × 254, and the last byte
	for _, c := range []struct {
		name   string
		packet []byte
		ok     bool
	}{
		{"one at", join([]byte{0x18}, 1275), true},
		{"one above", join([]byte{0x18}, 1276), false},
		{"two equal at", join([]byte{0xf9}, 2*1275), true},
		{"two equal above", join([]byte{0xf9}, 2*1276), false},
		{"first of two at", join([]byte{0xfa, 255, 255}, 1275), true}, // 255 + 4·255
		{"second of two at", join([]byte{0xfa, 0}, 1275), true},
		{"second of two above", join([]byte{0xfa, 0}, 1276), false},
		{"three equal at", join([]byte{0xfb, 3}, 3*1275), true},
		{"three equal above", join([]byte{0xfb, 3}, 3*1276), false},
		{"three different at", join([]byte{0xfb, 0x83, 255, 255, 255, 255}, 3*1275), true},
		{"last of three above", join([]byte{0xfb, 0x83, 0, 0}, 1276), false},
		{"much padding", join(append(append([]byte{0xfb, 0x43}, padding...), 5), 3*254+5+3*1275), true},
		{"padding of 254", join([]byte{0xfb, 0x43, 254}, 254), true},
		{"padding of 255", join([]byte{0xfb, 0x43, 255, 1}, 255), true},
		{"padding of 254, one byte less", join([]byte{0xfb, 0x43, 254}, 253), false},
		{"much padding, one byte less", join(append(append([]byte{0xfb, 0x43}, padding...), 5), 3*254+4), false},
	} {
		n, err := proto.PacketSamples(c.packet)
		if (err == nil) != c.ok || c.ok && n == 0 {
			t.Errorf("%s: %d, %v", c.name, n, err)
		}
	}
}

func TestPacketSamplesAllocs(t *testing.T) {
	packets := [][]byte{{}, {0x18, 1}, {0xf9, 1, 2}, {0xfa, 1, 2, 3}, {0xfb, 0xc3, 1, 1, 1, 1, 2, 3, 0}}
	sum := 0
	if n := testing.AllocsPerRun(100, func() {
		sum = 0
		for _, p := range packets {
			n, _ := proto.PacketSamples(p)
			sum += n
		}
	}); n != 0 || sum != 2880+2880+1920+1920+2880 {
		t.Errorf("%v allocations, %d samples", n, sum)
	}
}

func FuzzPacketSamples(f *testing.F) {
	for _, s := range []string{"", "18", "f9 0102", "fa 01 aa bbbb", "fb 43 02 010203 0000", "fb 83 01 02 aa bbbb cc", "e3 18", "fb c3 ff 01"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		n, err := proto.PacketSamples(packet)
		if err != nil {
			wantRefusal(t, "packet", err, 400, "Opus")
			return
		}
		if n < 120 || n > proto.FrameSamples || n%120 != 0 {
			t.Errorf("%x lasts %d samples", packet, n)
		}
	})
}
