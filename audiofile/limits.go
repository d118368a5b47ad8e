package audiofile

import (
	"errors"
	"fmt"
)

// SampleRate is the only one handed out or written, in samples a second.
const SampleRate = 48000

// MaxSamples is the length of the longest file read or written: an hour, as
// float32 691 MB.
const MaxSamples = 3600 * SampleRate

// MaxTrackBytes is the size of the largest file taken as a backing track. An
// hour of MP3 at 320 kbit/s has 144 MB, a song of six minutes as WAV of 24 bits
// at 96 kHz in stereo 207 MB.
const MaxTrackBytes = 200_000_000

// What a backing track may have before it becomes mono at SampleRate.
const (
	minTrackRate     = 8000 // Hz
	maxTrackRate     = 192000
	maxTrackChannels = 8
)

// maxMagnitude bounds a sample of a float file, full scale being 1. Some
// programs write floats with the full scale of integers, 32768 or 2³¹; beyond
// lies damage only.
const maxMagnitude = 1 << 32

// ErrTooLong is what errors of files that are sound but too long are, to
// errors.Is.
var ErrTooLong = errors.New("too long")

// tooLongError says that there are at least so many samples, and what the limit
// is.
type tooLongError struct{ samples, limit int64 }

func (e tooLongError) Error() string {
	return fmt.Sprintf("%d samples or more, at most %d, %d minutes, are allowed; cut it into parts",
		e.samples, e.limit, e.limit/SampleRate/60)
}

func (e tooLongError) Is(target error) bool { return target == ErrTooLong }

func tooLong(samples, limit int64) error { return tooLongError{samples, limit} }

// checkShape refuses rates and channel counts that no backing track may have.
func checkShape(rate, channels int) error {
	if rate < minTrackRate || rate > maxTrackRate {
		return fmt.Errorf("a sample rate of %d Hz, only %d to %d are allowed; convert it first (sox IN -r %d OUT.wav)",
			rate, minTrackRate, maxTrackRate, SampleRate)
	}
	if channels < 1 || channels > maxTrackChannels {
		return fmt.Errorf("%d channels, only 1 to %d are allowed; mix it down first (sox IN -c 1 OUT.wav)", channels, maxTrackChannels)
	}
	return nil
}
