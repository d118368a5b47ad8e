package e2e

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bucketbrigade/audiofile"
	"bucketbrigade/proto"
	"bucketbrigade/singer"
	"bucketbrigade/stack"
	"bucketbrigade/stack/stacktest"
	"bucketbrigade/upload"
	"bucketbrigade/voice"
)

// decoded is a track of testdata as its encoder's file and as samples.
func decoded(t *testing.T, name string) (file []byte, pcm []float32) {
	t.Helper()
	path := filepath.Join("testdata", name)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if pcm, err = audiofile.ReadTrack(path); err != nil {
		t.Fatal(err)
	}
	return file, pcm
}

func picture(t *testing.T) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, 400, 300))
	for i := range m.Pix {
		m.Pix[i] = byte(i * i)
	}
	m.Set(7, 7, color.White)
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// stage is a leader and a follower of two shards, and a stranger who is always
// the last to upload something.
type stage struct {
	*testing.T
	leader, follower, stranger *singer.Singer
}

func newStage(t *testing.T, s *stack.Stack) *stage {
	who := func(user proto.UserID, shard string, offset int) *singer.Singer {
		one := singer.New(singer.Config{URL: s.URL() + "/api/" + shard, User: user, Name: "singer " + shard, Offset: offset, Spectator: user == 3})
		if err := one.Connect(t.Context()); err != nil { // for the cookie
			t.Fatal(err)
		}
		return one
	}
	return &stage{t, who(1, "01", 3), who(2, "02", 6), who(3, "02", 6)}
}

// upload is what the leader and then the stranger post.
func (s *stage) upload(kind string, leaders, strangers []byte) {
	s.Helper()
	if err := errors.Join(s.leader.Upload(s.Context(), kind, leaders), s.stranger.Upload(s.Context(), kind, strangers)); err != nil {
		s.Fatal(err)
	}
}

// performance is what the follower heard and was told.
type performance struct {
	start proto.Clock // of the song
	heard []float32   // from start on
	image string
}

// perform has the leader take the lead, show the upload and start a song with the
// uploaded track, each with one request, and the follower listen to so much of it.
func (s *stage) perform(samples int) performance {
	ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
	defer cancel()
	asks := []url.Values{
		{"request_lead": {"1"}},
		{"image": {"upload"}, "track": {"User Upload"}},
		{"mark_start_singing": {"1"}},
	}
	leads := make(chan struct{})
	go func() {
		defer close(leads)
		s.leader.Run(ctx, singer.Events{
			Ask: func() (extra url.Values) {
				if len(asks) > 0 {
					extra, asks = asks[0], asks[1:]
				}
				return extra
			},
			Failed: func(err error) { s.Errorf("the leader: %v", err) },
		})
	}()
	var p performance
	s.follower.Run(ctx, singer.Events{
		Heard: func(a *singer.Answer) {
			if news := a.Metadata.Image; news != nil && *news != "" {
				p.image = *news
			}
			if p.start = a.Metadata.SongStartClock; p.start == 0 {
				return
			}
			at := a.Start().Sub(p.start)
			if at+len(a.PCM) > 0 && len(p.heard) == 0 {
				p.heard = append(p.heard, a.PCM[max(-at, 0):]...)
			} else if at == len(p.heard) {
				p.heard = append(p.heard, a.PCM...)
			}
			if len(p.heard) >= samples {
				cancel()
			}
		},
		Failed: func(err error) { s.Errorf("the follower: %v", err) },
	})
	<-leads
	if len(p.heard) < samples {
		s.Fatalf("the follower heard %d samples of the song, want %d", len(p.heard), samples)
	}
	return p
}

// A real MP3 and a real Ogg file go through nginx, a shard, the disk, the state
// server and another shard into the ears of somebody else. Whoever uploads last
// is another, so what is heard is that of his own session.
func TestUploadedTrackIsHeardAndImageSeen(t *testing.T) {
	t.Parallel()
	rising, risingPCM := decoded(t, "rising.mp3")
	falling, fallingPCM := decoded(t, "falling.ogg")
	bin := stacktest.Build(t)
	for _, c := range []struct {
		name               string
		leaders, strangers []byte
		want, other        []float32
	}{
		{"MP3", rising, falling, risingPCM, fallingPCM},
		{"Ogg", falling, rising, fallingPCM, risingPCM},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t, stacktest.Start(t, stack.Config{Shards: 2, BinDir: bin}))
			photo := picture(t)
			s.upload("backingTrack", c.leaders, c.strangers)
			s.upload("image", photo, photo[:len(photo)-1])
			// The track begins where the ring ends when the song is started, three
			// seconds, as far as the leader stands back, behind the song's start.
			p := s.perform(7 * proto.SampleRate)
			found := voice.Fit(p.heard, [][]float32{c.want, c.other}, 4*proto.SampleRate)
			mine, strangers := found[0], found[1]
			t.Logf("heard %d samples late, gain %.3f, correlation %.3f; the other %.3f", mine.Lag, mine.Gain, mine.Corr, strangers.Corr)
			// 0.8 in the ring, 0.2 in the mix, global volume 1.2.
			if mine.Corr < 0.95 || mine.Gain < 0.17 || mine.Gain > 0.21 || mine.Lag < 2*proto.SampleRate {
				t.Errorf("the track is heard %d samples late with gain %.3f and correlation %.3f", mine.Lag, mine.Gain, mine.Corr)
			}
			if strangers.Corr > 0.3 {
				t.Errorf("the stranger's track is heard with correlation %.3f", strangers.Corr)
			}
			s.look(p.image, photo)
		})
	}
}

