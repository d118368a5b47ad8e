package brigade

import (
	"slices"
	"testing"

	"bucketbrigade/proto"
)

// shelf is uploads in memory: of each session, and for all others those of "".
type shelf struct {
	names, images map[proto.Session]string
	tracks        trackMap
}

func of(m map[proto.Session]string, session proto.Session) string {
	if own, ok := m[session]; ok {
		return own
	}
	return m[""]
}

func (s *shelf) NewestTrack(session proto.Session) string { return of(s.names, session) }
func (s *shelf) NewestImage(session proto.Session) string { return of(s.images, session) }
func (s *shelf) Track(name string) ([]float32, bool)      { return s.tracks.Track(name) }
func level(x float32) []float32                           { return slices.Repeat([]float32{x}, 10*frame) }

func TestUserUploadIsThatOfTheSession(t *testing.T) {
	t.Parallel()
	const ann, bob = "cookie:a", "cookie:b"
	folder := trackMap{"song": level(0.1), userUpload: level(0.2), "1.wav": level(0.7)}
	uploads := &shelf{
		names:  map[proto.Session]string{ann: "1.wav", "": "2.wav"},
		tracks: trackMap{"1.wav": level(0.3), "2.wav": level(0.4), "3.wav": level(0.6)},
	}
	for _, c := range []struct {
		name    string
		session proto.Session
		track   string
		uploads Uploads
		tracks  Tracks
		want    float64 // of the track; 0: none plays
	}{
		{"of his own session, before one of the folder", ann, userUpload, uploads, folder, 0.3},
		{"of all", bob, userUpload, uploads, folder, 0.4},
		{"of all, without a folder", bob, userUpload, uploads, nil, 0.4},
		{"of the folder", ann, "song", uploads, folder, 0.1},
		{"of the folder, named as if it were uploaded", ann, userUpload, &shelf{}, folder, 0.2},
		{"of the folder, without uploads", ann, userUpload, nil, folder, 0.2},
		{"nowhere", ann, userUpload, &shelf{}, nil, 0},
		{"nothing at all", ann, userUpload, nil, nil, 0},
		{"the upload of a stranger by its name", bob, "3.wav", uploads, folder, 0},
		{"gone since", ann, userUpload, &shelf{names: map[proto.Session]string{ann: "gone"}}, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t, Config{Tracks: c.tracks, Uploads: c.uploads})
			lea := r.join(1, frame, 0)
			lea.session = c.session
			lea.ask(params{"track": c.track})
			r.pass(frame)
			m := lea.ask(params{"mark_start_singing": "1"})
			if plays := value(t, m.BackingTrackType) == typeTrack; plays != (c.want > 0) {
				t.Fatalf("it plays: %v", plays)
			}
			r.pass(2 * frame)
			if lea.ask(nil); !allOf(r.audio()[:10], c.want*trackGain*trackMix*1.2) {
				t.Errorf("it sounds as %v, want %v", r.audio()[:3], c.want*trackGain*trackMix*1.2)
			}
		})
	}
}

func TestImageIsThatOfTheSession(t *testing.T) {
	t.Parallel()
	uploads := &shelf{images: map[proto.Session]string{"cookie:a": "ANNSIMAGES", "": "NEWESTOFAL"}}
	for _, c := range []struct {
		session proto.Session
		uploads Uploads
		want    string // "": ten letters of no meaning
	}{
		{"cookie:a", uploads, "ANNSIMAGES"},
		{"cookie:b", uploads, "NEWESTOFAL"},
		{"cookie:a", &shelf{}, ""},
		{"cookie:a", nil, ""},
	} {
		r := newRoom(t, Config{Uploads: c.uploads})
		lea := r.join(1, frame, 0)
		lea.session = c.session
		got := value(t, lea.ask(params{"image": "upload"}).Image)
		if c.want != "" && got != c.want || c.want == "" && (len(got) != 10 || got == "ANNSIMAGES" || got == "NEWESTOFAL") {
			t.Errorf("%s, uploads %v: image %q, want %q", c.session, c.uploads, got, c.want)
		}
		// The same for who comes later, and all the time.
		if m := r.join(2, 30000, 0).ask(nil); value(t, m.Image) != got {
			t.Errorf("a newcomer is told %v, all others %q", m.Image, got)
		}
	}
}
