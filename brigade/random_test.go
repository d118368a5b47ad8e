package brigade

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bucketbrigade/proto"
	"pgregory.net/rapid"
)

// values are what clients may send for each parameter, sane and otherwise.
var values = map[string][]string{
	"volume":              {"0", "1", "1.02", "2", "nan", "7", "inf"},
	"backing_volume":      {"0", "0.5", "2", "-1"},
	"user_backing_volume": {"0", "1.6", "2"},
	"mic_volume":          {`[["1",2]]`, `[["2",0]]`, `[["3",NaN]]`, `[["4",1e999]]`, `{"1":2}`, `[["99",1]]`},
	"bpm":                 {"0", "1", "90", "500", "501", "x"},
	"bpr":                 {"0", "1", "3", "500"},
	"repeats":             {"0", "1", "20", "21"},
	"chat":                {`["a"]`, `["b","\u2028"]`, `[1]`, `["1","2","3","4","5","6","7","8","9","10"]`},
	"event_data":          {`[{"evid":1,"clock":2}]`, `[{"evid":"x","clock":3},{"evid":null,"clock":4}]`, `no`, `[{}]`},
	"clear_events":        {"1"},
	"mark_start_singing":  {"1"},
	"mark_stop_singing":   {"1"},
	"request_lead":        {"1"},
	"image":               {"upload"},
	"track":               {"long", "short", "none"},
	"monitor":             {"1", "2", "99"},
	"unmonitor":           {"1", "2"},
	"hear_monitor":        {"1"},
	"begin_monitor":       {"1"},
	"spectator":           {"1"},
	"muted":               {"1", "0"},
	"loopback":            {"true"},
	"disableAutoGain":     {"1", "0"},
	"disableSongVideo":    {"1", "0"},
	"user_summary":        {"1"},
	"rms_volume":          {"0.1", "nan"},
	"username":            {"Zoë", "\x01\x02", "<b>"},
	"reset_user_state":    {"1"},
	"client_telemetry":    {`{"a":[1]}`, `{"a":{"b":1e999}}`, `{}`, `[]`},
	"secret":              {testSecret, "wrong"},
	"write_clock":         {"", "0", "86400000000000"},
	"read_clock":          {"", "0", "99999999999999999999"},
}

var valueKeys = func() []string {
	keys := make([]string, 0, len(values))
	for k := range values {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}()

const randomRingSeconds = 2

// TestRandomEvening lets a few clients, not all of them sane, do whatever they
// like, and looks after each step at everything that must hold.
func TestRandomEvening(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := newRoomOf(t, Config{
			MaxUsers: 3, JSONArea: proto.OldJSONArea, VideoToken: longToken,
			ControlSecret: rapid.SampledFrom([]proto.Secret{"", testSecret}).Draw(t, "control"),
			Tracks: trackMap{
				"long":  slices.Repeat([]float32{-1}, 100000),
				"short": slices.Repeat([]float32{0.5}, 1000),
			},
			Recorder: &tape{t: t, gaps: true}, Stems: rapid.IntRange(0, 9).Draw(t, "stems") == 0,
		}, randomRingSeconds)
		singers := map[int]*singer{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			r.pass(rapid.SampledFrom([]int{0, 0, 0, 1, frame, 2 * frame, 2 * proto.SampleRate, 6 * proto.SampleRate,
				proto.UserLifetime}).Draw(t, "pass"))
			if rapid.IntRange(0, 5).Draw(t, "tick") == 0 {
				r.b.Tick(r.now)
			}
			if rapid.IntRange(0, 7).Draw(t, "conductor") == 0 {
				randomControl(t, r)
				r.checkInvariants()
				continue
			}
			id := rapid.IntRange(1, 5).Draw(t, "who")
			s := singers[id]
			if s == nil || rapid.IntRange(0, 3).Draw(t, "afresh") == 0 {
				s = r.join(proto.UserID(id), rapid.IntRange(0, proto.SampleRate).Draw(t, "delay")+2*frame,
					rapid.IntRange(0, proto.SampleRate/2).Draw(t, "lag"))
				singers[id] = s
			}
			tempo, took := r.tempo(), r.b.control.took
			randomRequest(t, r, s)
			r.checkInvariants()
			if took && (r.tempo() != tempo || !r.b.control.took) {
				t.Fatalf("tempo %v became %v in a controlled room", tempo, r.tempo())
			}
		}
	})
}

