package brigade

import (
	"math"
	"net/http"
	"strings"
	"testing"

	"bucketbrigade/proto"
)

func str(c proto.Clock) string { return c.String() }

// Every kind of refusal leaves everything as it was, to the last sample, even
// after time has passed.
func TestRefusedWithoutTrace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		code int
		p    params
		edit func(*proto.Request)
	}{
		{"future read", 400, params{"read_clock": "future"}, nil},
		{"future write", 400, params{"write_clock": "future"}, nil},
		{"future write of a newcomer", 400, params{"userid": "77", "write_clock": "future"}, nil},
		{"negative read", 400, params{"read_clock": "-1"}, nil},
		{"read before the ring", 409, params{"read_clock": "past"}, nil},
		{"write before the ring", 409, params{"write_clock": "past", "userid": "77"}, nil},
		{"read gap", 409, params{"read_clock": "far"}, nil},
		{"write gap", 409, params{"write_clock": "far"}, nil},
		{"no read", 400, params{"read_clock": ""}, nil},
		{"no user", 400, params{"userid": ""}, nil},
		{"control, switched off", 400, params{"userid": "", "n_samples": "", "secret": testSecret}, func(r *proto.Request) { r.PCM = nil }},
		{"telemetry too long", 413, params{"client_telemetry": `{"a":"` + strings.Repeat("x", 4089) + `"}`}, nil},
		{"telemetry too deep", 400, params{"client_telemetry": strings.Repeat(`{"a":`, 16) + "[]" + strings.Repeat("}", 16)}, nil},
		{"a word for bpm", 400, params{"bpm": "fast", "chat": `["hi"]`}, nil},
		{"a newcomer, the room being full", 429, params{"userid": "77"}, nil},
		{"length differs", 400, params{"n_samples": "5760"}, nil},
		{"no audio", 400, params{"n_samples": ""}, func(r *proto.Request) { r.PCM = nil }},
		{"odd length", 400, params{"n_samples": ""}, func(r *proto.Request) { r.PCM = r.PCM[:100] }},
		{"too long", 400, params{"n_samples": ""}, func(r *proto.Request) {
			r.PCM = make([]float32, proto.MaxSamples+proto.FrameSamples)
		}},
		{"NaN", 400, nil, func(r *proto.Request) { r.PCM[17] = float32(math.NaN()) }},
		{"infinite", 400, nil, func(r *proto.Request) { r.PCM[0] = float32(math.Inf(-1)) }},
		{"another browser", 403, nil, func(r *proto.Request) { r.Session = "cookie:other" }},
		{"lyrics", 413, nil, func(r *proto.Request) { l := strings.Repeat("x", 9000); r.Lyrics = &l }},
		{"read_end after read_clock", 400, nil, func(r *proto.Request) { e := proto.Clock(math.MaxInt64); r.ReadEnd = &e }},
		{"read_end before the ring", 409, nil, func(r *proto.Request) { e := proto.Clock(0); r.ReadEnd = &e }},
		{"want in the future", 400, nil, func(r *proto.Request) { r.Want = &proto.Span{From: 1 << 59, To: 1<<59 + 2880} }},
		{"want before the ring", 409, nil, func(r *proto.Request) { r.Want = &proto.Span{From: 10, To: 2890} }},
		{"want too much", 400, nil, func(r *proto.Request) { r.Want = &proto.Span{From: 0, To: 1 << 59} }},
		{"want backwards", 400, nil, func(r *proto.Request) { r.Want = &proto.Span{From: 5, To: 4} }},
		{"again with other clocks", 409, params{"read_clock": "far"}, func(r *proto.Request) { r.Again = true }},
		{"session too long", 413, nil, func(r *proto.Request) { r.Session = proto.Session(strings.Repeat("s", 129)) }},
		{"unknown kind", 400, nil, func(r *proto.Request) { r.Kind = "dance" }},
		{"telemetry", 501, nil, func(r *proto.Request) { r.Kind = proto.KindTelemetry }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t, Config{MaxUsers: 3})
			lea, fay := r.join(1, 30000, 20000), r.join(2, 60000, 20000)
			lea.ask(params{"bpm": "120", "repeats": "1", "bpr": "1", "request_lead": "1"})
			fay.ask(nil)
			r.pass(frame)
			lea.sing(0.25, params{"mark_start_singing": "1", "monitor": "2"})
			fay.sing(0.25, params{"user_summary": "1"})
			r.pass(frame)
			if c.code == http.StatusTooManyRequests {
				r.join(3, 30000, 0).ask(nil)
			}
			future, past, far := r.now+1, r.now.Add(-r.b.ring.size+frame-1), lea.read.Add(frame+1)
			p := params{"chat": `["not said"]`, "volume": "2", "username": "else", "mark_start_singing": "1"}
			for k, v := range c.p {
				p[k] = strings.NewReplacer("future", str(future), "past", str(past), "far", str(far)).Replace(v)
			}
			if c.p["write_clock"] == "far" {
				p["write_clock"] = str(lea.write.Add(frame - 1))
			}
			if c.p["read_clock"] == "past" {
				p["userid"] = "2"
			}
			req := lea.request(frame, 0.5, p)
			if c.edit != nil {
				c.edit(req)
			}
			before := r.digest()
			ref := r.try(req)
			if ref == nil || ref.Code != c.code {
				t.Fatalf("got %+v, want a refusal with %d", ref, c.code)
			}
			if c.code == http.StatusConflict && strings.Contains(ref.Reason, "off the last") != strings.Contains(c.name, "gap") &&
				!strings.HasPrefix(c.name, "again") {
				t.Errorf("refused for another reason: %s", ref.Reason)
			}
			if r.digest() != before || r.b.Samples() != 0 || len(r.ans.Summary) != 0 {
				t.Errorf("%q left a trace", ref.Reason)
			}
			if m := lea.ask(nil); len(m.Chats) != 0 {
				t.Error("the next request of the singer is off")
			}
		})
	}
}

func TestUnknownRequestSaysSo(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	ref := r.try(&proto.Request{Kind: "x\ny"})
	if ref == nil || ref.Code != http.StatusBadRequest || !strings.HasPrefix(ref.Reason, "unknown request") {
		t.Errorf("got %+v", ref)
	}
}

func TestClockTouchesNothing(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	r.join(1, 30000, 0).ask(nil)
	before := r.digest()
	r.pass(1234)
	if ref := r.try(&proto.Request{Kind: proto.KindClock}); ref != nil || r.ans.Clock != r.now {
		t.Errorf("clock %v, %v; want %v", r.ans.Clock, ref, r.now)
	}
	if r.digest() != before {
		t.Error("asking for the clock left a trace")
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{MaxUsers: 9, InstanceName: `the "room"`})
	r.join(1, 30000, 0).ask(nil)
	r.pass(proto.UserInactive - 1)
	r.join(2, 30000, 0).ask(nil)
	r.pass(1) // now the first is silent for 5 s
	before := r.digest()
	if ref := r.try(&proto.Request{QueryString: "action=status"}); ref != nil {
		t.Fatal(ref)
	}
	want := `{"n_connected_users":1,"max_users":9,"instance_name":"the \"room\""}`
	if r.ans.Metadata != want || r.b.Samples() != 0 || r.digest() != before {
		t.Errorf("got %s, want %s and no trace", r.ans.Metadata, want)
	}
}
