package state

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

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
	// Log takes what the operator should know; slog.Default() if nil.
	Log *slog.Logger
	// Now is the server clock; a SteadyClock if nil.
	Now func() proto.Clock
}

// check finds settings that make no sense.
func (s Settings) check() error {
	if s.JSONArea != 0 && (s.JSONArea < proto.OldJSONArea || s.JSONArea > proto.MaxJSONArea) {
		return fmt.Errorf("state: -json-area %d is not in %d..%d", s.JSONArea, proto.OldJSONArea, proto.MaxJSONArea)
	}
	if s.MaxUsers < 0 {
		return fmt.Errorf("state: -max-users %d: a room takes at least 1", s.MaxUsers)
	}
	if n := len(s.ControlSecret); n != 0 && (n < proto.MinSecretBytes || n > proto.MaxSecretBytes) {
		return fmt.Errorf("state: a control secret of %d characters, it must have %d to %d", n, proto.MinSecretBytes, proto.MaxSecretBytes)
	}
	return nil
}

// tickEvery is how often the brigade is told that time passes.
const tickEvery = time.Second

// engine is a brigade with its clock. It belongs to one goroutine.
type engine struct {
	brigade *brigade.Brigade
	now     func() proto.Clock
	ticked  proto.Clock
	mix     func(dst []float32)
	shelf   *shelf

	// What telemetry tells of the program.
	started         time.Time
	version, branch string
}

func newEngine(s Settings, f *shelf) *engine {
	if s.JSONArea == 0 {
		s.JSONArea = proto.MaxJSONArea
	}
	if s.Now == nil {
		s.Now = NewSteadyClock().Now
	}
	c := brigade.Config{
		MaxUsers:     s.MaxUsers,
		InstanceName: s.InstanceName,
		JSONArea:     s.JSONArea,

		ControlSecret: s.ControlSecret,
		VideoToken:    s.VideoToken,
	}
	f.fill(&c)
	b := brigade.New(c)
	return &engine{
		brigade: b, now: s.Now, ticked: s.Now(), mix: b.Mix, shelf: f,
		started: time.Now(), version: cmp.Or(s.Version, "unknown"), branch: cmp.Or(s.Branch, "unknown"),
	}
}

// handle carries req out. ans lacks its PCM: samples of it are to be had from
// mix, before the next call of anything.
func (e *engine) handle(req *proto.Request, ans *proto.Answer) (samples int) {
	if req.Kind == proto.KindUploaded {
		*ans = proto.Answer{Summary: ans.Summary[:0], Upload: e.shelf.status(req.Upload)}
		return 0
	}
	e.brigade.Handle(e.now(), req, ans)
	return e.brigade.Samples()
}

// tick ticks the brigade if it is time.
func (e *engine) tick() {
	if now := e.now(); now.Sub(e.ticked) >= proto.DurationSamples(tickEvery) {
		e.ticked = now
		e.brigade.Tick(now)
	}
}

// telemetry copies what there is to tell to operators.
func (e *engine) telemetry() *brigade.Telemetry {
	t := e.brigade.Telemetry(e.now())
	t.RequestTime, t.Started, t.Version, t.Branch = time.Now(), e.started, e.version, e.branch
	return t
}