// tempo is what nobody may change in a controlled room.
func (r *room) tempo() [3]int { return [3]int{r.b.state.bpm, r.b.state.repeats, r.b.state.bpr} }

// longToken is a token as long as can be.
func longToken(id proto.UserID) string {
	return id.String() + strings.Repeat("t", proto.MaxTokenBytes-len(id.String()))
}

func randomParams(t *rapid.T) params {
	p := params{}
	for range rapid.IntRange(0, 6).Draw(t, "params") {
		k := rapid.SampledFrom(valueKeys).Draw(t, "key")
		p[k] = rapid.SampledFrom(values[k]).Draw(t, "value")
	}
	return p
}

// randomControl makes one request without userid, and perhaps repeats it.
func randomControl(t *rapid.T, r *room) {
	req := conduct(randomParams(t))
	req.ControlSecret = rapid.SampledFrom([]proto.Secret{"", testSecret, testSecret, testSecret, "wrong"}).Draw(t, "secret")
	req.Nonce = rapid.SampledFrom([]string{"", "1", "2", strings.Repeat("n", 33)}).Draw(t, "nonce")
	req.Again = rapid.Bool().Draw(t, "again")
	if rapid.IntRange(0, 9).Draw(t, "audio") == 0 {
		req.PCM = make([]float32, frame)
	}
	before, tempo, leader := r.digest(), r.tempo(), r.b.state.leader
	if ref := r.try(req); ref != nil {
		if ref.Code < 400 || ref.Code > 499 || ref.Reason == "" || strings.Contains(ref.Reason, testSecret) {
			t.Fatalf("strange refusal %+v", ref)
		}
		if r.digest() != before {
			t.Fatalf("refused with %q, but it left a trace", ref.Reason)
		}
		return
	}
	first := r.mustControlAnswer()
	if s := &r.b.state; r.tempo() != tempo || s.hasLeader && s.leader != leader || !r.b.control.took || !r.b.control.allowed {
		t.Fatal("control changed the tempo or the leader, or was not allowed")
	}
	if req.Nonce == "" {
		return
	}
	req.Again = true
	before = r.digest()
	r.must(req)
	if second := r.mustControlAnswer(); r.digest() != before || !reflect.DeepEqual(first, second) && first.LastRequestClock == r.now {
		t.Fatalf("repeated control left a trace: %+v, %+v", first, second)
	}
}

// mustControlAnswer looks at the answer to control at hand.
func (r *room) mustControlAnswer() (a proto.ControlAnswer) {
	r.t.Helper()
	r.checkFits(proto.OldJSONArea)
	if err := json.Unmarshal([]byte(r.ans.Metadata), &a); err != nil || a.Events == nil {
		r.t.Fatalf("answer %s: %v", r.ans.Metadata, err)
	}
	return a
}

