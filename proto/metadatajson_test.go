package proto_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"bucketbrigade/proto"
)

// oddTexts hold what JSON has to escape, or might.
var oddTexts = []string{
	"", "Ann", `say "hi"`, `back\slash`, "tab\tnewline\n", "\x00\x1f\x7f~", "<b>&amp;</b>", "Zoë ♪ \U0001F3B6",
	"\u2028\u2029", "broken \xff\xc3", "ends with \\", "12345678901234567890",
}

// drawnMetadata is metadata that may lack, or have, anything.
func drawnMetadata(rng *rand.Rand) *proto.Metadata {
	text := func() string { return oddTexts[rng.IntN(len(oddTexts))] }
	number := func() int64 { return []int64{0, 1, -1, 48000, math.MaxInt64, math.MinInt64, rng.Int64()}[rng.IntN(7)] }
	clock := func() proto.Clock { return proto.Clock(number()) }
	float := func() float64 {
		return []float64{0, math.Copysign(0, -1), 1, -1, 45000, 0.1, 1e-7, 1e20, 1e21, 1 << 53, rng.ExpFloat64()}[rng.IntN(11)]
	}
	m := &proto.Metadata{
		ServerClock: clock(), ServerSampleRate: int(number()), LastRequestClock: clock(), ClientReadClock: clock(),
		SongEndClock: clock(), SongStartClock: clock(), Samples: int(number()), ConnectedUsers: int(number()),
		QueueSize: float(), PeopleHeard: int(number()),
		ClientWriteClock: drawnIf(rng, clock()), Leader: drawnIf(rng, text()),
		News: proto.News{
			BPM: drawnIf(rng, int(number())), Repeats: drawnIf(rng, int(number())), BPR: drawnIf(rng, int(number())),
			FirstBucket: drawnIf(rng, int(number())), GlobalVolume: drawnIf(rng, float()), BackingVolume: drawnIf(rng, float()),
			DisableSongVideo: drawnIf(rng, rng.IntN(2) == 0), Lyrics: drawnIf(rng, text()), Image: drawnIf(rng, text()),
			TwilioToken: drawnIf(rng, text()), DelaySeconds: drawnIf(rng, int(number())), BackingTrackType: drawnIf(rng, text()),
			Tracks: drawnIf(rng, []string{text(), text()}),
		},
	}
	if rng.IntN(3) > 0 {
		m.Events, m.Chats = []proto.Event{}, []proto.Chat{}
	}
	for range rng.IntN(3) {
		id := []json.RawMessage{nil, json.RawMessage(`"a<b"`), json.RawMessage("17"), json.RawMessage("null")}[rng.IntN(4)]
		m.Events = append(m.Events, proto.Event{id, clock()})
		m.Chats = append(m.Chats, proto.Chat{text(), text()})
	}
	return m
}

// drawnIf gives v half of the times.
func drawnIf[T any](rng *rand.Rand, v T) *T {
	if rng.IntN(2) == 0 {
		return nil
	}
	return &v
}

// Written by hand it is what encoding/json writes.
func TestMetadataJSON(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 20000 {
		m := drawnMetadata(rng)
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		if err := e.Encode(m); err != nil {
			t.Fatal(err)
		}
		if got := string(proto.AppendMetadataJSON([]byte("before"), m)); got+"\n" != "before"+want.String() {
			t.Fatalf("%d: got\n%s, want\n%s", i, got, want.String())
		}
	}
}

// Every answer has this much.
func TestUsualMetadataAllocatesNothing(t *testing.T) {
	m := proto.Metadata{
		ServerClock: 86_400_000_028_800, ServerSampleRate: proto.SampleRate, ClientWriteClock: new(proto.Clock(5)), QueueSize: 45000,
		Events: []proto.Event{{json.RawMessage(`"verse 2"`), 7}}, Chats: []proto.Chat{}, Leader: new("18446744073709551615"),
	}
	dst := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { dst = proto.AppendMetadataJSON(dst[:0], &m) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func ExampleAppendMetadataJSON() {
	m := proto.Metadata{
		ServerClock: 960000, ServerSampleRate: proto.SampleRate, ClientReadClock: 816000, QueueSize: 45000, Samples: 28800,
		Events: []proto.Event{}, Chats: []proto.Chat{{"Ann", "hello"}}, News: proto.News{BPM: new(120)},
	}
	fmt.Println(string(proto.AppendMetadataJSON(nil, &m)))
	// Output:
	// {"server_clock":960000,"server_sample_rate":48000,"last_request_clock":0,"client_read_clock":816000,"client_write_clock":null,"song_end_clock":0,"song_start_clock":0,"n_samples":28800,"n_connected_users":0,"queue_size":45000,"events":[],"leader":null,"n_people_heard":0,"chats":[["Ann","hello"]],"bpm":120}
}
