package audiofile

import "fmt"

// SampleRate is the only one read or written, in samples a second.
const SampleRate = 48000

// MaxSamples is the length of the longest file read or written: an hour, as
// float32 691 MB.
const MaxSamples = 3600 * SampleRate

// tooLong says that there are at least so many samples, and what the limit is.
func tooLong(samples, limit int64) error {
	return fmt.Errorf("%d samples or more, at most %d, %d minutes, are allowed; cut it into parts",
		samples, limit, limit/SampleRate/60)
}
