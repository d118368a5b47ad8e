package voice

import (
	"fmt"
	"math"
)

// Note is one of a melody.
type Note struct {
	Semitones float64 // above the keynote
	Beats     float64 // how long, above 0 and at most 64
	Rest      bool    // nothing is sung
	Breath    bool    // the note ends early and a breath is taken
}

// SungConfig says who sings what.
type SungConfig struct {
	Seed   uint64  // two seeds are two singers
	Pitch  float64 // of the keynote, 60 to 800 Hz; 0: a range that fits the seed's throat
	Tempo  float64 // beats a minute, 20 to 400; 0: 96
	Melody []Note  // sung over and over; nil: DefaultMelody
}

// DefaultMelody is a round of eight bars, 32 beats: twenty seconds at the
// default tempo.
func DefaultMelody() []Note {
	bars := [][]Note{
		{{Semitones: 0, Beats: 1}, {Semitones: 2, Beats: 1}, {Semitones: 4, Beats: 1}, {Semitones: 0, Beats: 1}},
		{{Semitones: 4, Beats: 1}, {Semitones: 5, Beats: 1}, {Semitones: 7, Beats: 2, Breath: true}},
		{{Semitones: 7, Beats: .5}, {Semitones: 9, Beats: .5}, {Semitones: 7, Beats: .5}, {Semitones: 5, Beats: .5},
			{Semitones: 4, Beats: 1}, {Semitones: 0, Beats: 1}},
		{{Semitones: 0, Beats: 1}, {Semitones: -5, Beats: 1}, {Semitones: 0, Beats: 2, Breath: true}},
	}
	var melody []Note
	for _, bar := range bars {
		melody = append(append(melody, bar...), bar...)
	}
	return melody
}

// Sung is a voice that sings. The peak stays below 0.5; the RMS while it sounds
// is about 0.1. Beat b of the melody begins at sample 48000*60*b/Tempo, to the
// millisecond, with its consonant; no error adds up over time.
type Sung struct {
	reader  blockReader
	tract   tract
	chance  chance
	config  SungConfig
	throat  float64
	vibrato struct{ rate, cents, phase float64 }

	block      int     // milliseconds since the beginning
	index      int     // of the next note in the melody
	beat       float64 // at which it begins
	note       Note    // now
	start, end int     // of note, in blocks
	syllable   syllable
}

// NewSung makes a singer. It panics if the configuration is out of range.
func NewSung(config SungConfig) *Sung {
	s := &Sung{config: config, chance: newChance(config.Seed, 1)}
	size := spread(config.Seed)
	s.throat = 0.95 + 0.27*size
	// A long throat goes with low notes: keynotes from 115 to 250 Hz.
	pitch := 115 * math.Exp2(1.12*size)
	s.vibrato.rate = s.chance.between(5, 6)
	s.vibrato.cents = s.chance.between(25, 55)
	s.vibrato.phase = s.chance.between(0, 1)
	if s.config.Pitch == 0 {
		s.config.Pitch = pitch
	}
	if s.config.Tempo == 0 {
		s.config.Tempo = 96
	}
	if s.config.Melody == nil {
		s.config.Melody = DefaultMelody()
	}
	s.config.Melody = append([]Note(nil), s.config.Melody...)
	s.config.mustBeSound()
	s.tract = newTract(newChance(config.Seed, 2), 0.1, s.chance.between(0.02, 0.05), vowels[0], s.config.Pitch)
	return s
}

// mustBeSound panics at what nobody can sing.
func (c SungConfig) mustBeSound() {
	if !(c.Pitch >= 60 && c.Pitch <= 800) {
		panic(fmt.Sprintf("voice: a keynote of %v Hz is not in 60..800", c.Pitch))
	}
	if !(c.Tempo >= 20 && c.Tempo <= 400) {
		panic(fmt.Sprintf("voice: a tempo of %v beats a minute is not in 20..400", c.Tempo))
	}
	if len(c.Melody) == 0 {
		panic("voice: a melody without notes")
	}
	for i, n := range c.Melody {
		if !(n.Beats > 0.05 && n.Beats <= 64) || !(math.Abs(n.Semitones) <= 24) {
			panic(fmt.Sprintf("voice: note %d has %v beats (limit 0.05..64) and %v semitones (limit ±24)", i, n.Beats, n.Semitones))
		}
	}
}

// Read fills dst with the next samples.
func (s *Sung) Read(dst []float32) { s.reader.read(dst, s) }

func (s *Sung) fill(block *[blockSamples]float32) {
	if s.block >= s.end {
		s.nextNote()
	}
	goal := s.gesture(s.block-s.start, s.end-s.block)
	s.tract.sound(block, &goal)
	s.block++
}

// nextNote goes on to the note that is due.
func (s *Sung) nextNote() {
	s.note = s.config.Melody[s.index]
	s.index = (s.index + 1) % len(s.config.Melody)
	s.start = s.blockOfBeat(s.beat)
	s.beat += s.note.Beats
	s.end = s.blockOfBeat(s.beat)
	s.syllable = randomSyllable(&s.chance, s.throat)
}

func (s *Sung) blockOfBeat(beat float64) int {
	return int(math.Round(beat * 60 / s.config.Tempo * blocksPerSecond))
}

const (
	gapMs       = 35  // between two notes
	inhaleMs    = 380 // a breath between phrases
	inhaleLevel = 0.010
)

// gesture is that of now: ms after the note began, left before it ends.
func (s *Sung) gesture(ms, left int) gesture {
	pitch := s.config.Pitch * math.Exp2((s.note.Semitones+s.bend(ms)/100)/12)
	goal := s.syllable.gesture(ms, pitch)
	inhale := min(inhaleMs, (s.end-s.start)*2/5)
	switch {
	case s.note.Rest:
		goal.voiced, goal.hiss = 0, 0
	case s.note.Breath && left <= inhale:
		goal.voiced = 0
		goal.centre, goal.width = 1400*s.throat, 1500
		goal.hiss = inhaleLevel * math.Sin(math.Pi*float64(left)/float64(inhale))
	case left <= gapMs:
		goal.voiced *= 0.25
	}
	return goal
}

// bend is the vibrato in cents. It sets in a quarter of a second after the
// note and is full a third of a second later; its rate strays by itself.
func (s *Sung) bend(ms int) float64 {
	v := &s.vibrato
	v.phase += (v.rate + 0.8*s.chance.signed()) / blocksPerSecond
	v.phase -= math.Floor(v.phase)
	fade := min(max(float64(ms-250)/330, 0), 1)
	return v.cents * fade * math.Sin(2*math.Pi*v.phase)
}
