package brigade

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"bucketbrigade/proto"
)

const testSecret = "the conductor's word"

// conduct is a request without userid.
func conduct(p params) *proto.Request {
	v := url.Values{}
	for k, val := range p {
		v.Set(k, val)
	}
	return &proto.Request{QueryString: v.Encode(), ControlSecret: testSecret}
}

// control sends a request without userid that has to be carried out.
func (r *room) control(p params) proto.ControlAnswer {
	r.t.Helper()
	return r.mustControl(conduct(p))
}

func (r *room) mustControl(req *proto.Request) (a proto.ControlAnswer) {
	r.t.Helper()
	if ref := r.try(req); ref != nil {
		r.t.Fatalf("refused: %d %s\n%.300s", ref.Code, ref.Reason, req.QueryString)
	}
	if err := json.Unmarshal([]byte(r.ans.Metadata), &a); err != nil {
		r.t.Fatalf("answer %q: %v", r.ans.Metadata, err)
	}
	if len(r.ans.Summary) != 0 || r.b.Samples() != 0 || r.ans.Span != nil {
		r.t.Fatalf("the answer to control has more than its JSON: %+v", r.ans)
	}
	return a
}

func controlledRoom(t reporter) *room { return newRoom(t, Config{ControlSecret: testSecret}) }

func TestOnlyTheSecretControls(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		config string
		sent   string // with the message
		query  string
		code   int
		says   string
	}{
		{"off", "", testSecret, "secret=" + url.QueryEscape(testSecret), 400, "userid"},
		{"off, no secret", "", "", "", 400, "userid"},
		{"none", testSecret, "", "", 403, "no secret"},
		{"empty", testSecret, "", "secret=", 403, "no secret"},
		{"wrong", testSecret, "the conductor's wore", "", 403, "not the secret"},
		{"its beginning", testSecret, testSecret[:19], "", 403, "not the secret"},
		{"more of it", testSecret, testSecret + " ", "", 403, "not the secret"},
		{"wrong in the query", testSecret, "", "secret=something+longer", 403, "not the secret"},
		{"long", testSecret, "", "secret=" + strings.Repeat("x", 10000), 403, "not the secret"},
		{"wrong beside a right one in the query", testSecret, "wrong", "secret=" + url.QueryEscape(testSecret), 403, "not the secret"},
		{"right", testSecret, testSecret, "", 0, ""},
		{"right in the query", testSecret, "", "secret=" + url.QueryEscape(testSecret), 0, ""},
		{"right beside a wrong one in the query", testSecret, testSecret, "secret=wrong", 0, ""},
	} {
		r := newRoom(t, Config{ControlSecret: proto.Secret(c.config)})
		ann := r.join(1, 30000, 0)
		ann.ask(nil)
		r.pass(100)
		before := r.digest()
		ref := r.try(&proto.Request{
			QueryString: strings.TrimPrefix(c.query+"&chat=%5B%22hi%22%5D", "&"), ControlSecret: proto.Secret(c.sent),
		})
		if code := codeOf(ref); code != c.code || ref != nil && !strings.Contains(ref.Reason, c.says) {
			t.Errorf("%s: %+v, want %d that says %q", c.name, ref, c.code, c.says)
		}
		if ref != nil && r.digest() != before {
			t.Errorf("%s: left a trace", c.name)
		}
		if ref != nil && strings.Contains(ref.Reason, testSecret) {
			t.Errorf("%s: the reason tells the secret: %s", c.name, ref.Reason)
		}
		if n := len(ann.ask(nil).Chats); n != 0 != (c.code == 0) {
			t.Errorf("%s: %d chats", c.name, n)
		}
	}
}

// A control request at fault is refused whole, like a singer's.
func TestControlRefusedWithoutTrace(t *testing.T) {
	t.Parallel()
	lyrics := "la"
	for _, c := range []struct {
		name string
		code int
		p    params
		edit func(*proto.Request)
	}{
		{"second chat no string", 400, params{"chat": `["a",1]`}, nil},
		{"eleven chats", 429, params{"chat": `["1","2","3","4","5","6","7","8","9","10","11"]`}, nil},
		{"NaN", 400, params{"volume": "nan"}, nil},
		{"bpm", 400, params{"bpm": "501"}, nil},
		{"event", 400, params{"event_data": `[{}]`}, nil},
		{"n_samples", 400, params{"n_samples": "2880"}, nil},
		{"audio", 400, nil, func(r *proto.Request) { r.PCM = make([]float32, frame) }},
		{"lyrics", 400, nil, func(r *proto.Request) { r.Lyrics = &lyrics }},
		{"nonce", 413, nil, func(r *proto.Request) { r.Nonce = strings.Repeat("n", 33) }},
		{"no query", 400, nil, func(r *proto.Request) { r.QueryString += "&x" }},
	} {
		r := controlledRoom(t)
		r.join(1, 30000, 0).ask(params{"request_lead": "1"})
		r.pass(100)
		p := params{"mark_start_singing": "1", "disableAutoGain": "1", "mic_volume": `[["1",2]]`}
		for k, v := range c.p {
			p[k] = v
		}
		req := conduct(p)
		if c.edit != nil {
			c.edit(req)
		}
		before := r.digest()
		if ref := r.try(req); codeOf(ref) != c.code || r.digest() != before {
			t.Errorf("%s: %+v, want %d and no trace", c.name, ref, c.code)
		}
	}
}

