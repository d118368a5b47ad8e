package state

import (
	"fmt"
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
	// JSONArea is the size of a message's JSON area; proto.MaxJSONArea if 0.
	JSONArea int
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
}

func newEngine(s Settings) *engine {
	if s.JSONArea == 0 {
		s.JSONArea = proto.MaxJSONArea
	}
	if s.Now == nil {
		s.Now = NewSteadyClock().Now
	}
	b := brigade.New(brigade.Config{
		MaxUsers:     s.MaxUsers,
		InstanceName: s.InstanceName,
		JSONArea:     s.JSONArea,
	})
	return &engine{brigade: b, now: s.Now, ticked: s.Now(), mix: b.Mix}
}

// handle carries req out. ans lacks its PCM: samples of it are to be had from
// mix, before the next call of anything.
func (e *engine) handle(req *proto.Request, ans *proto.Answer) (samples int) {
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
