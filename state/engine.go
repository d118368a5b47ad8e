package state

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"bucketbrigade/audiofile"
	"bucketbrigade/brigade"
	"bucketbrigade/proto"
)

// Settings are what the state needs to know wherever it lives.
type Settings struct {
	// MaxUsers is how many active users the room takes; proto.DefaultMaxUsers
	// if 0.
	MaxUsers int
	// InstanceName is told by the status; nothing if empty.
	InstanceName string
	// ControlSecret lets who brings it control the room; nobody can if it is
	// empty.
	ControlSecret proto.Secret
	// VideoToken makes a user's token for the video call; nil: there is none.
	VideoToken func(proto.UserID) string
	// Version and Branch are told by telemetry; "unknown" if empty.
	Version, Branch string
	// JSONArea is the size of a message's JSON area; proto.MaxJSONArea if 0.
	JSONArea int
	// TracksDir holds backing tracks, looked at again each second; none if empty.
	TracksDir string
	// UploadsDir is where the shards put what singers upload; nothing is uploaded
	// if empty.
	UploadsDir string
	// Recordings is the folder that songs are recorded into; none if empty.
	Recordings string
	// Keep is how many songs stay there; audiofile.DefaultKeep if 0.
	Keep int
	// Stems adds a file for each bucket and the backing, FLAC one of that format.
	Stems, FLAC bool
	// Log takes what the operator should know; slog.Default() if nil.
	Log *slog.Logger
	// Now is the server clock; a SteadyClock if nil.
	Now func() proto.Clock

	// reserve is space's; the system's if nil.
	reserve func(f *os.File, size int) error
}

// check finds settings that make no sense.
func (s Settings) check() error {
	if s.JSONArea != 0 && (s.JSONArea < proto.OldJSONArea || s.JSONArea > proto.MaxJSONArea) {
		return fmt.Errorf("state: -json-area %d is not in %d..%d", s.JSONArea, proto.OldJSONArea, proto.MaxJSONArea)
	}
	if s.Keep < 0 {
		return fmt.Errorf("state: -keep %d: at least 1 recording stays (0 for %d)", s.Keep, audiofile.DefaultKeep)
	}
	if s.MaxUsers < 0 || s.MaxUsers > maxRoom {
		return fmt.Errorf("state: -max-users %d is not in 1..%d (0 for %d)", s.MaxUsers, maxRoom, proto.DefaultMaxUsers)
	}
	if n := len(s.ControlSecret); n != 0 && (n < proto.MinSecretBytes || n > proto.MaxSecretBytes) {
		return fmt.Errorf("state: a control secret of %d characters, it must have %d to %d", n, proto.MinSecretBytes, proto.MaxSecretBytes)
	}
	return nil
}

// tickEvery is how often the brigade is told that time passes: recordings want it
// four times a second.
const tickEvery = time.Second / 4

// engine is a brigade with its clock. It belongs to one goroutine.
type engine struct {
	brigade  *brigade.Brigade
	now      func() proto.Clock
	began    proto.Clock
	ticked   proto.Clock
	mix      func(dst []float32)
	memory   interface{ close() error } // where the rings lie
	ends     *ends                      // nil: nothing outlives the process
	shelf    *shelf
	recorder *recorder // nil: nothing is recorded
	measures *measures
	log      *slog.Logger

	// What telemetry tells of the program.
	started         time.Time
	version, branch string
}

