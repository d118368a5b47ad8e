package proto_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"bucketbrigade/proto"
)

func TestParseQueryEmpty(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"", "userid=&read_clock=&n_samples=&username=&bpm=&volume=&chat=&muted=", "unknown=1&RMS=2"} {
		q, err := proto.ParseQuery(query)
		if err != nil || !reflect.DeepEqual(q, proto.Query{}) {
			t.Errorf("%q: %+v, %v", query, q, err)
		}
	}
}

// TestParseQueryWhole reads one query with everything in it, written as the web
// client writes it.
func TestParseQueryWhole(t *testing.T) {
	t.Parallel()
	const query = "read_clock=86400000028800&write_clock=86399999968800&n_samples=28800&userid=12345678901" +
		"&reset_user_state=true&muted=1&user_summary=1&spectator=1&hear_monitor=1&begin_monitor=1&loopback=true" +
		"&monitor=7&unmonitor=18446744073709551615&request_lead=1&mark_start_singing=1&mark_stop_singing=1" +
		"&track=User+Upload&image=upload&bpm=120&repeats=2&bpr=16&volume=1.2&backing_volume=0.5&user_backing_volume=1.6" +
		"&mic_volume=%5B%5B%227%22%2C1.5%5D%2C%5B%228%22%2C9%5D%2C%5B%229%22%2C-1%5D%5D&chat=%5B%22la%22%2C%22%C3%A9%22%5D" +
		"&event_data=%5B%7B%22evid%22%3A+%22e1%22%2C+%22clock%22%3A+12%7D%5D&clear_events=1&disableAutoGain=1" +
		"&disableSongVideo=0&client_telemetry=%7B%22a%22%3A+%5B1%5D%7D&secret=s3&json_len=17&rms_volume=0.25&username=Ann+B"
	seven, most := proto.UserID(7), proto.UserID(math.MaxUint64)
	want := proto.Query{
		HasUser: true, User: 12345678901, Name: "Ann B",
		HasRead: true, Read: 86400000028800, HasWrite: true, Write: 86399999968800, Samples: 28800,
		JSONLen: 17, HasJSONLen: true,
		Reset: true, Summary: true, Muted: true, Spectator: true, HearMonitor: true, Loopback: true,
		Monitor: &seven, Unmonitor: &most, BeginMonitor: true,
		RequestLead: true, Start: true, Stop: true, Track: "User Upload", Image: true,
		BPM: new(120), Repeats: new(2), BPR: new(16),
		Volume: new(1.2), BackingVolume: new(0.5), UserBackingVolume: new(1.6),
		MicVolumes:  []proto.MicVolume{{User: 7, Volume: 1.5}, {User: 8, Volume: 2}, {User: 9, Volume: 0}},
		Chats:       []string{"la", "\u00e9"},
		Events:      []proto.Event{{ID: json.RawMessage(`"e1"`), Clock: 12}},
		ClearEvents: true, DisableAutoGain: new(true), DisableSongVideo: new(false),
		Telemetry: json.RawMessage(`{"a":[1]}`), Secret: "s3", RMS: 0.25,
	}
	got, err := proto.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		name := g.Type().Field(i).Name
		if !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
			t.Errorf("%s is %#v, want %#v", name, g.Field(i).Interface(), w.Field(i).Interface())
		}
		if name != "Status" && w.Field(i).IsZero() {
			t.Errorf("%s is not tested", name)
		}
	}
}

func TestParseQueryFlags(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		query string
		get   func(q *proto.Query) bool
		want  bool
	}{
		{"action=status", func(q *proto.Query) bool { return q.Status }, true},
		{"muted=1", func(q *proto.Query) bool { return q.Muted }, true},
		{"muted=true", func(q *proto.Query) bool { return q.Muted }, false},
		{"muted=0", func(q *proto.Query) bool { return q.Muted }, false},
		{"loopback=true", func(q *proto.Query) bool { return q.Loopback }, true},
		{"loopback=1", func(q *proto.Query) bool { return q.Loopback }, false},
		// Truthy is what is present and not empty.
		{"spectator=0", func(q *proto.Query) bool { return q.Spectator }, true},
		{"spectator=", func(q *proto.Query) bool { return q.Spectator }, false},
		{"reset_user_state=false", func(q *proto.Query) bool { return q.Reset }, true},
		{"user_summary=+", func(q *proto.Query) bool { return q.Summary }, true},
		{"mark_stop_singing=1", func(q *proto.Query) bool { return q.Start }, false},
		{"disableAutoGain=1", func(q *proto.Query) bool { return *q.DisableAutoGain }, true},
		{"disableAutoGain=0", func(q *proto.Query) bool { return *q.DisableAutoGain }, false},
		{"disableSongVideo=true", func(q *proto.Query) bool { return *q.DisableSongVideo }, false},
		{"disableSongVideo=", func(q *proto.Query) bool { return q.DisableSongVideo != nil }, false},
	} {
		q, err := proto.ParseQuery(c.query)
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
		} else if got := c.get(&q); got != c.want {
			t.Errorf("%s: %t, want %t", c.query, got, c.want)
		}
	}
}

