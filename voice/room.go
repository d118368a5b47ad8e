package voice

import (
	"fmt"
	"math"
)

// RoomNoiseConfig says what a silent singer's microphone picks up.
type RoomNoiseConfig struct {
	Seed  uint64
	Level float64 // RMS of the whole, up to 0.05; 0: 0.003, a quiet room
	Mains float64 // Hz of the hum, 40 to 70; 0: 50
}

// RoomNoise is a singer who only listens: noise that falls off upwards, mains
// hum with three overtones, and a breath every few seconds.
type RoomNoise struct {
	reader blockReader
	chance chance
	level  float64
	mains  float64

	phase         float64 // of the mains, in turns
	low, mid      float64 // states of the low-passes
	breath        band
	block, inhale int     // since the breath began, and how long it sounds, in ms
	period        int     // from this breath to the next, in ms
	strength      float64 // of this breath
}

// NewRoomNoise makes a room. It panics if the configuration is out of range.
func NewRoomNoise(config RoomNoiseConfig) *RoomNoise {
	r := &RoomNoise{chance: newChance(config.Seed, 5), level: config.Level, mains: config.Mains}
	if r.level == 0 {
		r.level = 0.003
	}
	if r.mains == 0 {
		r.mains = 50
	}
	if !(r.level > 0 && r.level <= 0.05) || !(r.mains >= 40 && r.mains <= 70) {
		panic(fmt.Sprintf("voice: room noise of %v (limit 0..0.05) with a hum of %v Hz (limit 40..70)", r.level, r.mains))
	}
	r.phase = r.chance.between(0, 1)
	r.period = int(r.chance.between(200, 3000)) // nobody starts with a breath
	return r
}

// Read fills dst with the next samples.
func (r *RoomNoise) Read(dst []float32) { r.reader.read(dst, r) }

func (r *RoomNoise) fill(block *[blockSamples]float32) {
	if r.block >= r.period {
		r.nextBreath()
	}
	var air float64
	if r.block < r.inhale {
		air = r.strength * math.Sin(math.Pi*float64(r.block)/float64(r.inhale))
	}
	for i := range block {
		white := r.chance.white()
		// Three bands that overlap fall about 3 dB an octave, like pink noise.
		r.low += 0.007 * (white - r.low) // 53 Hz
		r.mid += 0.1 * (white - r.mid)   // 800 Hz
		noise := 7*r.low + 2*r.mid + 0.25*white
		block[i] = float32(r.level * (0.95*noise + air*r.breath.step(white) + r.hum()))
	}
	r.block++
}

// hum is the mains and its overtones, of RMS 0.3.
func (r *RoomNoise) hum() float64 {
	r.phase += r.mains / SampleRate
	if r.phase >= 1 {
		r.phase--
	}
	sin, cos := math.Sincos(2 * math.Pi * r.phase)
	return 0.32 * (sin + 0.7*(2*sin*cos) + 0.45*(sin*(3-4*sin*sin)))
}

func (r *RoomNoise) nextBreath() {
	r.block = 0
	r.inhale = int(r.chance.between(500, 1100))
	r.period = int(r.chance.between(3000, 5500))
	r.strength = r.chance.between(0.5, 1.2)
	r.breath.tune(r.chance.between(900, 1800), 1200)
}
