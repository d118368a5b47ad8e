// Package backendtest holds implementations of shard.Backend against the
// contract in that interface's comment.
package backendtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"bucketbrigade/proto"
	"bucketbrigade/shard"
)

// Run runs the suite; open gives a backend whose state is fresh and running.
func Run(t *testing.T, open func(t *testing.T) shard.Backend) {
	for _, c := range []struct {
		name string
		test func(*testing.T, shard.Backend)
	}{
		{"clock", clock},
		{"singer", singer},
		{"answers are not shared", notShared},
		{"held frames", held},
		{"refusal is an answer", refusal},
		{"unknown kind", unknownKind},
		{"upload", uploaded},
		{"too large", tooLarge},
		{"ended context", endedContext},
		{"everybody gets the own answer", ownAnswers},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open(t))
		})
	}
}

// uploaded asks after an upload where there are none.
func uploaded(t *testing.T, b shard.Backend) {
	ans := proto.Answer{Metadata: "of before", Clock: 7, PCM: make([]float32, 10)}
	err := b.Call(t.Context(), &proto.Request{Kind: proto.KindUploaded, Upload: "track-1.wav"}, &ans)
	if err != nil || ans.Refusal() != nil || !strings.HasPrefix(ans.Upload, proto.UploadFailed) || len(ans.PCM) != 0 || ans.Metadata != "" || ans.Clock != 0 {
		t.Errorf("%+v, %v", ans, err)
	}
}

// Clock asks b for its clock.
func Clock(t *testing.T, b shard.Backend) proto.Clock {
	t.Helper()
	var ans proto.Answer
	if err := b.Call(t.Context(), &proto.Request{Kind: proto.KindClock}, &ans); err != nil {
		t.Fatal(err)
	}
	if ans.Refusal() != nil || ans.Clock <= 0 {
		t.Fatalf("clock %d, refusal %v", ans.Clock, ans.Refusal())
	}
	return ans.Clock
}

// Sing is a request of a user who asks for n samples up to read.
func Sing(user int, read proto.Clock, n int) *proto.Request {
	return &proto.Request{
		QueryString: fmt.Sprintf("userid=%d&username=u%d&read_clock=%d&n_samples=%d&reset_user_state=true&user_summary=1&rms_volume=0",
			user, user, read, n),
		ClientAddress: "192.0.2.1",
		PCM:           make([]float32, n),
	}
}

func clock(t *testing.T, b shard.Backend) {
	first := Clock(t, b)
	if second := Clock(t, b); second < first {
		t.Errorf("the clock went back from %d to %d", first, second)
	}
}

func singer(t *testing.T, b shard.Backend) {
	const n = 2 * proto.FrameSamples
	read := Clock(t, b).Add(-144000)
	var ans proto.Answer
	if err := b.Call(t.Context(), Sing(7, read, n), &ans); err != nil {
		t.Fatal(err)
	}
	if r := ans.Refusal(); r != nil {
		t.Fatal(r)
	}
	var md proto.Metadata
	if err := json.Unmarshal([]byte(ans.Metadata), &md); err != nil {
		t.Fatal(err)
	}
	if md.ClientReadClock != read || md.Samples != n || len(ans.PCM) != n {
		t.Errorf("read clock %d with %d samples, %d came; want %d with %d", md.ClientReadClock, md.Samples, len(ans.PCM), read, n)
	}
	users, err := proto.ParseSummary(ans.Summary)
	if err != nil || len(users) != 1 || users[0].User != 7 || users[0].Name != "u7" {
		t.Errorf("users %v, error %v; want u7 alone", users, err)
	}
}

func notShared(t *testing.T, b shard.Backend) {
	read := Clock(t, b).Add(-144000)
	var one, two proto.Answer
	if err := b.Call(t.Context(), Sing(1, read, proto.FrameSamples), &one); err != nil {
		t.Fatal(err)
	}
	for i := range one.PCM {
		one.PCM[i] = 0.5
	}
	summary := string(one.Summary)
	if err := b.Call(t.Context(), Sing(2, read, proto.FrameSamples), &two); err != nil {
		t.Fatal(err)
	}
	if string(one.Summary) != summary {
		t.Error("the second call changed the first answer's summary")
	}
	for i := range one.PCM {
		if one.PCM[i] != 0.5 || two.PCM[i] != 0 {
			t.Fatalf("sample %d of two answers: %g and %g, want 0.5 and 0", i, one.PCM[i], two.PCM[i])
		}
	}
	memory := &one.PCM[0]
	if err := b.Call(t.Context(), Sing(3, read, proto.FrameSamples), &one); err != nil {
		t.Fatal(err)
	}
	if &one.PCM[0] != memory {
		t.Error("the answer's memory was not used again")
	}
}

