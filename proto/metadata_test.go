package proto_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"bucketbrigade/proto"
)

func TestMetadataGolden(t *testing.T) {
	t.Parallel()
	plain := proto.Metadata{
		ServerClock: 86400000002880, ServerSampleRate: proto.SampleRate, LastRequestClock: 86400000000000,
		ClientReadClock: 86399999858880, Samples: 2880, ConnectedUsers: 2, QueueSize: 45000,
		Events: []proto.Event{}, PeopleHeard: -1, Chats: []proto.Chat{},
	}
	const plainJSON = `{"server_clock":86400000002880,"server_sample_rate":48000,"last_request_clock":86400000000000,` +
		`"client_read_clock":86399999858880,"client_write_clock":null,"song_end_clock":0,"song_start_clock":0,"n_samples":2880,` +
		`"n_connected_users":2,"queue_size":45000,"events":[],"leader":null,"n_people_heard":-1,"chats":[]`
	full := plain
	full.ClientWriteClock, full.Leader = new(proto.Clock(17)), new("123")
	full.Events = []proto.Event{{ID: json.RawMessage(`"e"`), Clock: 5}}
	full.Chats = []proto.Chat{{"ann", "la"}}
	full.News = proto.News{
		BPM: new(0), Repeats: new(0), BPR: new(0), Tracks: &[]string{}, FirstBucket: new(3), GlobalVolume: new(0.0),
		BackingVolume: new(1.5), DisableSongVideo: new(false), Lyrics: new(""), Image: new(""), TwilioToken: new("t"),
		DelaySeconds: new(6), BackingTrackType: new(""),
	}
	fullJSON := strings.NewReplacer(
		`"client_write_clock":null`, `"client_write_clock":17`, `"leader":null`, `"leader":"123"`,
		`"events":[]`, `"events":[{"evid":"e","clock":5}]`, `"chats":[]`, `"chats":[["ann","la"]]`,
	).Replace(plainJSON) + `,"bpm":0,"repeats":0,"bpr":0,"tracks":[],"first_bucket":3,"globalVolume":0,"backingVolume":1.5,` +
		`"disableSongVideo":false,"lyrics":"","image":"","twilio_token":"t","delay_seconds":6,"backing_track_type":""`
	for _, c := range []struct {
		name string
		data any
		want string
	}{
		{"plain", plain, plainJSON + "}"},
		{"everything new", full, fullJSON + "}"},
		{
			"clock header", proto.ClockHeader{ServerClock: 1, ServerSampleRate: 48000, ServerVersion: "v", ServerBranch: "main"},
			`{"server_clock":1,"server_sample_rate":48000,"server_version":"v","server_branch":"main"}`,
		},
		{"length header", proto.LengthHeader{MetadataLen: 300}, `{"metadata_len":300}`},
		{"refusal", proto.KillHeader{KillClient: true, Message: "no"}, `{"kill_client":true,"message":"no"}`},
		{"status", proto.Status{ConnectedUsers: 0, MaxUsers: 35}, `{"n_connected_users":0,"max_users":35}`},
		{"named status", proto.Status{MaxUsers: 35, InstanceName: "x"}, `{"n_connected_users":0,"max_users":35,"instance_name":"x"}`},
	} {
		got, err := json.Marshal(c.data)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%s, want\n%s", c.name, err, got, c.want)
		}
		if s, ok := c.data.(fmt.Stringer); ok && s.String() != c.want {
			t.Errorf("%s: as text %s, want %s", c.name, s, c.want)
		}
	}
}

// TestMetadataKeys guards against the one key that drives clients in the field
// mad, and against a one-shot key that is sent without news.
func TestMetadataKeys(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(proto.Metadata{})
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(b, &keys); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"server_clock", "server_sample_rate", "last_request_clock", "client_read_clock", "client_write_clock", "song_end_clock",
		"song_start_clock", "n_samples", "n_connected_users", "queue_size", "events", "leader", "n_people_heard", "chats",
	}
	for k := range keys {
		if !slices.Contains(want, k) {
			t.Errorf("key %s is always there", k)
		}
	}
	if len(keys) != len(want) {
		t.Errorf("%d keys, want %d", len(keys), len(want))
	}
}

func TestControlAnswerGolden(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(proto.ControlAnswer{
		ServerClock: 5, ServerSampleRate: proto.SampleRate, QueueSize: 45000, Events: []proto.Event{}, Leader: new("7"),
	})
	const want = `{"server_clock":5,"server_sample_rate":48000,"song_end_clock":0,"song_start_clock":0,"last_request_clock":0,` +
		`"n_connected_users":0,"queue_size":45000,"events":[],"leader":"7"}`
	if err != nil || string(b) != want {
		t.Errorf("%s, %v", b, err)
	}
}
