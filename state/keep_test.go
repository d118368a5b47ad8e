package state

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"bucketbrigade/proto"
)

// keptRequests say everything that a room remembers of what is said in it.
func keptRequests(now proto.Clock) []*proto.Request {
	sing := func(user int, more url.Values) *proto.Request {
		more.Set("userid", fmt.Sprint(user))
		if !more.Has("username") {
			more.Set("username", fmt.Sprintf("singer %d", user))
		}
		more.Set("read_clock", (now - 50000).String())
		more.Set("n_samples", "2880")
		more.Set("reset_user_state", "1")
		return &proto.Request{
			QueryString: more.Encode(), ClientAddress: fmt.Sprintf("192.0.2.%d", user),
			Session: proto.Session(fmt.Sprintf("cookie:%d", user)), Want: &proto.Span{},
		}
	}
	lyrics := sing(1, url.Values{})
	lyrics.Lyrics = new("la \"la\" la")
	control := &proto.Request{QueryString: "disableSongVideo=1", ControlSecret: "0123456789abcdef", Nonce: "nonce-1"}
	again := *control
	again.ClientAddress = "192.0.2.9" // its nonce lies elsewhere
	return []*proto.Request{
		sing(1, url.Values{}), sing(2, url.Values{"begin_monitor": {"1"}}), lyrics,
		sing(1, url.Values{"chat": {`["hello","you"]`}, "event_data": {`[{"evid":"e1","clock":7}]`}}),
		sing(2, url.Values{"client_telemetry": {`{"audio":{"x":[1,"two"]}}`}, "track": {"a track"}, "monitor": {"1"}}),
		sing(1, url.Values{"client_telemetry": {`{"audio":{"y":3}}`}, "user_summary": {"1"}}),
		control, sing(2, url.Values{"username": {"other"}}), &again, sing(1, url.Values{}), sing(2, url.Values{"username": {"other"}}),
		{Kind: proto.KindUploaded, Upload: "track-1.wav"},
	}
}

// What a request says lies in memory that the next one overwrites: the room
// tells the same if all of it is gone as soon as the request is answered.
func TestRoomKeepsCopies(t *testing.T) {
	t.Parallel()
	now := proto.Clock(86400000000000)
	tell := func(gone bool) string {
		e, err := newEngine(Settings{Now: func() proto.Clock { return now }, Log: quiet(), ControlSecret: "0123456789abcdef"}, "")
		if err != nil {
			t.Fatal(err)
		}
		var m proto.Scratch
		var told bytes.Buffer
		for _, req := range keptRequests(now) {
			var ans proto.Answer
			if gone {
				m.Load(proto.AppendRequestJSON(nil, req))
				req = new(proto.Request)
				if err := m.ParseRequest(req); err != nil {
					t.Fatal(err)
				}
			}
			e.handle(req, &ans)
			if gone {
				m.Load(bytes.Repeat([]byte{'#'}, 2000))
				_ = m.ParseRequest(new(proto.Request))
				m.Load([]byte(`{"lyrics":"` + strings.Repeat(`\"`, 500) + `"}`))
				_ = m.ParseRequest(new(proto.Request))
			}
			fmt.Fprintf(&told, "%s%s%s%x\n", ans.Metadata, ans.Error, ans.Upload, ans.Summary)
		}
		telemetry := e.telemetry()
		telemetry.RequestTime, telemetry.Started = time.Time{}, time.Time{}
		if _, err := telemetry.WriteTo(&told); err != nil {
			t.Fatal(err)
		}
		return told.String()
	}
	want, got := tell(false), tell(true)
	for _, word := range []string{"hello", "e1", "singer 1", "other", "192.0.2.2", "la la", `"two"`} {
		if !strings.Contains(strings.ReplaceAll(want, `\"`, ""), word) {
			t.Errorf("the test tells nothing of %s:\n%s", word, want)
		}
	}
	if got != want {
		t.Errorf("the room tells\n%s\nand should\n%s", got, want)
	}
}
