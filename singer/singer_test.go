package singer

import (
	"errors"
	"math"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
	"bucketbrigade/shard"
	"bucketbrigade/state"
)

func TestClocks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		cfg           Config
		rtt           time.Duration
		shift         int
		reads, writes [3]string // of the first three requests
	}{
		{"as the package comment says", Config{}, 0, 0,
			[3]string{"884800", "913600", "942400"}, [3]string{"", "853600", "882400"}},
		{"half of the way belongs to the clock", Config{}, 200 * time.Millisecond, 0,
			[3]string{"889600", "918400", "947200"}, [3]string{"", "858400", "887200"}},
		{"what is heard is what is sung to", Config{}, 0, 1234,
			[3]string{"884800", "913600", "942400"}, [3]string{"", "852366", "881166"}},
		{"six seconds behind", Config{Offset: 6}, 0, 0,
			[3]string{"740800", "769600", "798400"}, [3]string{"", "709600", "738400"}},
		{"another lag", Config{Lag: 57000}, 0, 0,
			[3]string{"884800", "913600", "942400"}, [3]string{"", "856600", "885400"}},
		{"a spectator", Config{Spectator: true}, 0, 0,
			[3]string{"884800", "913600", "942400"}, [3]string{"", "", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newStub()
				s.rtt = c.rtt
				s.answer = func(int) reply { return reply{shift: c.shift} }
				who := connected(t, s, c.cfg)
				for range 3 {
					if _, err := who.Step(t.Context(), nil); err != nil {
						t.Fatal(err)
					}
				}
				_, posts := s.seen()
				for k, p := range posts {
					if got := p.query.Get("read_clock"); got != c.reads[k] {
						t.Errorf("request %d: read_clock %s, want %s", k+1, got, c.reads[k])
					}
					if got := p.query.Get("write_clock"); got != c.writes[k] {
						t.Errorf("request %d: write_clock %s, want %q", k+1, got, c.writes[k])
					}
					if sung := c.writes[k] != ""; sung != (len(p.body) > 0) {
						t.Errorf("request %d: a body of %d bytes, audio %v", k+1, len(p.body), sung)
					}
				}
			})
		})
	}
}

