package brigade

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"bucketbrigade/proto"
)

// told is telemetry as a reader sees it.
type told struct {
	RequestTime float64                              `json:"request_time"`
	Server      map[string]any                       `json:"server"`
	Clients     map[string]map[string]map[string]any `json:"clients"`
	state       map[string]any
}

func (r *room) telemetry() (t told) {
	r.t.Helper()
	snapshot := r.b.Telemetry(r.now)
	snapshot.Started, snapshot.RequestTime = time.Unix(1000, 0), time.Unix(1060, 250_000_000)
	snapshot.Version, snapshot.Branch = "abc", "main"
	var text bytes.Buffer
	if _, err := snapshot.WriteTo(&text); err != nil {
		r.t.Fatal(err)
	}
	d := json.NewDecoder(&text)
	d.UseNumber()
	if err := d.Decode(&t); err != nil {
		r.t.Fatal(err)
	}
	t.state = t.Server["state"].(map[string]any)
	return t
}

func keysOf(m map[string]any) string { return strings.Join(slices.Sorted(maps.Keys(m)), " ") }

// Operators' scripts know these keys.
func TestTelemetryKeys(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{ControlSecret: testSecret})
	empty := r.telemetry()
	if len(empty.Clients) != 0 || empty.state["last_request_clock"] != nil || empty.state["last_cleared_clock"] != nil {
		t.Errorf("of nobody: %+v", empty)
	}
	r.join(7, 30000, 0).ask(nil)
	got := r.telemetry()
	for _, c := range []struct{ what, got, want string }{
		{"server", keysOf(got.Server), "events n_connected_users queue_size server_branch server_clock server_sample_rate " +
			"server_startup_time server_uptime server_version state"},
		{"state", keysOf(got.state), "backing_track_index backing_track_type backing_volume bpm bpr disable_auto_gain " +
			"disable_song_video first_bucket global_volume image last_cleared_clock last_request_clock leader " +
			"leftover_beat_samples lyrics max_position repeats requested_track server_controlled song_end_clock song_start_clock"},
		{"client", keysOf(got.Clients["7"]["raw"]), "backing_volume client_address client_telemetry delay_samples in_spectator_mode " +
			"is_monitored is_monitoring last_heard_server_clock last_n_samples last_seen_read_clock last_seen_write_clock " +
			"last_write_clock mic_volume muted name rms_volume scaled_mic_volume to_send userid"},
	} {
		if c.got != c.want {
			t.Errorf("%s has the keys\n%s, want\n%s", c.what, c.got, c.want)
		}
	}
	if s := got.Server; got.RequestTime != 1060.25 || fmt.Sprintln(s["server_startup_time"], s["server_uptime"], s["server_version"], s["server_branch"],
		s["server_clock"], s["server_sample_rate"], s["n_connected_users"], s["queue_size"], s["events"]) !=
		fmt.Sprintln(1000, 60, "abc", "main", r.now, 48000, 1, 45000, []any{}) {
		t.Errorf("at %v: %v", got.RequestTime, s)
	}
}

