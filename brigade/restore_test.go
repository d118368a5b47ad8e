package brigade

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"flag"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"bucketbrigade/durable"
	"bucketbrigade/proto"
)

var update = flag.Bool("update", false, "write the golden files of the current version anew")

// fullHome is a small room in which everything that is kept is something else than
// nothing: a leader, a follower who is soloed, somebody who has left, a conductor;
// a song with a track, events, lyrics, chats told and to be told.
func fullHome(t reporter) *home { return fullHomeOf(t, true) }

func fullHomeOf(t reporter, stems bool) *home {
	tracks := trackMap{"long": make([]float32, 40*proto.SampleRate), "short": make([]float32, 100)}
	h := newHome(t, Config{
		MaxUsers: 3, ControlSecret: testSecret, VideoToken: longToken, Tracks: tracks, Recorder: newDisk(), Stems: stems,
	}, 2)
	gone := h.join(7, 20000, 0)
	gone.name, gone.session, gone.addr = "Gonzo", "cookie:gone", "192.0.2.7"
	gone.ask(params{"rms_volume": "0.25", "muted": "1", "spectator": "1"})
	h.pass(6 * proto.SampleRate)
	lea, fay := h.join(1, 30000, 9000), h.join(2, 40000, 9000)
	lea.name, lea.session, fay.session = "Leá", "cookie:lea", "cookie:fay"
	lea.ask(params{"request_lead": "1", "bpr": "7", "repeats": "2", "track": "long"})
	fay.ask(params{"user_summary": "1", "user_backing_volume": "0.5"})
	text := "la\nla"
	req := lea.request(frame, 0.5, params{
		"mark_start_singing": "1", "image": "1", "volume": "1.1", "backing_volume": "0.9",
		"mic_volume": `[["2",1.5]]`, "event_data": `[{"evid":"verse","clock":5},{"evid":7,"clock":-5}]`,
	})
	req.Lyrics = &text
	h.must(req)
	lea.done(frame)
	h.pass(frame)
	lea.sing(0.5, params{"chat": `["one", "two"]`, "monitor": "2", "disableAutoGain": "1", "disableSongVideo": "1"})
	fay.sing(-0.5, nil)
	lea.sing(0.5, params{"chat": `["three"]`, "track": "short"})
	conduct := conduct(params{"chat": `["all of you"]`})
	conduct.Nonce = "nonce"
	h.must(conduct)
	h.pass(frame)
	lea.sing(0.5, nil)
	return h
}

