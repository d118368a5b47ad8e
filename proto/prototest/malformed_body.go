package prototest

import (
	"bytes"
	"fmt"
	"strings"

	"bucketbrigade/proto"
)

// First bytes of Opus packets (RFC 6716, 3.1): mode and frame length, without
// the code for the number of frames.
const (
	silk40ms = 2 << 3
	silk60ms = 3 << 3
	celt2ms5 = 28 << 3
	celt20ms = 31 << 3
)

// pack packs packets as a request does.
func pack(packets ...[]byte) []byte {
	b := proto.AppendPacking(nil, len(packets))
	for _, p := range packets {
		b = append(b, byte(len(p)>>8), byte(len(p)))
		b = append(b, p...)
	}
	return b
}

// quiet is a packet of one empty frame.
func quiet(toc byte) []byte { return []byte{toc} }

// sung is the body of a request with 60 ms of audio.
func sung() []byte { return pack(quiet(silk60ms)) }

// framing gets the packing wrong; the packets, as far as they can be found, are
// legal.
func framing() []Case {
	q := quiet(silk60ms)
	body := func(name string, b []byte, names string) Case {
		return Case{Name: "packing: " + name, Query: singing, Body: b, Code: 400, Names: names}
	}
	sum := func(name string, n int, packet []byte, names string) Case {
		packets := make([][]byte, n)
		for i := range packets {
			packets[i] = packet
		}
		return Case{Name: "packing: " + name, Query: unsized, Body: pack(packets...), Code: 400, Names: names}
	}
	two := sum("one packet more than n_samples", 2, q, "5760")
	two.Query = singing
	short := sum("one packet less than n_samples", 1, q, "2880")
	short.Query = unsized + "&n_samples=5760"
	nobody := body("audio without userid", sung(), "userid")
	nobody.Query = "read_clock={read_clock}&write_clock={write_clock}&n_samples=2880"
	huge := body("body too large", make([]byte, proto.MaxBodyBytes+1), "262144")
	huge.Code = 413
	return []Case{
		body("count 0", []byte{0}, "0 packets"),
		body("count 0 and more", append([]byte{0}, sung()...), "0 packets"),
		body("count alone", []byte{1}, "packet 1 of 1"),
		body("length cut", []byte{1, 0}, "packet 1 of 1"),
		body("packet cut", []byte{1, 0, 23, silk60ms}, "23"),
		body("packet of nothing left", []byte{1, 0, 23}, "23"),
		body("second packet missing", append([]byte{2}, sung()[1:]...), "packet 2 of 2"),
		body("count of 255 for one", append([]byte{255}, sung()[1:]...), "packet 2 of 255"),
		body("7 bytes left over", append(sung(), 1, 2, 3, 4, 5, 6, 7), "7 bytes"),
		body("packet too large", pack(make([]byte, proto.MaxPacketBytes+1)), "3833"),
		body("JSON without json_len", []byte(`{"lyrics": "la"}`), "packet 1 of 123"),
		sum("20 ms are no frame", 1, quiet(celt20ms), "960"),
		sum("80 ms are no frame", 2, quiet(silk40ms), "3840"),
		sum("255 of 2.5 ms", 255, quiet(celt2ms5), "30600"),
		sum("18 packets", 18, q, "51840"),
		sum("255 lost packets", 255, nil, "734400"),
		two, short, nobody, huge,
	}
}

// packets gets the inside of one packet wrong.
func packets() []Case {
	opus := func(name string, packet []byte, names string) Case {
		return Case{Name: "opus: " + name, Query: singing, Body: pack(packet), Code: 400, Names: names}
	}
	fat := make([]byte, 1+1276)
	fat[0] = silk60ms
	return []Case{
		opus("frame of 1276 bytes", fat, "1276"),
		opus("two equal frames in 5 bytes", []byte{celt20ms | 1, 1, 2, 3, 4, 5}, "5 bytes"),
		opus("two frames, no length", []byte{celt20ms | 2}, "length"),
		opus("two frames, half a length", []byte{celt20ms | 2, 252}, "length"),
		opus("two frames, length off the end", []byte{celt20ms | 2, 99, 1}, "99"),
		opus("no frame count", []byte{celt20ms | 3}, "count"),
		opus("0 frames", []byte{celt20ms | 3, 0}, "0 frames"),
		opus("63 frames of 2.5 ms", []byte{celt2ms5 | 3, 63}, "63 frames"),
		opus("3 frames of 60 ms", []byte{silk60ms | 3, 3}, "3 frames"),
		opus("2 equal of 1 byte", []byte{celt20ms | 3, 2, 1}, "2 equal"),
		opus("no padding length", []byte{celt20ms | 3, 0x43}, "padding"),
		opus("padding length of 255 alone", []byte{celt20ms | 3, 0x43, 255}, "padding"),
		opus("padding off the end", []byte{celt20ms | 3, 0x43, 77, 0, 0}, "77"),
		opus("variable, no lengths", []byte{celt20ms | 3, 0x83}, "length"),
		opus("variable, off the end", []byte{celt20ms | 3, 0x83, 2, 3, 9}, "5 bytes"),
		opus("80 ms", []byte{silk40ms | 1, 1, 2}, "3840"),
		opus("120 ms", []byte{silk60ms | 1, 1, 2}, "5760"),
		opus("65 ms", []byte{celt2ms5 | 3, 26}, "3120"),
	}
}

// prefixes gets the JSON before the audio wrong.
func prefixes() []Case {
	before := func(name, json string, code int, names string) Case {
		return Case{
			Name:  "prefix: " + name,
			Query: fmt.Sprintf("%s&json_len=%d", singing, len(json)),
			Body:  append([]byte(json), sung()...), Code: code, Names: names,
		}
	}
	cut := before("json_len cuts the object", `{"lyrics": "la la la"}`, 400, "la la")
	cut.Query = singing + "&json_len=19"
	off := before("json_len beyond the body", `{"lyrics": "la"}`, 400, "543")
	off.Query = singing + "&json_len=543"
	alone := Case{Name: "prefix: json_len and no body", Query: singing + "&json_len=17", Code: 400, Names: "17"}
	lyrics := func(s string) string { return `{"lyrics": "` + s + `"}` }
	return []Case{
		cut, off, alone,
		before("list", `["la"]`, 400, "la"),
		before("string", `"lalala"`, 400, "lalala"),
		before("number", `12345`, 400, "12345"),
		before("null", `null`, 400, "null"),
		before("no JSON", `lalala`, 400, "lalala"),
		before("blanks", `   `, 400, "3 bytes"),
		before("NaN", `{"lyrics": NaN}`, 400, "NaN"),
		before("two objects", `{"lyrics": "la"}{}`, 400, "18"),
		before("lyrics no string", `{"lyrics": 12345}`, 400, "12345"),
		before("lyrics a list", `{"lyrics": ["la"]}`, 400, "la"),
		before("too many characters", lyrics(strings.Repeat("a", proto.MaxLyricsChars+1)), 413, "8501"),
		before("too many characters, escaped", lyrics(strings.Repeat(`\n`, proto.MaxLyricsChars+1)), 413, "8501"),
		before("too many bytes", lyrics(strings.Repeat("\U0001F3B5", proto.MaxLyricsBytes/4)+"a"), 413, "26001"),
		before("not UTF-8, too many bytes", lyrics(string(bytes.Repeat([]byte{0xff}, 8667))), 413, "26001"),
		before("nested too deep", strings.Repeat(`{"a":`, 20000), 400, "100000 bytes"),
	}
}