func TestControlAnswer(t *testing.T) {
	t.Parallel()
	r := controlledRoom(t)
	lea := r.join(1, 30000, 0)
	lea.ask(params{"request_lead": "1"})
	r.join(2, 60000, 0).ask(nil)
	asked := r.now
	r.pass(100)
	r.control(params{"event_data": `[{"evid":"e","clock":5}]`})
	want := fmt.Sprintf(`{"server_clock":%d,"server_sample_rate":48000,"song_end_clock":0,"song_start_clock":0,`+
		`"last_request_clock":%d,"n_connected_users":2,"queue_size":45000,"events":[{"evid":"e","clock":5}],"leader":"1"}`,
		r.now, asked)
	if r.ans.Metadata != want {
		t.Errorf("got  %s\nwant %s", r.ans.Metadata, want)
	}
	r.pass(50)
	if a := r.control(nil); a.LastRequestClock != r.now-50 {
		t.Errorf("last_request_clock %d, want that of the control request before, %d", a.LastRequestClock, r.now-50)
	}
	if m := lea.ask(nil); m.LastRequestClock != r.now {
		t.Errorf("a singer is told last_request_clock %d, want %d", m.LastRequestClock, r.now)
	}
}

func TestControlOfARoomWithoutAnybody(t *testing.T) {
	t.Parallel()
	r := controlledRoom(t)
	a := r.control(params{"mark_start_singing": "1"})
	if a.LastRequestClock != r.now || a.SongStartClock != r.now || a.ConnectedUsers != 0 || a.Leader != nil {
		t.Errorf("%+v at %d", a, r.now)
	}
}

// Everything that control can do, one request each.
func TestControlOperates(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{ControlSecret: testSecret, Tracks: trackMap{"t": {1, 1}}})
	lea, fay := r.join(1, 60000, 9000), r.join(2, 90000, 9000)
	fay.ask(nil)
	lea.ask(params{"request_lead": "1"})
	fay.ask(nil)
	r.pass(frame)
	at := r.now
	if a := r.control(params{"mark_start_singing": "1", "chat": `["all rise","please"]`}); a.SongStartClock != at || a.SongEndClock != 0 {
		t.Errorf("started %+v, want at %d", a, at)
	}
	want := []proto.Chat{{"[ANNOUNCEMENT]", "all rise"}, {"[ANNOUNCEMENT]", "please"}}
	for _, s := range []*singer{lea, fay} {
		if m := s.ask(nil); !slices.Equal(m.Chats, want) || m.SongStartClock != at || value(t, m.BackingTrackType) != "" {
			t.Errorf("singer %d was told %+v", s.id, m)
		}
	}
	r.pass(frame)
	if a := r.control(params{"mark_stop_singing": "1"}); a.SongEndClock != r.now || a.SongStartClock != at || a.Leader != nil {
		t.Errorf("stopped %+v, want at %d", a, r.now)
	}
	r.control(params{
		"volume": "0.5", "backing_volume": "2", "mic_volume": `[["1",0],["99",1]]`, "disableAutoGain": "1", "disableSongVideo": "1",
		"track": "t", "event_data": `[{"evid":1,"clock":2}]`,
	})
	m := lea.ask(nil)
	if m.GlobalVolume == nil || m.BackingVolume == nil || m.DisableSongVideo == nil || !*m.DisableSongVideo || len(m.Events) != 1 {
		t.Errorf("told %+v", m)
	}
	if !r.b.state.noAutoGain || r.b.users.byID[1].micGain != 0 || r.b.state.requestedTrack != "t" {
		t.Errorf("state %+v", r.b.state)
	}
	r.control(params{"clear_events": "1", "mark_start_singing": "1"})
	if m := lea.ask(nil); len(m.Events) != 0 || value(t, m.BackingTrackType) != typeTrack {
		t.Errorf("told %+v", m)
	}
}

// What is no special operation is not for control: it is ignored.
func TestControlLeavesTheRestAlone(t *testing.T) {
	t.Parallel()
	r := controlledRoom(t)
	ann := r.join(1, 30000, 0)
	ann.ask(params{"bpm": "90", "repeats": "2", "bpr": "4"})
	before := r.b.state
	r.control(params{
		"request_lead": "1", "bpm": "120", "repeats": "1", "bpr": "8", "image": "1", "monitor": "1", "begin_monitor": "1",
		"username": "boss", "read_clock": "5", "write_clock": "7", "reset_user_state": "1", "client_telemetry": "{}", "user_summary": "1",
	})
	if got := r.b.state; fmt.Sprint(got) != fmt.Sprint(before) || r.b.users.byID[1].soloed || len(r.b.users.byID) != 1 {
		t.Errorf("state %+v, was %+v", got, before)
	}
	for _, s := range []*singer{ann, r.join(2, 60000, 0)} {
		m := s.ask(params{"request_lead": "1", "bpm": "120", "repeats": "1", "bpr": "8"})
		if m.Leader != nil || r.b.state.bpm != 90 || r.b.state.repeats != 2 || r.b.state.bpr != 4 || m.DelaySeconds != nil {
			t.Errorf("singer %d under control: %+v", s.id, m)
		}
	}
	ann.ask(params{"mark_start_singing": "1"})
	if m := ann.ask(nil); m.SongStartClock == 0 {
		t.Error("a singer cannot start under control")
	}
}

