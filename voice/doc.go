// Package voice makes test voices and finds them again in what a listener
// hears. Load tests and the demo sing with it, and judge with it whether the
// right singers arrive, how loud, and how late.
//
// All audio is mono float32 at 48 kHz with full scale ±1. Every generator is
// determined by its configuration alone, so a test can make the same voice a
// second time and compare. A generator belongs to one goroutine and allocates
// nothing once made.
//
// # Voices
//
//	Sung       a melody on vowels, with consonants, vibrato and breaths
//	Spoken     syllables, voiced and unvoiced, with intonation and pauses
//	RoomNoise  a singer who listens: room, mains hum, breathing
//	Silence    zeros, which no microphone ever gives
//	Pattern    a keyed noise that can be told from any other, to the sample
//	Mix        several of these at once, each at its own gain
//
// Sung and Spoken share one vocal tract:
//
//	pitch ─> glottis ─> 5 formants ─> level ─┬─> limiter ─> samples
//	hiss ──> band ───────────────────────────┘
//
// A gesture says every millisecond where tongue and vocal folds should be
// going; the tract glides there, as muscles do.
//
// # Finding them again
//
// Align tells how late one known signal arrived. Fit does so for several that
// sound at once. Find looks for a Pattern of which only the id is known.
package voice