// look has the follower fetch the image that it was told.
func (s *stage) look(value string, want []byte) {
	header, got, err := s.follower.Fetch(s.Context(), "/user-upload-image?"+value)
	if err != nil || !bytes.Equal(got, want) {
		s.Errorf("image %q: %d bytes of %d, %v", value, len(got), len(want), err)
		return
	}
	for key, want := range map[string]string{
		"Content-Type": "image/png", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, max-age=31536000, immutable",
	} {
		if values := header.Values(key); len(values) != 1 || values[0] != want {
			s.Errorf("%s: %q, want %q", key, values, want)
		}
	}
}

// A file put into the folder of tracks while all runs can be chosen soon.
func TestTrackOfTheFolder(t *testing.T) {
	t.Parallel()
	brigade := stacktest.Start(t, stack.Config{Shards: 1, NoNginx: true})
	file, _ := decoded(t, "rising.mp3")
	if err := os.WriteFile(filepath.Join(brigade.Tracks(), "Rising"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for user := proto.UserID(1); ; user++ {
		who := singer.New(singer.Config{URL: brigade.URL(), User: user, Name: "newcomer"})
		if err := who.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		a, err := who.Step(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if tracks := a.Metadata.Tracks; tracks != nil && strings.Join(*tracks, "|") == "Rising" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("newcomers are told tracks %v", a.Metadata.Tracks)
		}
	}
}

// What is no upload is refused by the whole of it, in words that a page of any
// origin can read, and nothing of it stays.
func TestMalformedUploads(t *testing.T) {
	t.Parallel()
	brigade := stacktest.Start(t, stack.Config{Shards: 2})
	mp3, _ := decoded(t, "rising.mp3")
	ogg, _ := decoded(t, "falling.ogg")
	photo := picture(t)
	cases := []malformed{
		{"truncated Ogg", "POST", "/upload?type=backingTrack", ogg[:len(ogg)/2], 415},
		{"truncated PNG", "POST", "/upload?type=image", photo[:20], 415},
		{"a page as an image", "POST", "/upload?type=image", []byte("<!DOCTYPE html><script>alert(1)</script>"), 415},
		{"SVG", "POST", "/upload?type=image", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`), 415},
		{"GIF that is a script", "POST", "/upload?type=image", []byte("GIF89a=1;alert(1)"), 415},
		{"sound as an image", "POST", "/upload?type=image", mp3, 415},
		{"an image as sound", "POST", "/upload?type=backingTrack", photo, 415},
		{"17 MB", "POST", "/upload?type=image", make([]byte, 17_000_000), 413},
		{"no type", "POST", "/upload", mp3, 400},
		{"wrong type", "POST", "/upload?type=exe", mp3, 400},
		{"nothing", "POST", "/upload?type=image", nil, 400},
		{"wrong method", "PUT", "/upload?type=image", photo, 405},
		{"GET", "GET", "/upload?type=image", nil, 405},
		{"a path", "GET", "/user-upload-image?../../etc/passwd", nil, 404},
		{"a path in code", "GET", "/user-upload-image?%2e%2e%2f%2e%2e%2fetc%2fpasswd", nil, 404},
		{"no value", "GET", "/user-upload-image", nil, 404},
	}
	// Each is held back for a second; a shard takes four at once.
	var all sync.WaitGroup
	next := make(chan malformed)
	for range upload.MaxAtOnce {
		all.Go(func() {
			for c := range next {
				c.post(t, brigade.URL())
			}
		})
	}
	for _, c := range cases {
		next <- c
	}
	close(next)
	all.Wait()
	if left, err := os.ReadDir(filepath.Join(brigade.Dir(), "uploads")); err != nil || len(left) > 0 {
		t.Errorf("%v stay, %v", left, err)
	}
}

// malformed is a request that must be refused.
type malformed struct {
	name, method, path string
	body               []byte
	code               int
}

func (c malformed) post(t *testing.T, site string) {
	req, err := http.NewRequestWithContext(t.Context(), c.method, site+c.path, bytes.NewReader(c.body))
	if err != nil {
		t.Error(err)
		return
	}
	if len(c.body) > upload.MaxBytes {
		req.Header.Set("Expect", "100-continue") // else nginx may close before all is sent
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Errorf("%s: %v", c.name, err)
		return
	}
	resp.Body.Close()
	if resp.StatusCode != c.code || resp.Header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(resp.Header.Get("X-Audio-Metadata"), "kill_client") {
		t.Errorf("%s: %s, want %d; %v", c.name, resp.Status, c.code, resp.Header)
	}
}
