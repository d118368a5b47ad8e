package state

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/shard"
	"bucketbrigade/shard/backendtest"
	"bucketbrigade/shm"
	"bucketbrigade/upload"
)

func sound(t *testing.T) []byte {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("..", "audiofile", "testdata", "24k.opus"))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// until asks again until it is told yes.
func until(t *testing.T, what string, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !yes() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not after 10 s", what)
		}
	}
}

// places are both ways to the state, with the folders of tracks and uploads.
func places(t *testing.T, log *slog.Logger) map[string]func(tracks, uploads string) shard.Backend {
	return map[string]func(tracks, uploads string) shard.Backend{
		"in the same process": func(tracks, uploads string) shard.Backend {
			l, err := NewLocal(Settings{TracksDir: tracks, UploadsDir: uploads, Log: log})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
			start(t, l.Run)
			return l
		},
		"through shared memory": func(tracks, uploads string) shard.Backend {
			dir := t.TempDir()
			startServer(t, Config{Dir: dir, Segments: []string{"echo01"}, Settings: Settings{TracksDir: tracks, UploadsDir: uploads, Log: log}})
			return openClient(t, dir, "echo01", shm.ClientConfig{})
		},
	}
}

// news are what a newcomer is told, who asks for something more.
func news(t *testing.T, b shard.Backend, user int, more string) (m proto.Metadata) {
	t.Helper()
	req := backendtest.Sing(user, backendtest.Clock(t, b).Add(-3*proto.SampleRate), 2880)
	req.QueryString += more
	req.Session = "cookie:a"
	var ans proto.Answer
	if err := b.Call(t.Context(), req, &ans); err != nil || ans.Refusal() != nil {
		t.Fatal(err, ans.Refusal())
	}
	if err := json.Unmarshal([]byte(ans.Metadata), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestUploadsReachTheBrigade(t *testing.T) {
	t.Parallel()
	for name, open := range places(t, quiet()) {
		uploads := filepath.Join(t.TempDir(), "made")
		b := open("", uploads)
		store, err := upload.NewStore(uploads, quiet())
		if err != nil {
			t.Fatal(err)
		}
		file, err := store.SaveTrack(t.Context(), "cookie:a", bytes.NewReader(sound(t)))
		if err != nil {
			t.Fatal(err)
		}
		until(t, name, func() bool {
			var ans proto.Answer
			if err := b.Call(t.Context(), &proto.Request{Kind: proto.KindUploaded, Upload: file}, &ans); err != nil {
				t.Fatal(err)
			}
			return ans.Upload == proto.UploadReady
		})
		m := news(t, b, 1, "&track=User+Upload&mark_start_singing=1")
		if m.BackingTrackType == nil || *m.BackingTrackType != "Backing Track" {
			t.Errorf("%s: plays %v", name, m.BackingTrackType)
		}
	}
}

// A folder of tracks may come later, and its tracks later still.
func TestTracksReachTheBrigade(t *testing.T) {
	t.Parallel()
	var log syncBuffer
	for name, open := range places(t, slog.New(slog.NewTextHandler(&log, nil))) {
		dir := filepath.Join(t.TempDir(), "later")
		b := open(dir, "")
		until(t, name, func() bool { return strings.Contains(log.String(), dir) })
		if said := log.String(); !strings.Contains(said, "name another with -tracks") {
			t.Errorf("%s: logged %s", name, said)
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "song.opus"), sound(t), 0o600); err != nil {
			t.Fatal(err)
		}
		user := 0
		until(t, name, func() bool {
			user++
			m := news(t, b, user, "")
			return m.Tracks != nil && len(*m.Tracks) == 1 && (*m.Tracks)[0] == "song.opus"
		})
		if n := strings.Count(log.String(), "level=WARN"); n > 2 {
			t.Errorf("%s: %d warnings", name, n)
		}
	}
}

// The end does not wait for a folder of songs to be decoded.
func TestShelfStops(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := newShelf(Settings{TracksDir: dir, UploadsDir: dir, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.start(ctx)()
	f.start(t.Context())()
}

func TestUploadsThatCannotBe(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := New(Config{Dir: t.TempDir(), Segments: []string{"echo01"}, Settings: Settings{UploadsDir: file}})
	if err == nil || !strings.Contains(err.Error(), "name another with -uploads") {
		t.Errorf("a file: %v", err)
	}
	if _, err := NewLocal(Settings{UploadsDir: file}); err == nil {
		t.Error("a file, in the same process")
	}
}