// held asks for what a shard lacks of an interval, twice: at first it has
// nothing, then all of it.
func held(t *testing.T, b shard.Backend) {
	const n = 2 * proto.FrameSamples
	end := Clock(t, b).Add(-144000) / proto.FrameSamples * proto.FrameSamples
	req := Sing(7, end.Add(5), n)
	req.PCM, req.ReadEnd, req.Want = nil, &end, &proto.Span{From: end.Add(-n), To: end}
	var ans proto.Answer
	if err := b.Call(t.Context(), req, &ans); err != nil || ans.Refusal() != nil {
		t.Fatal(err, ans.Refusal())
	}
	if ans.Span == nil || *ans.Span != *req.Want || len(ans.PCM) != n || ans.Mix == 0 || ans.Keep != 0 || ans.Clock < end {
		t.Fatalf("span %v with %d samples, mix %d, keep %d, clock %d", ans.Span, len(ans.PCM), ans.Mix, ans.Keep, ans.Clock)
	}
	req.Held = &proto.Held{Mix: ans.Mix, Reads: []proto.HeldRead{{To: end, At: ans.Clock + 1}}}
	req.Want = &proto.Span{From: end, To: end}
	if err := b.Call(t.Context(), req, &ans); err != nil || ans.Refusal() != nil {
		t.Fatal(err, ans.Refusal())
	}
	if ans.Span == nil || ans.Span.Len() != 0 || len(ans.PCM) != 0 || ans.Keep != end || len(ans.Summary) == 0 {
		t.Errorf("all is held: span %v with %d samples, keep %d", ans.Span, len(ans.PCM), ans.Keep)
	}
}

func refusal(t *testing.T, b shard.Backend) {
	var ans proto.Answer
	future := Clock(t, b).Add(3600 * proto.SampleRate)
	if err := b.Call(t.Context(), Sing(7, future, proto.FrameSamples), &ans); err != nil {
		t.Fatal(err)
	}
	r := ans.Refusal()
	if r == nil || r.Code != http.StatusBadRequest || !strings.Contains(r.Reason, future.String()) {
		t.Errorf("reading the future: %v, want a 400 that names %d", r, future)
	}
	if len(ans.PCM) != 0 {
		t.Errorf("a refusal brought %d samples", len(ans.PCM))
	}
}

func unknownKind(t *testing.T, b shard.Backend) {
	var ans proto.Answer
	if err := b.Call(t.Context(), &proto.Request{Kind: "get_rich"}, &ans); err != nil {
		t.Fatal(err)
	}
	if r := ans.Refusal(); r == nil || !strings.HasPrefix(r.Reason, "unknown request") {
		t.Errorf("refusal %v, want \"unknown request …\"", r)
	}
}

func tooLarge(t *testing.T, b shard.Backend) {
	lyrics := strings.Repeat("la ", 50000)
	for name, req := range map[string]*proto.Request{
		"json": {QueryString: "userid=1", Lyrics: &lyrics},
		"data": {QueryString: "userid=1", PCM: make([]float32, proto.MaxData/4+1)},
	} {
		var ans proto.Answer
		err := b.Call(t.Context(), req, &ans)
		var r *proto.Refusal
		if !errors.As(err, &r) || r.Code != http.StatusRequestEntityTooLarge || !strings.Contains(r.Reason, name+" too long") {
			t.Errorf("%s: error %v, want a 413 \"%s too long\"", name, err, name)
		}
	}
	Clock(t, b) // still there
}

func endedContext(t *testing.T, b shard.Backend) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var ans proto.Answer
	err := b.Call(ctx, &proto.Request{Kind: proto.KindClock}, &ans)
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's or none", err)
	}
	if err == nil && ans.Clock == 0 {
		t.Error("neither an error nor an answer")
	}
}

func ownAnswers(t *testing.T, b shard.Backend) {
	const users, rounds = 8, 30
	start := Clock(t, b).Add(-10 * proto.SampleRate)
	var all sync.WaitGroup
	for u := range users {
		all.Go(func() {
			var ans proto.Answer
			for round := range rounds {
				// Everybody's clocks are unlike everybody else's.
				read, n := start.Add(-1000*u-round), proto.FrameSamples*(1+(u+round)%5)
				if err := b.Call(t.Context(), Sing(100+u, read, n), &ans); err != nil {
					t.Error(err)
					return
				}
				var md proto.Metadata
				if err := json.Unmarshal([]byte(ans.Metadata), &md); err != nil {
					t.Errorf("user %d: %v (%v)", u, err, ans.Refusal())
					return
				}
				if md.ClientReadClock != read || len(ans.PCM) != n {
					t.Errorf("user %d got read clock %d and %d samples, asked for %d and %d", u, md.ClientReadClock, len(ans.PCM), read, n)
				}
			}
		})
	}
	all.Wait()
}