func TestTelemetryTellsWhatThereIs(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{ControlSecret: testSecret, Tracks: trackMap{"t": make([]float32, 100000), "u": {1}}})
	lea, fay := r.join(1, 30000, 9000), r.join(2, 60000, 0)
	lea.addr = "192.0.2.7"
	fay.ask(params{"spectator": "1"})
	lea.ask(params{"request_lead": "1", "track": "t"})
	lea.ask(params{"mark_start_singing": "1", "disableAutoGain": "1", "bpr": "4", "rms_volume": "0.25", "muted": "1",
		"event_data": `[{"evid":"e","clock":12}]`, "chat": `["hi <all>"]`, "monitor": "1", "user_backing_volume": "0",
		"mic_volume": `[["1",0.5]]`, "client_telemetry": `{"a":[1],"big":123456789012345678901234567890}`})
	start := r.now
	r.pass(1000)
	lea.ask(params{"client_telemetry": `{"a":["two"]}`, "hear_monitor": "1", "track": "u"})
	got := r.telemetry()
	for _, c := range []struct {
		in   map[string]any
		key  string
		want any
	}{
		{got.state, "leader", "1"},
		{got.state, "requested_track", "u"},
		{got.state, "backing_track_index", 1000},
		{got.state, "backing_track_type", typeTrack},
		{got.state, "last_request_clock", start + 1000},
		{got.state, "last_cleared_clock", start + 1000},
		{got.state, "bpr", 4},
		{got.state, "global_volume", 1.2},
		{got.state, "image", nil},
		{got.state, "max_position", 9},
		{got.state, "disable_auto_gain", true},
		{got.state, "server_controlled", false},
		{got.Server, "events", `[map[clock:12 evid:e]]`},
		{got.Clients["1"]["raw"], "userid", "1"},
		{got.Clients["1"]["raw"], "name", "u1"},
		{got.Clients["1"]["raw"], "client_address", "192.0.2.7"},
		{got.Clients["1"]["raw"], "client_telemetry", "map[a:[1 two] big:123456789012345678901234567890]"},
		{got.Clients["1"]["raw"], "last_seen_read_clock", lea.read},
		{got.Clients["1"]["raw"], "last_write_clock", lea.write},
		{got.Clients["1"]["raw"], "last_n_samples", frame},
		{got.Clients["1"]["raw"], "delay_samples", r.now.Sub(lea.read)},
		{got.Clients["1"]["raw"], "mic_volume", 0.5},
		{got.Clients["1"]["raw"], "is_monitored", true},
		{got.Clients["1"]["raw"], "is_monitoring", true},
		{got.Clients["2"]["raw"], "in_spectator_mode", true},
		{got.Clients["2"]["raw"], "last_write_clock", nil},
		{got.Clients["2"]["raw"], "client_telemetry", "map[]"},
	} {
		if fmt.Sprint(c.in[c.key]) != fmt.Sprint(c.want) {
			t.Errorf("%s is %v, want %v", c.key, c.in[c.key], c.want)
		}
	}
	send := got.Clients["2"]["raw"]["to_send"].(map[string]any)
	if got := fmt.Sprintln(send["chats"], send["n_chats"], send["keys"], send["delay_seconds"]); got !=
		"[[u1 hi <all>]] 1 [bpr first_bucket lyrics image delay_seconds backing_track_type] 9\n" {
		t.Errorf("to_send: %s", got)
	}
	r.control(nil)
	if r.telemetry().state["server_controlled"] != true {
		t.Error("control is not told")
	}
}

// Asking changes nothing, and who is silent for less than an hour is there.
func TestTelemetryLeavesNoTrace(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{VideoToken: longToken})
	ann := r.join(1, 30000, 0)
	r.join(2, 30000, 0).ask(nil)
	ann.ask(params{"chat": `["a"]`})
	r.pass(10 * proto.UserInactive)
	before := r.digest()
	got := r.telemetry()
	if r.digest() != before {
		t.Error("left a trace")
	}
	if len(got.Clients) != 2 || fmt.Sprint(got.Server["n_connected_users"]) != "0" {
		t.Errorf("%d users, %v connected", len(got.Clients), got.Server["n_connected_users"])
	}
}

func TestTelemetryIsACopy(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	ann, bob := r.join(1, 30000, 0), r.join(2, 30000, 0)
	bob.ask(nil)
	ann.ask(params{"chat": `["a","b"]`, "event_data": `[{"evid":1,"clock":1}]`, "client_telemetry": `{"a":[1]}`})
	snapshot := r.b.Telemetry(r.now)
	var before, after bytes.Buffer
	if _, err := snapshot.WriteTo(&before); err != nil {
		t.Fatal(err)
	}
	bob.ask(params{"chat": `["c"]`, "event_data": `[{"evid":1,"clock":9}]`})
	ann.ask(params{"client_telemetry": `{"a":[2]}`, "clear_events": "1"})
	r.join(3, 30000, 0).ask(params{"event_data": `[{"evid":2,"clock":2}]`})
	if _, err := snapshot.WriteTo(&after); err != nil || !bytes.Equal(before.Bytes(), after.Bytes()) {
		t.Errorf("it changed: %v\n%s\n%s", err, &before, &after)
	}
}

