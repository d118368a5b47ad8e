package state

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bucketbrigade/proto"
)

// The song that was recorded goes on in its file, whether the server was killed or
// told to stop.
func TestTheRecordingGoesOn(t *testing.T) {
	t.Parallel()
	for _, stems := range []bool{false, true} {
		l := begin(t, Settings{Stems: stems, FLAC: true})
		l.die()
		l.s.Recordings = filepath.Join(l.dir, "recordings")
		l.start()
		song := func(seconds int, query string) {
			t.Helper()
			for range seconds * proto.SampleRate / proto.FrameSamples {
				l.sing(query)
				l.engine.tick()
				query = ""
			}
		}
		stop := l.engine.start(t.Context())
		song(30, "&mark_start_singing=1&reset_user_state=1")
		start := l.sing("").SongStartClock
		stop() // and all that is left is written
		l.die()
		flac := filepath.Join(l.s.Recordings, start.Time().Format("2006-01-02-150405")+".flac")
		if err := os.WriteFile(flac, []byte("of half the song"), 0o600); err != nil {
			t.Fatal(err)
		}
		l.start()
		if _, err := os.Stat(flac); err == nil {
			t.Error("FLAC of half the song stays")
		}
		stop = l.engine.start(t.Context())
		song(30, "")
		l.sing("&mark_start_singing=1") // the song before is written to its end
		stop()
		names, err := filepath.Glob(filepath.Join(l.s.Recordings, "*.wav"))
		if err != nil || len(names) != 1 {
			t.Fatalf("stems %t: recordings %v %v, want one", stems, names, err)
		}
		pcm := readBack(t, filepath.Join(l.s.Recordings, start.Time().Format("2006-01-02-150405")+".wav"))
		if n := len(pcm); n < 54*proto.SampleRate || n > 60*proto.SampleRate {
			t.Errorf("stems %t: %d samples", stems, n)
		}
		if i := slices.Index(pcm[proto.SampleRate:54*proto.SampleRate], 0); i >= 0 {
			t.Errorf("stems %t: sample %d is silent", stems, i+proto.SampleRate)
		}
		if log := l.log.String(); strings.Count(log, "recording goes on") != 1 {
			t.Errorf("log:\n%s", log)
		}
	}
}