func TestControlledRoomIsNotReset(t *testing.T) {
	t.Parallel()
	for _, tick := range []bool{false, true} {
		r := controlledRoom(t)
		r.join(1, 30000, 0).ask(params{"bpm": "90"})
		r.control(params{"volume": "0.5", "mark_start_singing": "1"})
		volume, start := r.b.state.globalVolume, r.b.state.songStart
		r.pass(10 * proto.UserInactive)
		if tick {
			r.b.Tick(r.now)
		}
		m := r.join(1, 30000, 0).ask(nil)
		if r.b.state.globalVolume != volume || m.SongStartClock != start || r.b.state.bpm != 90 {
			t.Errorf("tick %t: state %+v", tick, r.b.state)
		}
	}
}

// What a room is taken over with is what its last singers left, if nobody has
// noticed yet that they are gone.
func TestTakingOverResetsNothing(t *testing.T) {
	t.Parallel()
	r := controlledRoom(t)
	r.join(1, 30000, 0).ask(params{"bpm": "90"})
	r.pass(2 * proto.UserInactive)
	if r.control(nil); r.b.state.bpm != 90 {
		t.Errorf("bpm %d", r.b.state.bpm)
	}
}

// A request that a shard writes again after a new server came is not repeated
// if it was carried out, and is if it was not.
func TestControlAgain(t *testing.T) {
	t.Parallel()
	r := controlledRoom(t)
	ann := r.join(1, 30000, 0)
	ann.ask(nil)
	send := func(nonce string, again bool) proto.ControlAnswer {
		req := conduct(params{"mark_start_singing": "1", "chat": `["up"]`})
		req.Nonce, req.Again = nonce, again
		r.pass(10)
		return r.mustControl(req)
	}
	first := send("N1", false)
	if a := send("N1", true); a.SongStartClock != first.SongStartClock || a.ServerClock != first.ServerClock+10 || a.LastRequestClock != first.ServerClock {
		t.Errorf("again: %+v after %+v", a, first)
	}
	if n := len(ann.ask(nil).Chats); n != 1 {
		t.Errorf("announced %d times, want once", n)
	}
	for _, c := range []struct {
		nonce string
		again bool
	}{{"N2", true}, {"", true}, {"", true}, {"", false}, {"N3", false}} {
		if a := send(c.nonce, c.again); a.SongStartClock != r.now {
			t.Errorf("%+v was not carried out", c)
		}
	}
	for i := range doneNonces - 1 {
		send(fmt.Sprint("later ", i), false)
	}
	if a := send("N3", true); a.SongStartClock == r.now {
		t.Error("forgotten after as many as can be under way")
	}
	wrong := conduct(params{"mark_start_singing": "1"})
	wrong.Nonce, wrong.Again, wrong.ControlSecret = "N3", true, "something else by far"
	if ref := r.try(wrong); codeOf(ref) != 403 {
		t.Errorf("again without the secret: %v", ref)
	}
}

// With a userid a secret means nothing.
func TestASingerWithASecretIsASinger(t *testing.T) {
	t.Parallel()
	r := controlledRoom(t)
	ann := r.join(1, 30000, 0)
	req := ann.request(frame, 0, params{"secret": testSecret, "request_lead": "1", "bpm": "70"})
	req.ControlSecret = testSecret
	m := r.must(req)
	if value(t, m.Leader) != "1" || m.BPM == nil || *m.BPM != 70 || r.b.control.took {
		t.Errorf("%+v", m)
	}
}

func TestControlAnswerFits(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{ControlSecret: testSecret, JSONArea: proto.OldJSONArea})
	for i := range proto.MaxEvents {
		r.control(params{"event_data": fmt.Sprintf(`[{"evid":"%s%02d","clock":%d}]`, strings.Repeat(`\"`, 120), i, i)})
		r.checkFits(proto.OldJSONArea)
	}
	a := r.control(nil)
	if n := len(a.Events); n < 10 || n == proto.MaxEvents || a.Events[n-1].Clock != proto.MaxEvents-1 {
		t.Errorf("%d events told, want the newest, as many as fit", n)
	}
}

func TestControlSecretOutOfBoundsPanics(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, proto.MinSecretBytes - 1, proto.MaxSecretBytes + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a secret of %d bytes was taken", n)
				}
			}()
			newBrigade(Config{ControlSecret: proto.Secret(strings.Repeat("s", n))}, 1000)
		}()
	}
}
