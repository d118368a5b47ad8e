package shm

import (
	"strings"
	"testing"
	"time"

	"bucketbrigade/proto"
)

// fuzzSeeds are messages, sound and not, with their status.
func fuzzSeeds(f *testing.F, st byte, json string, data []byte) {
	whole := unpadded(st, json, data)
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add(unpadded(st, json+strings.Repeat(" ", 61), data))
	f.Add(unpadded(st, "", data))
	f.Add(unpadded(st, "null", nil))
	f.Add([]byte{st, 0xff, 0xff, '{'})
	f.Add([]byte{st, 0x10, 0x27, '{', '}'})
	f.Add([]byte{st, 2, 0, '{', '}', 0x3e, 0x0d, 0x03, 0})
	f.Add([]byte{st, 2, 0, '{', '}', 0x3f, 0x0d, 0x03, 0})
	f.Add([]byte{})
}

// Whatever a shard writes, the server gets an error or a request within limits,
// can answer, and that answer can be read.
func FuzzServerReads(f *testing.F) {
	fuzzSeeds(f, statusRequest, `{"query_string":"a=1","want":[0,2],"lyrics":"la"}`, pcmBytes(1, 2))
	path := segmentPath(f)
	peer := openRaw(f, path, proto.OldJSONArea)
	shard := mustOpen(f, path, ForShard, proto.OldJSONArea)
	srv := NewServer(Hybrid)
	if err := srv.Add(mustOpen(f, path, ForServer, proto.OldJSONArea)); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		copy(peer.mem[:peer.at.serverSleeps], content)
		peer.mem[0] = statusRequest
		turn := srv.Next(time.Now())
		if turn == nil {
			t.Fatal("a request is not seen")
		}
		var req proto.Request
		err := turn.Request(&req)
		if err != nil && refusalCode(err) == 0 {
			t.Errorf("error %v is no refusal", err)
		}
		if len(req.PCM) > proto.MaxData/4 || (err != nil && len(req.PCM) > 0) ||
			len(req.Session) > proto.MaxSessionBytes || (req.Want != nil && req.Want.Len() > proto.MaxSamples) {
			t.Errorf("request beyond all limits: %d samples, %+v", len(req.PCM), req)
		}
		sum := float32(0)
		for i := range req.PCM { // all of it can be touched
			sum += req.PCM[i]
			req.PCM[i] = sum
		}
		n := len(req.PCM) % 5
		if err := turn.Answer(&proto.Answer{Metadata: "m", Summary: []byte{0, 0}}, n, func(dst []float32) { clear(dst) }); err != nil {
			t.Error(err)
		}
		var ans proto.Answer
		if err := readAnswer(shard, shard.load(statusAnswer), &ans); err != nil || ans.Metadata != "m" || len(ans.PCM) != n {
			t.Errorf("the answer is read as %+v, %v", ans, err)
		}
	})
}

// Whatever a server writes, the shard gets an error of status 502 or an answer
// within limits.
func FuzzClientReads(f *testing.F) {
	data := append(proto.AppendSummaryHeader(nil, 0), pcmBytes(1, 2)...)
	fuzzSeeds(f, statusAnswer, `{"x-audio-metadata":"{}","pcm":[0,2],"code":0}`, data)
	fuzzSeeds(f, statusAnswer, `{"error":"no","inner_bt":"x"}`, nil)
	path := segmentPath(f)
	peer := openRaw(f, path, proto.OldJSONArea)
	c := NewClient(mustOpen(f, path, ForShard, proto.OldJSONArea), ClientConfig{})
	ans := proto.Answer{PCM: make([]float32, 3, 4), Summary: make([]byte, 3, 4)}
	f.Fuzz(func(t *testing.T, content []byte) {
		copy(peer.mem[:peer.at.serverSleeps], content)
		peer.mem[0] = statusAnswer
		err := readAnswer(c.seg, c.seg.load(statusAnswer), &ans)
		if err != nil && refusalCode(err) != 502 {
			t.Errorf("error %v is not of status 502", err)
		}
		if err == nil && len(ans.Summary)+4*len(ans.PCM) > proto.MaxData {
			t.Errorf("answer of %d and %d bytes", len(ans.Summary), 4*len(ans.PCM))
		}
		if err == nil && len(ans.Summary) > 0 {
			if _, err := proto.ParseSummary(ans.Summary); err != nil {
				t.Errorf("summary: %v", err)
			}
		}
	})
}
