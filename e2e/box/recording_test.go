package box

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bucketbrigade/audiofile"
	"bucketbrigade/proto"
	"bucketbrigade/voice"
)

const recordingsDir = "/var/lib/bucketbrigade/recordings"

// recordings lists the recorded songs.
func (m *machine) recordings(t testing.TB) []string {
	t.Helper()
	return strings.Fields(m.sh(t, "cd "+recordingsDir+" && ls *.wav 2>/dev/null || true"))
}

// wholeRecording checks that a recording is as long as its song, and that the voice of
// each pilot is in all of it.
func (c *choir) wholeRecording(t testing.TB, name string, song time.Duration) {
	t.Helper()
	pcm, err := audiofile.ReadWAV(filepath.Join(c.m.Root(), recordingsDir, name))
	if err != nil {
		t.Fatal(err)
	}
	length := proto.SamplesDuration(len(pcm))
	if length < song-3*time.Second || length > song+3*time.Second {
		t.Errorf("%v are recorded of a song of %v", length, song)
	}
	pieces, present := 0, 0
	for _, pilot := range c.result.Voices {
		lost := lostPieces(pcm, pilot.Pattern)
		n := len(pcm)/piece - 2
		pieces, present = pieces+n, present+n-len(lost)
		for _, at := range lost {
			t.Errorf("the pilot %s is not in the recording at %v", pilot.Singer, proto.SamplesDuration(at))
		}
	}
	if pieces == 0 {
		t.Error("there is no pilot to look for")
	}
	t.Logf("%s: %v recorded, %d of %d pieces of pilots found", name, length, present, pieces)
}

const (
	// piece is what is looked at at once, in samples: among a hundred voices two
	// seconds are enough.
	piece = 2 * proto.SampleRate
	// loop is after how much a pilot begins again.
	loop = 24 * proto.SampleRate
	// nearby is how far from where it belongs a piece is looked for.
	nearby = 480
	// plainly is the score at which no plainer piece is looked for.
	plainly = 1.5 * voice.PresentScore
)

// lostPieces gives where in a recording, whose first and last piece do not count, a
// pilot is not heard at the place in his pattern that follows from where he began.
func lostPieces(pcm []float32, pilot uint64) (lost []int) {
	start, found := beginning(pcm, pilot)
	for at := piece; at+2*piece <= len(pcm); at += piece {
		place := (start + at) % loop
		if found && (place < nearby || place+piece+nearby > loop) {
			continue // the seam of his loop
		}
		if !found || !voice.Find(pcm[at:at+piece], pilot, -place-nearby, -place+nearby).Present() {
			lost = append(lost, at)
		}
	}
	return lost
}

// beginning gives the sample of a pilot's pattern at the beginning of pcm, modulo
// loop. It takes the piece in which he is plainest: among a hundred, one piece of
// whose place nothing is known is not always enough.
func beginning(pcm []float32, pilot uint64) (start int, found bool) {
	best := voice.Sighting{}
	for at := piece; at+2*piece <= len(pcm) && best.Score < plainly; at += piece {
		if s := voice.Find(pcm[at:at+piece], pilot, -loop, 0); s.Present() && s.Score > best.Score {
			best, found = s, true
			start = ((-s.Lag-at)%loop + loop) % loop
		}
	}
	return start, found
}

// A pilot whose loop begins anew in the middle, behind others, is found everywhere but
// where he is silent.
func TestLostPiecesAreFound(t *testing.T) {
	t.Parallel()
	const pilot, length, began, silent = 7, 40 * proto.SampleRate, 5 * proto.SampleRate, 3 * piece
	once := voice.Render(voice.NewPattern(pilot), loop)
	heard := voice.Render(voice.NewSung(voice.SungConfig{Seed: 1}), length)
	for i := range heard {
		if i < silent || i >= silent+piece {
			heard[i] += once[(began+i)%loop]
		}
	}
	if lost := lostPieces(heard, pilot); len(lost) != 1 || lost[0] != silent {
		t.Errorf("lost at %v, want %d", lost, silent)
	}
	if lost := lostPieces(heard[:4*piece], pilot+1); len(lost) != 2 {
		t.Errorf("somebody who never sang is found: lost at %v", lost)
	}
}