// randomRequest makes one request, and perhaps repeats it.
func randomRequest(t *rapid.T, r *room, s *singer) {
	p := randomParams(t)
	n := frame * rapid.IntRange(1, 2).Draw(t, "frames")
	x := rapid.SampledFrom([]float32{0, 0.25, -1, 1000, 1000.5, float32(math.NaN()), float32(math.Inf(1))}).Draw(t, "x")
	req := s.request(n, x, p)
	if rapid.IntRange(0, 7).Draw(t, "lyrics") == 0 {
		l := rapid.String().Draw(t, "text")
		req.Lyrics = &l
	}
	if rapid.Bool().Draw(t, "snap") {
		end := s.read.Add(n) / frame * frame
		req.ReadEnd = &end
		req.Want = rapid.SampledFrom([]*proto.Span{nil, {}, {From: end.Add(-frame), To: end}, {From: end - 1, To: end + 9}}).Draw(t, "want")
	}
	req.Again = rapid.IntRange(0, 9).Draw(t, "again") == 0
	copyOf := *req
	copyOf.PCM = slices.Clone(req.PCM)

	before := r.digest()
	if ref := r.try(req); ref != nil {
		if ref.Code < 400 || ref.Code > 499 || ref.Reason == "" || r.b.Samples() != 0 {
			t.Fatalf("strange refusal %+v", ref)
		}
		if after := r.digest(); after != before {
			t.Fatalf("refused with %q, but it left a trace", ref.Reason)
		}
		return
	}
	s.done(n)
	first := r.checkAnswer()
	if rapid.IntRange(0, 3).Draw(t, "repeat") == 0 {
		audio, sum := r.audio(), r.ringSum()
		copyOf.Again = true
		r.must(&copyOf)
		second := r.checkAnswer()
		if r.ringSum() != sum || !slices.Equal(audio, r.audio()) {
			t.Fatal("repeating a request changed the audio")
		}
		first.LastRequestClock = second.LastRequestClock
		if !reflect.DeepEqual(first, second) {
			t.Fatalf("repeated answer differs:\n%+v\n%+v", first, second)
		}
	}
}

// checkAnswer looks at the answer at hand.
func (r *room) checkAnswer() proto.Metadata {
	r.t.Helper()
	r.checkFits(proto.OldJSONArea)
	if !json.Valid([]byte(r.ans.Metadata)) {
		r.t.Fatalf("metadata is no JSON: %s", r.ans.Metadata)
	}
	r.list()
	if i := slices.IndexFunc(r.audio(), notFinite); i >= 0 {
		r.t.Fatalf("sample %d of the answer is not finite", i)
	}
	return r.metadata()
}

func notFinite(x float32) bool { return math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) }

// checkInvariants looks at what must hold at any time.
func (r *room) checkInvariants() {
	r.t.Helper()
	b := r.b
	for name, samples := range map[string][]float32{"audio": b.ring.Audio, "backing": b.ring.Backing, "monitor": b.ring.Monitor} {
		if proto.CheckPCM(samples) == nil {
			continue // and finite
		}
		if i := slices.IndexFunc(samples, notFinite); i >= 0 {
			r.t.Fatalf("%s %d is %v", name, i, samples[i])
		}
	}
	if !(b.state.globalVolume >= 0 && b.state.globalVolume < 1001 && b.state.backingVolume >= 0 && b.state.backingVolume < 1001) {
		r.t.Fatalf("volumes %v, %v", b.state.globalVolume, b.state.backingVolume)
	}
	if len(b.users.byID) > rememberedFactor*b.maxUsers || b.users.active > b.maxUsers || len(b.events) > proto.MaxEvents {
		r.t.Fatalf("%d users, %d active, %d events", len(b.users.byID), b.users.active, len(b.events))
	}
	if b.state.playing.name == "" && b.state.backingType == typeTrack {
		r.t.Fatal("a track is announced, none plays")
	}
	var telemetry bytes.Buffer
	if n, err := b.Telemetry(r.now).WriteTo(&telemetry); err != nil || n != int64(telemetry.Len()) || !json.Valid(telemetry.Bytes()) {
		r.t.Fatalf("telemetry: %v\n%s", err, telemetry.Bytes())
	}
	for _, secret := range []string{testSecret, "tttttttttt"} {
		if bytes.Contains(telemetry.Bytes(), []byte(secret)) {
			r.t.Fatalf("telemetry tells %s", secret)
		}
	}
	r.checkRoster()
}

func (r *room) checkRoster() {
	r.t.Helper()
	roster := &r.b.users
	n, active := 0, 0
	var last *member
	for m := roster.newest; m != nil; m = m.older {
		if roster.byID[m.id] != m || m.newer != last || last != nil && (last.lastHeard < m.lastHeard || m.active && !last.active) {
			r.t.Fatalf("roster is out of order at %d", m.id)
		}
		if m.active {
			active++
			if m.older == nil || !m.older.active {
				if roster.oldestActive != m {
					r.t.Fatal("oldest active member is another")
				}
			}
		}
		if !(m.micGain >= 0 && m.micGain < 32 && m.backingVolume >= 0 && m.backingVolume < 1001) || len(m.queued.chats) > proto.MaxChatsQueued ||
			len(m.telemetry) > proto.MaxTelemetryBytes || len(m.address) > maxAddress {
			r.t.Fatalf("user %+v", m.user)
		}
		n, last = n+1, m
	}
	if n != len(roster.byID) || active != roster.active || roster.oldest != last || active == 0 && roster.oldestActive != nil {
		r.t.Fatalf("%d of %d users in order, %d of %d active", n, len(roster.byID), active, roster.active)
	}
}

