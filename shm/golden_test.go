package shm

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"bucketbrigade/proto"
)

// A whole request, from the first byte of the segment to the end of its data.
// Peers in other languages can be held against it.
const goldenRequest = `
01                                                status: request
39 00                                             J = 57
7b 22 71 75 65 72 79 5f 73 74 72 69 6e 67 22 3a   {"query_string":
22 61 3d 31 26 62 3d 32 22 7d                     "a=1&b=2"}
20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20   31 spaces: the PCM lies at 64
20 20 20 20 20 20 20 20 20 20 20 20 20 20 20
0c 00 00 00                                       D = 12
00 00 80 3f  00 00 00 bf  00 00 40 40             1, -0.5, 3
`

// A whole answer.
const goldenAnswer = `
02                                                status: answer
44 00                                             J = 68
7b 22 78 2d 61 75 64 69 6f 2d 6d 65 74 61 64 61   {"x-audio-metada
74 61 22 3a 22 7b 7d 22 2c 22 70 63 6d 22 3a 5b   ta":"{}","pcm":[
39 36 2c 39 38 5d 7d                              96,98]}
20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20   29 spaces: the PCM behind the
20 20 20 20 20 20 20 20 20 20 20 20 20            summary lies at 128
3d 00 00 00                                       D = 61
00 01                                             user summary: one user,
00 00 00 00 00 00 00 2a                           42
41 64 61 00 00 00 00 00 00 00 00 00 00 00 00 00   Ada
00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
3f 80 00 00                                       mic volume 1
3e 80 00 00                                       loudness 0.25
00 03                                             3 s
01                                                muted
00 00 40 3f  00 00 40 bf                          0.75, -0.75
`

// goldenBytes reads the hex at the start of each line; two columns of spaces
// begin a remark.
func goldenBytes(t testing.TB, text string) []byte {
	t.Helper()
	var out []byte
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		code, _, _ := strings.Cut(line, "   ")
		b, err := hex.DecodeString(strings.ReplaceAll(code, " ", ""))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		out = append(out, b...)
	}
	return out
}

func goldenParts() (proto.Request, proto.Answer) {
	req := proto.Request{QueryString: "a=1&b=2", PCM: []float32{1, -0.5, 3}}
	summary := proto.AppendSummaryHeader(nil, 1)
	summary = proto.AppendSummaryUser(summary, &proto.SummaryUser{
		User: 42, Name: "Ada", MicVolume: 1, RMS: 0.25, Delay: 3, Muted: true})
	return req, proto.Answer{Metadata: "{}", Span: &proto.Span{From: 96, To: 98},
		Summary: summary, PCM: []float32{0.75, -0.75}}
}

func TestGoldenBytesAreWritten(t *testing.T) {
	t.Parallel()
	path := segmentPath(t)
	c := NewClient(mustOpen(t, path, ForShard, 0), ClientConfig{})
	srv := NewServer(Hybrid)
	if err := srv.Add(mustOpen(t, path, ForServer, 0)); err != nil {
		t.Fatal(err)
	}
	req, ans := goldenParts()
	if _, err := c.write(proto.AppendRequestJSON(nil, &req), req.PCM); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := goldenBytes(t, goldenRequest); !bytes.HasPrefix(file, want) {
		t.Errorf("request:\n%swant\n%s", hex.Dump(file[:len(want)]), hex.Dump(want))
	}
	turn := srv.Next(time.Now())
	if turn == nil {
		t.Fatal("no request")
	}
	mix := func(dst []float32) { copy(dst, ans.PCM) }
	if err := turn.Answer(&ans, len(ans.PCM), mix); err != nil {
		t.Fatal(err)
	}
	if file, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	if want := goldenBytes(t, goldenAnswer); !bytes.HasPrefix(file, want) {
		t.Errorf("answer:\n%swant\n%s", hex.Dump(file[:len(want)]), hex.Dump(want))
	}
}