// TestParseQueryIntegers goes through every integer: at its limits, beside
// them, and in all ways of writing one.
func TestParseQueryIntegers(t *testing.T) {
	t.Parallel()
	intp := func(p *int) int64 {
		if p == nil {
			return -1
		}
		return int64(*p)
	}
	for _, c := range []struct {
		key    string
		lo, hi int64
		step   int64
		get    func(q *proto.Query) int64
	}{
		{"read_clock", 0, 1 << 60, 1, func(q *proto.Query) int64 { return int64(q.Read) }},
		{"write_clock", 0, 1 << 60, 1, func(q *proto.Query) int64 { return int64(q.Write) }},
		{"n_samples", 0, 48960, 2880, func(q *proto.Query) int64 { return int64(q.Samples) }},
		{"json_len", 0, 256 << 10, 1, func(q *proto.Query) int64 { return int64(q.JSONLen) }},
		{"bpm", 0, 500, 1, func(q *proto.Query) int64 { return intp(q.BPM) }},
		{"repeats", 0, 20, 1, func(q *proto.Query) int64 { return intp(q.Repeats) }},
		{"bpr", 0, 500, 1, func(q *proto.Query) int64 { return intp(q.BPR) }},
	} {
		for _, n := range []int64{c.lo, c.lo + c.step, c.hi - c.step, c.hi} {
			for _, form := range []string{"%d", "+%d+", "%%2B%d", "%%20%d", "%%09%d%%0A", "0_0%d"} {
				query := c.key + "=" + fmt.Sprintf(form, n)
				q, err := proto.ParseQuery(query)
				if err != nil {
					t.Errorf("%s: %v", query, err)
				} else if got := c.get(&q); got != n {
					t.Errorf("%s: %d, want %d", query, got, n)
				}
			}
		}
		for _, n := range []int64{c.lo - 1, c.lo - c.step, c.hi + 1, c.hi + c.step, math.MaxInt64, math.MinInt64} {
			_, err := proto.ParseQuery(fmt.Sprintf("%s=%d", c.key, n))
			wantRefusal(t, fmt.Sprintf("%s=%d", c.key, n), err, 400, fmt.Sprint(n))
		}
		for _, s := range []string{
			"x", "1x", "x1", "1.0", "1e2", "0x1", "1_", "_1", "1__0", "_", "+", "%2B", "-", "--1", "-+1", "1+1", "nan", "inf", "%00",
			"%D9%A1", "true", "9223372036854775808", "-9223372036854775809", strings.Repeat("9", 100),
		} {
			_, err := proto.ParseQuery(c.key + "=" + s)
			wantRefusal(t, c.key+"="+s, err, 400, c.key)
		}
	}
	_, err := proto.ParseQuery("n_samples=2881")
	wantRefusal(t, "n_samples=2881", err, 400, "multiple of 2880")
}

func TestParseQueryVolumes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key   string
		hi    float64
		above string
		get   func(q *proto.Query) float64
	}{
		{"volume", 2, "2.0000001", func(q *proto.Query) float64 { return *q.Volume }},
		{"backing_volume", 2, "2.0000001", func(q *proto.Query) float64 { return *q.BackingVolume }},
		{"user_backing_volume", 2, "2.0000001", func(q *proto.Query) float64 { return *q.UserBackingVolume }},
		{"rms_volume", 1000, "1000.001", func(q *proto.Query) float64 { return q.RMS }},
	} {
		for s, want := range map[string]float64{
			"0": 0, "0.0": 0, "-0": 0, "1e-320": 1e-320, "1e-999": 0, "1": 1, ".5": 0.5, "1.": 1, "1.5e0": 1.5, "+1.25+": 1.25,
			fmt.Sprint(c.hi): c.hi, fmt.Sprint(math.Nextafter(c.hi, 0)): math.Nextafter(c.hi, 0),
		} {
			q, err := proto.ParseQuery(c.key + "=" + s)
			if err != nil {
				t.Errorf("%s=%s: %v", c.key, s, err)
			} else if got := c.get(&q); got != want {
				t.Errorf("%s=%s: %g, want %g", c.key, s, got, want)
			}
		}
		for _, s := range []string{
			c.above, "-0.0001", "-1", "nan", "NaN", "inf", "-inf", "Infinity", "1e309", "-1e309", "loud", "1,5", "1+1", "+", "%00", "0.5.5",
		} {
			_, err := proto.ParseQuery(c.key + "=" + s)
			wantRefusal(t, c.key+"="+s, err, 400, c.key)
		}
		_, err := proto.ParseQuery(c.key + "=" + c.above)
		wantRefusal(t, c.key+"="+c.above, err, 400, c.above)
	}
	_, err := proto.ParseQuery("volume=1e400")
	wantRefusal(t, "volume=1e400", err, 400, "0..2")
}

func TestParseQueryWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what, query string
		code        int
		names       string
	}{
		{"name below", "username=" + strings.Repeat("n", 63), 0, ""},
		{"name at", "username=" + strings.Repeat("n", 64), 0, ""},
		{"name at, 4 bytes each", "username=" + strings.Repeat("%F0%9F%8E%B5", 64), 0, ""},
		{"name above", "username=" + strings.Repeat("n", 65), 413, "65"},
		{"track below", "track=" + strings.Repeat("t", 254), 0, ""},
		{"track at", "track=" + strings.Repeat("t", 255), 0, ""},
		{"track above", "track=" + strings.Repeat("t", 256), 413, "256"},
		{"track above in bytes only", "track=" + strings.Repeat("%C3%A9", 128), 413, "256"},
		{"status", "action=status&username=ann", 0, ""},
		{"status with a user", "action=status&userid=123", 400, "123"},
		{"other action", "action=Status", 400, "Status"},
		{"monitor most", "monitor=18446744073709551615", 0, ""},
		{"monitor above", "monitor=18446744073709551616", 400, "18446744073709551616"},
		{"unmonitor no number", "unmonitor=ann", 400, "unmonitor"},
		{"userid no number", "userid=ann", 400, "userid"},
		{"long value is cut", "userid=" + strings.Repeat("a", 61), 400, strings.Repeat("a", 60) + `"...`},
	} {
		_, err := proto.ParseQuery(c.query)
		wantRefusal(t, c.what, err, c.code, c.names)
	}
}

// checkQuery reports what in q lies outside the limits.
func checkQuery(q *proto.Query) (faults []string) {
	check := func(ok bool, what string, value any) {
		if !ok {
			faults = append(faults, fmt.Sprintf("%s = %v", what, value))
		}
	}
	between := func(what string, x, lo, hi float64) { check(x >= lo && x <= hi, what, x) }
	between("read_clock", float64(q.Read), 0, 1<<60)
	between("write_clock", float64(q.Write), 0, 1<<60)
	between("n_samples", float64(q.Samples), 0, proto.MaxSamples)
	check(q.Samples%proto.FrameSamples == 0, "n_samples", q.Samples)
	between("json_len", float64(q.JSONLen), 0, proto.MaxBodyBytes)
	between("rms_volume", q.RMS, 0, proto.MaxLevel)
	for i, p := range []*int{q.BPM, q.Repeats, q.BPR} {
		if p != nil {
			between([]string{"bpm", "repeats", "bpr"}[i], float64(*p), 0, []float64{500, 20, 500}[i])
		}
	}
	for _, p := range []*float64{q.Volume, q.BackingVolume, q.UserBackingVolume} {
		if p != nil {
			between("volume", *p, 0, 2)
		}
	}
	between("mic_volumes", float64(len(q.MicVolumes)), 0, proto.MaxMicVolumes)
	for _, m := range q.MicVolumes {
		between("mic_volume", m.Volume, 0, 2)
	}
	between("chats", float64(len(q.Chats)), 0, 10)
	for _, c := range q.Chats {
		check(utf8.ValidString(c) && utf8.RuneCountInString(c) <= 500, "chat", c)
	}
	between("events", float64(len(q.Events)), 0, 64)
	for _, e := range q.Events {
		between("event clock", float64(e.Clock), -1<<60, 1<<60)
		check(json.Valid(e.ID) && len(e.ID) <= 256 && e.ID[0] != '{' && e.ID[0] != '[', "evid", string(e.ID))
	}
	check(utf8.ValidString(q.Name) && utf8.RuneCountInString(q.Name) <= 64, "username", q.Name)
	check(utf8.ValidString(q.Track) && len(q.Track) <= 255, "track", q.Track)
	check(q.Telemetry == nil || json.Valid(q.Telemetry) && q.Telemetry[0] == '{' && len(q.Telemetry) <= 4096,
		"client_telemetry", string(q.Telemetry))
	check(!q.Status || !q.HasUser, "status with userid", q.User)
	_, err := json.Marshal(q) // fails for what is not finite
	check(err == nil, "not finite", err)
	return faults
}

func FuzzParseQuery(f *testing.F) {
	for _, key := range []string{
		"volume=nan", "backing_volume=inf", "user_backing_volume=1e999", "rms_volume=-1", "mic_volume=[[\"1\",1e999]]",
		"userid=007", "read_clock=-1", "n_samples=2881", "bpm=501", "muted=1&action=status",
		"chat=" + url.QueryEscape(`["a","\ud800"]`), "event_data=" + url.QueryEscape(`[{"evid": null ,"clock":-3}]`),
		"client_telemetry=" + url.QueryEscape(` {"a":{"b":[]}}`),
		"userid=1&read_clock=86400000000000&write_clock=86399999900000&n_samples=28800&mic_volume=[[\"2\",0.5]]&bpr=4&repeats=2",
	} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, query string) {
		q, err := proto.ParseQuery(query)
		if err != nil {
			if r := proto.AsRefusal(err); r.Code < 400 || r.Code >= 500 || len(r.Reason) > 2000 {
				t.Errorf("refused with %d and %d bytes: %s", r.Code, len(r.Reason), r.Reason)
			}
			if !reflect.DeepEqual(q, proto.Query{}) {
				t.Errorf("refused, yet it gives %+v", q)
			}
			return
		}
		for _, fault := range checkQuery(&q) {
			t.Error(fault)
		}
	})
}