// FuzzHandle lets Handle see any message at all.
func FuzzHandle(f *testing.F) {
	f.Add("userid=1&read_clock=86399999000000&write_clock=86399998900000&n_samples=2880&bpm=90", `{"lyrics":"x","again":true}`, int64(0))
	f.Add("userid=1&read_clock=86399999002880&n_samples=2880&mark_start_singing=1", `{"want":[1,2]}`, int64(5))
	f.Add("action=status", `{"request":"get_clock"}`, int64(-5))
	f.Add("", `{"read_end":-1}`, int64(1)<<62)
	f.Add("mark_stop_singing=1&chat=%5B%22a%22%5D", `{"control_secret":"`+testSecret+`","nonce":"1","again":true}`, int64(9))
	f.Add("secret=the+conductor%27s+word&mark_start_singing=1&bpm=3", `{}`, int64(9))
	f.Add("userid=1&read_clock=86399999002880&n_samples=2880&client_telemetry=%7B%22a%22:[1]%7D", `{}`, int64(9))
	f.Fuzz(func(t *testing.T, query, message string, later int64) {
		r := newRoomOf(t, Config{MaxUsers: 2, ControlSecret: testSecret, VideoToken: longToken}, randomRingSeconds)
		r.join(1, 30000, 9000).sing(0.5, params{"mark_start_singing": "1"})
		if later > 0 && later < 1<<40 {
			r.pass(int(later))
		}
		var req proto.Request
		if proto.ParseRequestJSON([]byte(message), &req) != nil {
			req = proto.Request{}
		}
		if req.QueryString == "" {
			req.QueryString = query
		}
		if strings.Contains(req.QueryString, "userid") {
			req.PCM = slices.Repeat([]float32{0.5}, frame*(1+len(query)%3))
		}
		before := r.digest()
		switch ref := r.try(&req); {
		case ref != nil && r.digest() != before:
			t.Fatalf("%s: left a trace", ref.Reason)
		case ref == nil && r.ans.Metadata != "" && !json.Valid([]byte(r.ans.Metadata)):
			t.Fatalf("no JSON: %s", r.ans.Metadata)
		}
		r.audio()
		r.checkInvariants()
	})
}

// The path of the audio allocates nothing.
func TestAudioAllocatesNothing(t *testing.T) {
	const n = 28800
	r := newRoom(t, Config{})
	ann := r.join(1, 2*n, n)
	ann.ask(params{"bpm": "120", "bpr": "1", "repeats": "2", "monitor": "1"})
	ann.ask(params{"mark_start_singing": "1"})
	m := r.b.users.byID[1]
	pcm, dst := make([]float32, n), make([]float32, n)
	q, err := proto.ParseQuery("userid=1&n_samples=" + strconv.Itoa(n) + "&read_clock=" + ann.read.String() + "&write_clock=" + ann.read.Add(-n).String())
	if err != nil {
		t.Fatal(err)
	}
	o := order{query: q, samples: n, hears: q.Read, want: proto.Span{From: q.Read.Add(-n), To: q.Read}}
	r.b.state.songStart = 1
	for name, step := range map[string]func(){
		"write":   func() { r.b.write(r.now, &m.user, &o, pcm) },
		"read":    func() { r.b.planReply(&m.user, &o); r.b.Mix(dst) },
		"advance": func() { r.now = r.now.Add(n); r.b.advance(r.now) },
	} {
		if allocs := testing.AllocsPerRun(20, step); allocs != 0 {
			t.Errorf("%s allocates %v times", name, allocs)
		}
	}
}