func TestTelemetryTellsNoSecret(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{ControlSecret: testSecret, VideoToken: longToken})
	ann := r.join(1, 30000, 0)
	ann.session, ann.addr = "cookie:0123456789", "192.0.2.1"
	req := ann.request(frame, 0, params{"secret": testSecret})
	r.must(req)
	ann.done(frame)
	r.b.users.byID[1].untell() // the token waits
	r.control(nil)
	snapshot := r.b.Telemetry(r.now)
	var text bytes.Buffer
	if _, err := snapshot.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "twilio_token") {
		t.Error("it is not told that a token waits")
	}
	held := text.String() + fmt.Sprintf("%+v", *snapshot)
	for _, secret := range []string{"tttttt", "cookie", "0123456789", testSecret} {
		if strings.Contains(held, secret) {
			t.Errorf("holds %s", secret)
		}
	}
}

func TestTelemetryIsBounded(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	ann, bob := r.join(1, 300000, 0), r.join(2, 300000, 0)
	bob.addr = strings.Repeat("a", 63) + "é" // a character across the bound
	bob.ask(params{"client_telemetry": `{"a":"` + strings.Repeat("b", 4000) + `"}`})
	for i := range 30 {
		ann.ask(params{"chat": chatsJSON(fmt.Sprint(i)), "client_telemetry": `{"c":[1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0]}`})
	}
	raw := r.telemetry().Clients["2"]["raw"]
	send := raw["to_send"].(map[string]any)
	if chats := send["chats"].([]any); len(chats) != toldChats || fmt.Sprint(send["n_chats"]) != "30" || fmt.Sprint(chats[toldChats-1]) != "[u1 29]" {
		t.Errorf("%v chats: %v", send["n_chats"], chats)
	}
	if raw["client_address"] != strings.Repeat("a", 63) {
		t.Errorf("address %v", raw["client_address"])
	}
	if kept := r.b.users.byID[2].telemetry; len(kept) < 4000 {
		t.Errorf("kept %s", kept)
	}
	bob.ask(params{"client_telemetry": `{"d":"` + strings.Repeat("e", 200) + `"}`})
	if kept := r.b.users.byID[2].telemetry; len(kept) > 300 || !bytes.HasPrefix(kept, []byte(`{"d":`)) {
		t.Errorf("kept %s, want the newest alone", kept)
	}
}

// A repeated request is not merged twice.
func TestTelemetryOfAgain(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	r.join(1, 30000, 0).twice(params{"client_telemetry": `{"a":[1]}`})
	if kept := string(r.b.users.byID[1].telemetry); kept != `{"a":[1]}` {
		t.Errorf("kept %s", kept)
	}
}

// fullAfter takes n bytes.
type fullAfter struct{ n int }

func (f *fullAfter) Write(p []byte) (int, error) {
	if f.n -= len(p); f.n < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestTelemetryStopsWithItsReader(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	for i := range 300 {
		r.join(proto.UserID(i), 30000, 0).ask(nil)
	}
	for _, n := range []int{0, 70_000} {
		if _, err := r.b.Telemetry(r.now).WriteTo(&fullAfter{n}); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

// BenchmarkTelemetry: copy is what the brigade's owner does, write what the
// reader does.
func BenchmarkTelemetry(b *testing.B) {
	for _, people := range []int{60, 2000, 8000} {
		r := &room{t: b, b: New(Config{MaxUsers: 2000}), now: epoch}
		for i := range people {
			if i%2000 == 0 {
				r.pass(proto.UserInactive)
			}
			r.join(proto.UserID(1e10+i), 3*proto.SampleRate, 0).ask(params{"chat": `["la la la"]`})
		}
		b.Run(fmt.Sprint("copy/", people), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.b.Telemetry(r.now)
			}
		})
		snapshot := r.b.Telemetry(r.now)
		b.Run(fmt.Sprint("write/", people), func(b *testing.B) {
			for b.Loop() {
				n, err := snapshot.WriteTo(io.Discard)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(n)
			}
		})
	}
}