// newEngine makes an engine, which goes on with what the last one has left in dir;
// if dir is empty it leaves nothing. An error names the setting that makes no sense.
func newEngine(s Settings, dir string) (*engine, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if s.JSONArea == 0 {
		s.JSONArea = proto.MaxJSONArea
	}
	if s.Log == nil {
		s.Log = slog.Default()
	}
	f, err := newShelf(s)
	if err != nil {
		return nil, err
	}
	c := brigade.Config{
		MaxUsers:     s.MaxUsers,
		InstanceName: s.InstanceName,
		JSONArea:     s.JSONArea,

		ControlSecret: s.ControlSecret,
		VideoToken:    s.VideoToken,
	}
	f.fill(&c)
	var r *recorder
	if s.Recordings != "" {
		if r, err = newRecorder(recording{dir: s.Recordings, keep: s.Keep, stems: s.Stems, flac: s.FLAC}, s.Log); err != nil {
			return nil, err
		}
		c.Recorder, c.Stems = r, s.Stems
	}
	e := &engine{
		now: s.Now, shelf: f, recorder: r, measures: &measures{}, log: s.Log,
		started: time.Now(), version: cmp.Or(s.Version, "unknown"), branch: cmp.Or(s.Branch, "unknown"),
	}
	if err := e.makeBrigade(c, dir, s); err != nil {
		return nil, err
	}
	f.await(e.brigade.AwaitedTracks())
	e.began = e.now()
	e.ticked, e.mix = e.began, e.measures.mixing(e.brigade.Mix)
	return e, nil
}

// makeBrigade makes the brigade, and the clock if there is none.
func (e *engine) makeBrigade(c brigade.Config, dir string, s Settings) error {
	if dir == "" {
		if e.now == nil {
			e.now = NewSteadyClock().Now
		}
		rings, err := mapRings(c.Stems)
		if err != nil {
			return err
		}
		c.Rings = &rings.rings
		e.memory, e.brigade = rings, brigade.New(c)
		return nil
	}
	where := space{dir: dir, log: s.Log, reserve: s.reserve}
	if where.reserve == nil {
		where.reserve = allocate
	}
	v, err := surviving(where, c.Stems)
	if err != nil {
		return where.tell(err, c)
	}
	if e.now == nil {
		e.now = v.clock().Now
	}
	if e.brigade, err = v.brigade(c, e.now); err != nil {
		return errors.Join(where.tell(err, c), v.close())
	}
	e.memory, e.ends = v, v.rings.ends
	return nil
}

// start starts what works beside the engine: on folders, on recordings. stop ends
// it, after what is left to record.
func (e *engine) start(ctx context.Context) (stop func()) {
	closeShelf := e.shelf.start(ctx)
	if e.recorder != nil {
		e.recorder.start()
	}
	return func() {
		// It is not committed: the next server goes on with the song, and writes over
		// what was written here before all had sung.
		e.brigade.FinishRecording()
		if e.recorder != nil {
			e.recorder.close()
		}
		closeShelf()
	}
}

// close gives the memory of the ring back. The engine is of no use any more; what
// start has started must be stopped.
func (e *engine) close() error { return e.memory.close() }

// handle carries req out. ans lacks its PCM: samples of it are to be had from
// mix, before the next call of anything. What ans holds is used again then.
func (e *engine) handle(req *proto.Request, ans *proto.Answer) (samples int) {
	if req.Kind == proto.KindUploaded {
		*ans = proto.Answer{Summary: ans.Summary[:0], Upload: e.shelf.status(req.Upload)}
		return 0
	}
	began := time.Now()
	e.brigade.Handle(e.now(), req, ans)
	e.measures.handle.Since(began)
	e.measures.answered(ans.Code, ans.Error)
	return e.brigade.Samples()
}

// tick ticks the brigade if it is time.
func (e *engine) tick() {
	if now := e.now(); now.Sub(e.ticked) >= proto.DurationSamples(tickEvery) {
		if late := now.Sub(e.ticked); late >= proto.DurationSamples(stall) {
			e.measures.stalls.Add(1)
			e.log.Warn("odd timing: the brigade stood still", "seconds", seconds(late))
		}
		e.ticked = now
		e.brigade.Tick(now)
		e.measures.count(e.brigade.Census())
		if now.Sub(e.began) >= soundAfter*proto.SampleRate {
			e.ends.forget()
		}
	}
}

// telemetry copies what there is to tell to operators.
func (e *engine) telemetry() *brigade.Telemetry {
	t := e.brigade.Telemetry(e.now())
	t.RequestTime, t.Started, t.Version, t.Branch = time.Now(), e.started, e.version, e.branch
	return t
}
