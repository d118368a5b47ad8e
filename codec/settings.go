package codec

import (
	"encoding"
	"fmt"

	"gopkg.in/hraban/opus.v2"

	"bucketbrigade/proto"
)

// Application is what libopus optimises an encoder for.
type Application int

const (
	// LowDelay codes CELT only: 120 samples of delay, and a cost that depends
	// little on what is sung or said.
	LowDelay Application = 1 + iota
	// Audio is what browsers use: 312 samples of delay, and from complexity 7 on
	// SILK joins in where somebody speaks or breathes, at three times the cost.
	Audio
)

// applications are their names on command lines.
var applications = map[Application]string{LowDelay: "lowdelay", Audio: "audio"}

var (
	_ encoding.TextMarshaler   = Application(0)
	_ encoding.TextUnmarshaler = (*Application)(nil)
)

func (a Application) String() string { return applications[a] }

// Delay is how much later than it went in, in samples, sound comes out of a
// decoder.
func (a Application) Delay() int {
	if a == Audio {
		return 312
	}
	return 120
}

// MarshalText gives the name.
func (a Application) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText takes "lowdelay" or "audio".
func (a *Application) UnmarshalText(text []byte) error {
	for known, name := range applications {
		if name == string(text) {
			*a = known
			return nil
		}
	}
	return fmt.Errorf("%s is not known, %s and %s are", proto.Shown(string(text)), LowDelay, Audio)
}

// What Settings may say.
const (
	MaxComplexity = 10
	MinBitrate    = 6000
	MaxBitrate    = 510000
)

// Settings say how an encoder works. They are [Default] and [Browser], and what
// is made of these; the zero value is none.
type Settings struct {
	Application Application
	// Complexity trades processor for quality, 0..MaxComplexity.
	Complexity int
	// Bitrate is in bits a second, MinBitrate..MaxBitrate; 0 leaves it to
	// libopus, which takes some 50 000.
	Bitrate int
}

// Default is what a shard encodes with. docs/opus-settings.md has the
// measurements behind it.
func Default() Settings { return Settings{Application: LowDelay, Complexity: 5} }

// Browser is what libopus does by itself, and with it the web client.
func Browser() Settings { return Settings{Application: Audio, Complexity: 9} }

// Check finds what no encoder can be made with.
func (s Settings) Check() error {
	switch {
	case applications[s.Application] == "":
		return fmt.Errorf("opus: application %d is not known", s.Application)
	case s.Complexity < 0 || s.Complexity > MaxComplexity:
		return fmt.Errorf("opus: complexity %d is not in 0..%d", s.Complexity, MaxComplexity)
	case s.Bitrate != 0 && (s.Bitrate < MinBitrate || s.Bitrate > MaxBitrate):
		return fmt.Errorf("opus: %d bits a second are not in %d..%d", s.Bitrate, MinBitrate, MaxBitrate)
	}
	return nil
}

// NewEncoder makes an encoder with fresh state, about 44 kB. It panics at
// settings that Check finds fault with.
func (s Settings) NewEncoder() *Encoder {
	if err := s.Check(); err != nil {
		panic(err.Error())
	}
	app := opus.AppRestrictedLowdelay
	if s.Application == Audio {
		app = opus.AppAudio
	}
	e, err := opus.NewEncoder(proto.SampleRate, 1, app)
	if err != nil {
		panic(fmt.Sprintf("codec: libopus refuses 48 kHz mono: %v", err))
	}
	if err := e.SetComplexity(s.Complexity); err != nil {
		panic(fmt.Sprintf("codec: libopus refuses complexity %d: %v", s.Complexity, err))
	}
	if s.Bitrate != 0 {
		if err := e.SetBitrate(s.Bitrate); err != nil {
			panic(fmt.Sprintf("codec: libopus refuses %d bits a second: %v", s.Bitrate, err))
		}
	}
	return &Encoder{opus: e}
}

// NewStream makes a stream that is encoded with these settings.
func (s Settings) NewStream() *Stream { return &Stream{settings: s} }

// LibraryVersion is what libopus calls itself, such as "libopus 1.3.1".
func LibraryVersion() string { return opus.Version() }
