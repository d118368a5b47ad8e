package brigade

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"bucketbrigade/proto"
)

// heap is what lives after a collection, in bytes.
func heap() int {
	runtime.GC()
	runtime.GC() // what the first has only queued
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// greedy is a request of somebody who sends as much as is allowed of all that
// is kept: names, chats, lyrics, events, sessions, volumes of others, telemetry.
func greedy(rng *rand.Rand, now proto.Clock) *proto.Request {
	user := 1 + rng.IntN(3000)
	read := now.Add(-rng.IntN(proto.SampleRate) - proto.SampleRate)
	q := url.Values{
		"userid":           {fmt.Sprint(user)},
		"username":         {fmt.Sprintf("%-*d", proto.MaxNameChars, rng.Uint64())},
		"read_clock":       {read.String()},
		"reset_user_state": {"1"},
	}
	if rng.IntN(3) == 0 {
		q.Set("write_clock", read.String())
	}
	req := &proto.Request{
		ClientAddress: fmt.Sprintf("2001:db8:%x::1", rng.IntN(1<<16)),
		Session:       proto.Session(fmt.Sprintf("%-*d", proto.MaxSessionBytes, user)),
		PCM:           make([]float32, frame),
	}
	switch rng.IntN(100) { // rarely: a chat costs a thousand queues
	case 0:
		texts := make([]string, proto.MaxChatsRequest)
		for i := range texts {
			texts[i] = `"` + strings.Repeat(string(rune('a'+rng.IntN(26))), 60) + `"`
		}
		q.Set("chat", "["+strings.Join(texts, ",")+"]")
	case 1:
		lyrics := strings.Repeat(string(rune('a'+rng.IntN(26))), proto.MaxLyricsChars)
		req.Lyrics = &lyrics
	case 2:
		q.Set("event_data", fmt.Sprintf(`[{"evid":"%0200d","clock":1}]`, rng.Uint64()))
	case 3:
		q.Set("mic_volume", fmt.Sprintf(`[["%d",%d]]`, rng.Uint64(), rng.IntN(3)))
	case 4:
		q.Set("mark_start_singing", "1")
	case 5:
		q.Set("request_lead", "1")
	}
	if rng.IntN(4) == 0 {
		q.Set("client_telemetry", fmt.Sprintf(`{"a":["%03900d"]}`, rng.Uint64()))
	}
	req.QueryString = q.Encode()
	return req
}

// Not parallel: the heap is everybody's.
func TestHeapIsBounded(t *testing.T) {
	const requests, ringSamples = 100_000, 4 * proto.SampleRate
	b := newBrigade(Config{MaxUsers: 1000}, ringSamples)
	rng := rand.New(rand.NewPCG(1, 2))
	now := proto.Clock(86400000000000)
	var ans proto.Answer
	audio := make([]float32, frame)
	accepted, half := 0, 0
	for i := range requests {
		now = now.Add(48) // 1000 requests a second
		b.Handle(now, greedy(rng, now), &ans)
		if ans.Error == "" {
			accepted++
			b.Mix(audio[:b.Samples()])
		}
		if i == requests/2 {
			half = heap()
		}
	}
	if accepted < requests/4 {
		t.Fatalf("only %d of %d requests were taken", accepted, requests)
	}
	end := heap()
	runtime.KeepAlive(b)
	t.Logf("%d of %d taken; heap %d kB after half of them, %d kB after all", accepted, requests, half>>10, end>>10)
	if end > half+half/4 {
		t.Errorf("the heap grew from %d to %d bytes in the second half", half, end)
	}
	// 4000 remembered queues of 200 chats with shared texts, 4 kB of telemetry
	// each, and a ring of 4 s.
	if limit := 80 << 20; end > limit {
		t.Errorf("the heap is %d bytes, want at most %d", end, limit)
	}
}