func TestGoldenBytesAreRead(t *testing.T) {
	t.Parallel()
	path := segmentPath(t)
	peer := openRaw(t, path, proto.MaxJSONArea)
	srv := NewServer(Hybrid)
	if err := srv.Add(mustOpen(t, path, ForServer, 0)); err != nil {
		t.Fatal(err)
	}
	wantReq, wantAns := goldenParts()

	peer.put(goldenBytes(t, goldenRequest))
	var req proto.Request
	turn := srv.Next(time.Now())
	if turn == nil {
		t.Fatal("no request")
	}
	if err := turn.Request(&req); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(req, wantReq) {
		t.Errorf("request %+v, want %+v", req, wantReq)
	}
	if &req.PCM[0] != &must(floats(turn.seg.mem[64:76]))[0] {
		t.Error("aligned PCM was copied")
	}

	peer.word.Store(statusIdle)
	c := NewClient(mustOpen(t, path, ForShard, 0), ClientConfig{})
	done := make(chan error, 1)
	var ans proto.Answer
	go func() { done <- c.Call(context.Background(), &wantReq, &ans) }()
	until(t, "the request is written", func() bool { return peer.status() == statusRequest })
	peer.put(goldenBytes(t, goldenAnswer))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(ans, wantAns) {
		t.Errorf("answer %+v, want %+v", ans, wantAns)
	}
}

func must[T any](v T, ok bool) T {
	if !ok {
		panic("not so")
	}
	return v
}

// unpadded is a message as the peers of the first generation write it: no
// spaces, so data lies anywhere.
func unpadded(status byte, json string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint16([]byte{status}, uint16(len(json)))
	b = append(b, json...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	return append(b, data...)
}

func pcmBytes(pcm ...float32) []byte {
	var b []byte
	for _, x := range pcm {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// Messages of the first generation, at all four alignments, with either size of
// the JSON area on our side.
func TestOldPeers(t *testing.T) {
	t.Parallel()
	for _, area := range []int{proto.OldJSONArea, proto.MaxJSONArea} {
		path := segmentPath(t)
		peer := openRaw(t, path, area)
		server, shard := mustOpen(t, path, ForServer, area), mustOpen(t, path, ForShard, area)
		srv, c := NewServer(Hybrid), NewClient(shard, ClientConfig{})
		if err := srv.Add(server); err != nil {
			t.Fatal(err)
		}
		var req proto.Request
		var ans proto.Answer
		for i, query := range []string{"", "a", "ab", "abc", strings.Repeat("q", 9981)} {
			json := `{"query_string":"` + query + `"}`
			peer.put(unpadded(statusRequest, json, pcmBytes(1.5, 2.5, -3)))
			turn := srv.Next(time.Now())
			if turn == nil {
				t.Fatal("no request")
			}
			if err := turn.Request(&req); err != nil {
				t.Fatal(err)
			}
			if req.QueryString != query || !reflect.DeepEqual(req.PCM, []float32{1.5, 2.5, -3}) {
				t.Errorf("area %d, query %d: %+v", area, i, req)
			}

			json = `{"x-audio-metadata":"` + query + `"}`
			if len(json) > area {
				continue
			}
			data := append([]byte{0, 0}, pcmBytes(0.5, -7)...)
			msg := unpadded(statusAnswer, json, data)
			peer.put(msg)
			if err := readAnswer(c.seg, peer.word.Load(), &ans); err != nil {
				t.Fatal(err)
			}
			if ans.Metadata != query || !reflect.DeepEqual(ans.PCM, []float32{0.5, -7}) || string(ans.Summary) != "\x00\x00" {
				t.Errorf("area %d, answer %d: %+v", area, i, ans)
			}
		}
		// An error of the first generation has no data at all.
		peer.put(unpadded(statusAnswer, `{"error":"no","inner_bt":"x"}`, nil))
		if err := readAnswer(c.seg, peer.word.Load(), &ans); err != nil {
			t.Fatal(err)
		}
		if r := ans.Refusal(); r == nil || r.Code != 500 || r.Reason != "no" || len(ans.PCM)+len(ans.Summary) != 0 {
			t.Errorf("area %d: an old refusal is read as %+v", area, ans)
		}
	}
}
