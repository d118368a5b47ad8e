package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"bucketbrigade/proto"
	"bucketbrigade/proto/prototest"
	"bucketbrigade/singer"
	"bucketbrigade/stack"
	"bucketbrigade/stack/stacktest"
)

func TestMalformedRequestsHarmNobody(t *testing.T) {
	t.Parallel()
	bin := stacktest.Build(t)
	for _, c := range []struct {
		name string
		cfg  stack.Config
		path string
	}{
		{"through nginx and shared memory", stack.Config{Shards: 1}, "/api/01"},
		{"straight at a shard", stack.Config{Shards: 1, NoNginx: true}, "/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.cfg.BinDir = bin
			s := stacktest.Start(t, c.cfg)
			harm(t, s.URL()+c.path)
		})
	}
}

// harm posts everything malformed beside a singer who leads a song, and sees
// that the singer and the state stay as they were.
func harm(t *testing.T, api string) {
	cases := prototest.Malformed()
	if len(cases) < 60 {
		t.Fatalf("%d malformed requests, want at least 60", len(cases))
	}
	healthy := singer.New(singer.Config{URL: api, User: 77, Name: "healthy"})
	if err := healthy.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	step := func(extra url.Values) *singer.Answer {
		t.Helper()
		a, err := healthy.Step(t.Context(), extra)
		if err != nil {
			t.Fatalf("the healthy singer: %v", err)
		}
		return a
	}
	step(nil)
	step(url.Values{"request_lead": {"1"}, "bpm": {"90"}, "event_data": {`[{"evid":"e","clock":1}]`}})
	before := step(url.Values{"mark_start_singing": {"1"}, "volume": {"0.8"}})
	var all sync.WaitGroup
	for i, c := range cases {
		user := proto.UserID(100000 + i)
		all.Go(func() { refused(t, api, c, user, before.Metadata.ServerClock.Add(-3*proto.SampleRate)) })
	}
	all.Wait()
	after := step(nil)
	if got := unchanging(t, after); got != unchanging(t, before) {
		t.Errorf("the state changed:\nbefore %s\nafter  %s", unchanging(t, before), got)
	}
	if after.Metadata.Chats == nil || len(after.Metadata.Chats) > 0 {
		t.Errorf("chats %v arrived", after.Metadata.Chats)
	}
	if news := after.Metadata.News; news.Lyrics != nil || news.Image != nil || news.BPM != nil || news.GlobalVolume != nil {
		t.Errorf("news %+v arrived", news)
	}
}

// unchanging is what a malformed request could have changed and must not.
func unchanging(t *testing.T, a *singer.Answer) string {
	md := a.Metadata
	users := slices.Clone(a.Users)
	for i := range users {
		users[i].Delay = 0
	}
	b, err := json.Marshal([]any{md.SongStartClock, md.SongEndClock, md.ConnectedUsers, md.Events, md.Leader, users})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// refused posts one case and checks the refusal.
func refused(t *testing.T, api string, c prototest.Case, user proto.UserID, read proto.Clock) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, api+"?"+c.Fill(user, read, read.Add(-60000)), bytes.NewReader(c.Body))
	if err != nil {
		t.Errorf("%s: %v", c.Name, err)
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Errorf("%s: %v", c.Name, err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("%s: %v", c.Name, err)
		return
	}
	var kill proto.KillHeader
	if err := json.Unmarshal([]byte(resp.Header.Get("X-Audio-Metadata")), &kill); err != nil || !kill.KillClient {
		t.Errorf("%s: header %q", c.Name, resp.Header.Get("X-Audio-Metadata"))
	}
	if resp.StatusCode != c.Code || !strings.Contains(kill.Message, c.Names) {
		t.Errorf("%s: status %d %q, want %d that names %q", c.Name, resp.StatusCode, body, c.Code, c.Names)
	}
	if resp.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%s: no CORS header", c.Name)
	}
}