func TestWhatAClientSaysOfItself(t *testing.T) {
	t.Parallel()
	s := newStub()
	who := connected(t, s, Config{Name: "ann", Spectator: true})
	for k := range 2 {
		extra := url.Values{}
		if k == 0 {
			extra.Set("request_lead", "1")
		}
		if _, err := who.Step(t.Context(), extra); err != nil {
			t.Fatal(err)
		}
	}
	if err := who.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := who.Step(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	gets, posts := s.seen()
	for k, want := range []map[string]bool{
		{"reset_user_state": true, "request_lead": true},
		{"user_summary": true, "spectator": true},
		{"reset_user_state": true},
	} {
		p := posts[k]
		for _, key := range []string{"reset_user_state", "request_lead", "user_summary", "spectator"} {
			if p.has(key) != want[key] {
				t.Errorf("request %d: %s is %q, want it %v", k+1, key, p.query.Get(key), want[key])
			}
		}
		if p.query.Get("userid") != "7" || p.query.Get("username") != "ann" || p.query.Get("n_samples") != "28800" {
			t.Errorf("request %d: %v", k+1, p.query)
		}
		if p.cookie != "brigade=c00k1e" {
			t.Errorf("request %d: cookie %q, want the one that the clock brought", k+1, p.cookie)
		}
	}
	if gets[0].cookie != "" || len(gets) != 2 {
		t.Errorf("clock requests %+v", gets)
	}
}

func TestTheVoiceIsSungWithoutGaps(t *testing.T) {
	t.Parallel()
	s := newStub()
	var starts []proto.Clock
	who := connected(t, s, Config{Voice: func(dst []float32, start proto.Clock) {
		starts = append(starts, start)
		for i := range dst {
			dst[i] = 0.25 * float32(math.Sin(2*math.Pi*440*float64(int(start)+i)/proto.SampleRate))
		}
	}})
	for range 4 {
		if _, err := who.Step(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	_, posts := s.seen()
	if len(starts) != 3 {
		t.Fatalf("sang %d times in 4 requests, want 3: the first has nothing to sing to", len(starts))
	}
	d := codec.NewDecoder()
	for k, start := range starts {
		p := posts[k+1]
		if got := p.query.Get("write_clock"); got != start.Add(BatchSamples).String() {
			t.Errorf("sang from %d, write_clock %s", start, got)
		}
		if k > 0 && start != starts[k-1].Add(BatchSamples) {
			t.Errorf("sang from %d after %d", start, starts[k-1])
		}
		packets, err := proto.ParsePackets(nil, p.body)
		if err != nil || len(packets) != 10 {
			t.Fatalf("%d packets, %v", len(packets), err)
		}
		pcm := make([]float32, 0, BatchSamples)
		for _, packet := range packets {
			if pcm, err = d.Decode(pcm, packet); err != nil {
				t.Fatal(err)
			}
		}
		if rms := codec.RMS(pcm); rms < 0.15 || rms > 0.2 {
			t.Errorf("batch %d: RMS %.3f, sung was 0.177", k+1, rms)
		}
	}
}

func TestAnswersThatEndAConnection(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		second reply
		says   string
	}{
		{"fine", reply{}, ""},
		{"a gap", reply{shift: 2880}, "do not join: client_read_clock is 2880 behind the request, it was 0"},
		{"an overlap", reply{shift: -1}, "do not join"},
		{"too short", reply{frames: 9}, "25920 samples came, 28800 were asked for"},
		{"too long", reply{frames: 11}, "31680 samples came, 28800 were asked for"},
		{"metadata of another length", reply{samples: 2880}, "28800 samples came, the metadata says 2880"},
		{"cut packets", reply{cut: 3}, "packet 10 of 10"},
		{"no length", reply{header: "{}"}, "metadata_len 0"},
		{"length beyond the body", reply{header: `{"metadata_len":1000000}`}, "metadata_len 1000000"},
		{"no header", reply{header: " "}, "length header"},
		{"NaN", reply{metadata: `{"n_samples":NaN}`}, "metadata"},
		{"fraction of a sample", reply{metadata: `{"client_read_clock":1.5}`}, "metadata"},
		{"nobody", reply{err: errors.New("line cut")}, "line cut"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStub()
			s.answer = func(k int) reply {
				if k == 2 {
					return c.second
				}
				return reply{}
			}
			who := connected(t, s, Config{Spectator: true})
			if _, err := who.Step(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			_, err := who.Step(t.Context(), nil)
			if c.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "singer 7") {
				t.Errorf("error %v, want one of singer 7 that says %q", err, c.says)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := newStub()
	s.answer = func(int) reply { return reply{status: 409, message: "clocks do not join"} }
	who := connected(t, s, Config{})
	_, err := who.Step(t.Context(), nil)
	var status *HTTPError
	if !errors.As(err, &status) || *status != (HTTPError{Status: 409, Message: "clocks do not join", Kill: true}) {
		t.Errorf("error %v (%+v)", err, status)
	}
}

func TestClocksThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		bad  reply
		says string
	}{
		{"refused", reply{status: 500}, "status 500"},
		{"no header", reply{header: " "}, "clock header"},
		{"no clock", reply{header: `{"server_sample_rate":48000}`}, "clock is 0 at 48000 Hz"},
		{"another rate", reply{header: `{"server_clock":5,"server_sample_rate":44100}`}, "44100"},
		{"nobody", reply{err: errors.New("line cut")}, "line cut"},
	} {
		s := newStub()
		s.clock = func(int) *reply { return &c.bad }
		who := New(Config{URL: "http://brigade.test/", User: 7, Transport: s})
		if err := who.Connect(t.Context()); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", c.name, err, c.says)
		}
	}
}

func TestSpeaksWithAShard(t *testing.T) {
	t.Parallel()
	local, err := state.NewLocal(state.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = local.Close() })
	ended := make(chan struct{})
	go func() { defer close(ended); _ = local.Run(t.Context()) }()
	t.Cleanup(func() { <-ended })
	srv, err := shard.New(shard.Config{Backend: local})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	site := httptest.NewServer(srv.Handler())
	t.Cleanup(site.Close)
	who := New(Config{URL: site.URL + "/api", User: 7, Name: "ann"})
	if err := who.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	var end proto.Clock
	for k := range 3 {
		a, err := who.Step(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if k > 0 && a.Start() != end {
			t.Errorf("answer %d starts at %d, the last ended at %d", k+1, a.Start(), end)
		}
		end = a.Metadata.ClientReadClock
		if k == 0 != (len(a.Users) == 0) {
			t.Errorf("answer %d: users %v", k+1, a.Users)
		}
	}
}
