package voice

import (
	"fmt"
	"math"
)

// SpokenConfig says who speaks.
type SpokenConfig struct {
	Seed  uint64  // two seeds are two speakers who say different things
	Pitch float64 // middle of the voice, 60 to 400 Hz; 0: one that fits the seed
}

// Spoken is a voice that talks: phrases of five to twelve syllables that sink
// in pitch, an accent now and then, pauses, some with a breath. The peak stays
// below 0.5; the RMS while it sounds is about 0.065. Pauses are digital silence:
// for a microphone's, mix RoomNoise in.
type Spoken struct {
	reader blockReader
	tract  tract
	chance chance
	throat float64
	pitch  float64

	syllable  syllable
	ms, end   int     // since the syllable or pause began, and how long it is
	coda      int     // where its tone ends
	left      int     // syllables in this phrase; 0 is the pause behind it
	spoken    int     // syllables in this phrase so far
	semitones float64 // of the syllable above the middle of the voice
	breath    float64 // strength of the breath in this pause
}

// NewSpoken makes a speaker. It panics if the configuration is out of range.
func NewSpoken(config SpokenConfig) *Spoken {
	s := &Spoken{chance: newChance(config.Seed, 3), pitch: config.Pitch}
	size := spread(config.Seed)
	s.throat = 0.95 + 0.25*size
	pitch := 100 * math.Exp2(1.05*size)
	if s.pitch == 0 {
		s.pitch = pitch
	}
	if !(s.pitch >= 60 && s.pitch <= 400) {
		panic(fmt.Sprintf("voice: speech at %v Hz is not in 60..400", s.pitch))
	}
	s.tract = newTract(newChance(config.Seed, 4), 0.08, s.chance.between(0.04, 0.08), vowels[1], s.pitch)
	s.left = s.chance.upTo(8) + 5
	return s
}

// Read fills dst with the next samples.
func (s *Spoken) Read(dst []float32) { s.reader.read(dst, s) }

func (s *Spoken) fill(block *[blockSamples]float32) {
	if s.ms >= s.end {
		s.next()
	}
	goal := s.gesture()
	s.tract.sound(block, &goal)
	s.ms++
}

// next begins a syllable, or the pause that ends a phrase.
func (s *Spoken) next() {
	s.ms = 0
	if s.left == 0 {
		s.end = int(s.chance.between(250, 900))
		s.breath = 0
		if s.end > 400 && s.chance.upTo(2) == 0 {
			s.breath = inhaleLevel
		}
		s.left, s.spoken = s.chance.upTo(8)+5, 0
		s.coda = 0
		return
	}
	s.left--
	s.spoken++
	s.breath = 0
	s.syllable = randomSyllable(&s.chance, s.throat)
	s.end = s.syllable.onset.ms + int(s.chance.between(70, 190))
	s.coda = s.end - int(s.chance.between(5, 40))
	s.semitones = 3 - 0.7*float64(s.spoken) + s.chance.between(-1, 1)
	if s.chance.upTo(4) == 0 {
		s.semitones += 4
		s.end += 40
	}
	if s.left == 0 {
		s.end += 80
		s.coda += 80
		s.semitones -= 2
	}
}

func (s *Spoken) gesture() gesture {
	goal := s.syllable.gesture(s.ms, s.pitch*math.Exp2(s.semitones/12))
	if s.ms >= s.coda {
		goal.voiced, goal.hiss = 0, 0
	}
	if s.breath > 0 {
		goal.centre, goal.width = 1400*s.throat, 1500
		goal.hiss = s.breath * math.Sin(math.Pi*float64(s.ms)/float64(s.end))
	}
	return goal
}