// zipped reads and writes a file that is mostly zeros.
func zipped(path string, write []byte) ([]byte, error) {
	if write != nil {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		_, err := w.Write(write)
		return write, errors.Join(err, w.Close(), os.WriteFile(path, out.Bytes(), 0o644))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// What a program of this version or of the one before has left is read. The files of
// a version stay as they are once it is out; whoever changes what is kept counts the
// version up, and has -update write the next ones.
func TestReadsWhatAVersionHasLeft(t *testing.T) {
	t.Parallel()
	state, text := filepath.Join("testdata", "state-v1.gz"), filepath.Join("testdata", "state-v1.txt")
	h := fullHome(t)
	if *update {
		if _, err := zipped(state, h.mem); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(text, []byte(h.told()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	mem, err := zipped(state, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(text)
	if err != nil {
		t.Fatal(err)
	}
	h.mem = mem
	h.restart()
	if got := h.told(); got != string(want) {
		t.Errorf("read is\n%s\nit was\n%s", got, want)
	}
	h.restart()
	if got := h.told(); got != string(want) {
		t.Errorf("read and written is\n%s\nit was\n%s", got, want)
	}
}

// told is memory without the rings and the dice.
func (h *home) told() string {
	text := h.memory()
	return text[:bytes.LastIndexByte([]byte(text), '\n')+1]
}

// A full room is as it was after a restart, and after the next.
func TestRestoredIsTheSame(t *testing.T) {
	t.Parallel()
	h := fullHome(t)
	want := h.memory()
	for range 3 {
		h.restart()
		if got := h.memory(); got != want {
			t.Fatalf("restored:\n%s\nbefore:\n%s", got, want)
		}
	}
}

// Who is heard no more is forgotten first where there are more users than slots.
func TestRoomThatGotSmaller(t *testing.T) {
	t.Parallel()
	h := newHome(t, Config{MaxUsers: 6}, 2)
	for i := range 6 {
		h.join(proto.UserID(i+1), 20000, 0).ask(nil)
		h.pass(1)
	}
	h.cfg.MaxUsers = 1
	h.restart()
	if n := len(h.b.users.byID); n != rememberedFactor+1 || h.b.users.byID[1] != nil || h.b.users.byID[6] == nil {
		t.Errorf("%d users are left: %v", n, h.b.users.byID)
	}
	h.checkRoster()
}

// What one singer's solo does to the others is kept.
func TestMovesBySolosAreKept(t *testing.T) {
	t.Parallel()
	h := newHome(t, Config{MaxUsers: 5}, 12)
	ann, bob, cat := h.join(1, 3*proto.SampleRate, 0), h.join(2, 6*proto.SampleRate, 0), h.join(3, 9*proto.SampleRate, 0)
	ann.ask(nil)
	bob.ask(params{"hear_monitor": "1"})
	cat.ask(params{"hear_monitor": "1"})
	for _, p := range []params{{"monitor": "1"}, {"monitor": "3"}, {"unmonitor": "3"}} {
		ann.ask(p)
		want := h.memory()
		if h.restart(); h.memory() != want {
			t.Errorf("after %v:\n%s\nbefore:\n%s", p, h.memory(), want)
		}
	}
}

// Who controls the room keeps it, unless control is switched off.
func TestControlSurvives(t *testing.T) {
	t.Parallel()
	h := fullHome(t)
	if h.restart(); !h.b.control.took || !h.b.control.wasDone("nonce") {
		t.Error("the room is nobody's any more")
	}
	h.cfg.ControlSecret = ""
	if h.restart(); h.b.control.took {
		t.Error("the room is somebody's whom nobody knows")
	}
}

// A store that was never written to, and one of another make, are refused.
func TestRefusesWhatIsNoBrigade(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(h *home){
		"nothing committed": func(h *home) { h.newStore() },
		"the future":        func(h *home) { h.now-- },
		"not a number": func(h *home) {
			h.rings.Audio[5] = float32(math.Inf(1))
		},
		"a saved piece of no ring": func(h *home) {
			h.b.store.Save(99, 0, make([]byte, 8))
		},
		"a saved piece beyond the ring": func(h *home) {
			h.b.store.Save(audioRing, uint32(h.size-1), make([]byte, 8))
		},
		"a user twice": func(h *home) {
			h.b.users.byID[1].code(h.b.store.Write(keptUsers, 12), h.b.said)
			h.b.store.End()
			h.b.store.Commit()
		},
		"a song in the future": func(h *home) { h.b.take.next = h.now + 1; h.b.commit() },
	} {
		h := fullHome(t)
		damage(h)
		if err := h.tryRestart(); !errors.Is(err, durable.ErrTorn) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// mend makes the checksums of all records right that lie in the memory of h, so that
// what was changed there is read. A copy is its number, checksum, and length, 16 bytes,
// and the record, in a multiple of 8.
func (h *home) mend() {
	table := crc32.MakeTable(crc32.Castagnoli)
	le := binary.LittleEndian
	at := 512
	for _, k := range h.layout().Kinds {
		for range 2 * k.Slots {
			copied := h.mem[at : at+16+(k.Bytes+7)/8*8]
			n := le.Uint32(copied[12:]) % uint32(k.Bytes+1)
			le.PutUint32(copied[12:], n)
			le.PutUint32(copied[8:], crc32.Checksum(copied[12:16+n], table))
			at += len(copied)
		}
	}
}

// Whatever stands in the records and the log: it is refused, or the brigade is sound
// and goes on.
func FuzzRestore(f *testing.F) {
	h := fullHomeOf(f, false)
	h.small = true
	h.restart()
	for kind := range keptControl + 1 {
		f.Add(byte(kind), byte(0), uint16(10), []byte{1, 2, 3})
		f.Add(byte(kind), byte(1), uint16(40), []byte{0, 255, 0})
	}
	f.Add(byte(255), byte(0), uint16(0), []byte{0, 0, 0, 0, 9})
	f.Fuzz(func(t *testing.T, kind, slot byte, at uint16, change []byte) {
		dead := *h
		room := *h.room
		room.t, dead.room = t, &room
		dead.mem = bytes.Clone(h.mem)
		dead.rings = newRings(h.size, false)
		start := 320 // the log's header, or the log itself
		if kinds := h.layout().Kinds; int(kind) < len(kinds) {
			start = 512
			for _, k := range kinds[:kind] {
				start += 2 * k.Slots * (16 + (k.Bytes+7)/8*8)
			}
			k := kinds[kind]
			start += (int(slot) % k.Slots) * 2 * (16 + (k.Bytes+7)/8*8)
		} else if slot > 0 {
			start = len(dead.mem) - h.layout().LogBytes
		}
		for i, b := range change {
			if j := start + int(at)%2048 + i; j < len(dead.mem) {
				dead.mem[j] ^= b
			}
		}
		dead.mend()
		dead.cfg.Recorder = newDisk()
		if err := dead.tryRestart(); err != nil {
			if !errors.Is(err, durable.ErrTorn) {
				t.Fatalf("a strange error: %v", err)
			}
			return
		}
		dead.checkRoster()
		for _, later := range []int{0, 3 * proto.SampleRate} {
			dead.pass(later)
			dead.b.Tick(dead.now)
			s := dead.join(9, 40000, 9000)
			s.name = "after"
			if ref := dead.try(s.request(frame, 0.5, params{"mark_start_singing": "1", "request_lead": "1", "user_summary": "1", "chat": `["x"]`})); ref != nil && ref.Code == 500 {
				t.Fatal(ref)
			}
			dead.audio()
			dead.b.Tick(dead.now)
			dead.checkRoster()
			dead.restart()
		}
	})
}

// The log holds the most that one request can change: the longest voice, soloed, in
// the most rounds, across the end of the ring.
func TestLogHoldsTheMost(t *testing.T) {
	t.Parallel()
	for _, stems := range []bool{false, true} {
		l := StoreLayout(1, stems, durable.Identity{})
		h := newHome(t, Config{MaxUsers: 1, Stems: stems}, 12)
		h.b.store = durable.Format(make([]byte, l.Size()), l)
		h.b.ring.store = h.b.store
		ann := h.join(1, 9*proto.SampleRate, proto.SampleRate)
		ann.ask(params{"mark_start_singing": "1", "monitor": "1", "bpm": "500", "bpr": "1", "repeats": "20"})
		saved := 0
		for range 12 { // at some time over the end
			h.pass(proto.MaxSamples)
			h.must(ann.request(proto.MaxSamples, 0.001, nil))
			ann.done(proto.MaxSamples)
			saved = max(saved, int(h.b.ring.People[h.b.ring.runs(ann.write.Add(-1), 1)[0].lo]))
		}
		if saved < proto.MaxRepeats/2 {
			t.Errorf("stems %t: a voice was added %d times, want rounds", stems, saved)
		}
	}
}
