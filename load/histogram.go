package load

import (
	"encoding/json"
	"fmt"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// maxLatency is what a histogram holds at most; what takes longer counts as
// this.
const maxLatency = time.Minute

// Histogram counts durations, in microseconds up to a minute. The zero value is
// empty. As JSON it is the compressed, base64-coded form that all HdrHistogram
// libraries read, or "" if it is empty; merging loses nothing.
type Histogram struct {
	h      *hdr.Histogram
	coarse bool
}

// make gives room to an empty one: some 190 kB at three digits, 25 kB at two.
func (h *Histogram) make() {
	if h.h != nil {
		return
	}
	digits := 3
	if h.coarse {
		digits = 2
	}
	h.h = hdr.New(1, maxLatency.Microseconds(), digits)
}

// Record counts d.
func (h *Histogram) Record(d time.Duration) {
	h.make()
	if err := h.h.RecordValue(min(max(d, 0), maxLatency).Microseconds()); err != nil {
		panic("load: " + err.Error()) // never: it lies within the range
	}
}

// Count is how many were recorded.
func (h *Histogram) Count() int64 {
	if h.h == nil {
		return 0
	}
	return h.h.TotalCount()
}

// At is the duration that percent of all stay below or at; 0 if there is none.
func (h *Histogram) At(percent float64) time.Duration {
	if h.Count() == 0 {
		return 0
	}
	return time.Duration(h.h.ValueAtPercentile(percent)) * time.Microsecond
}

// Max is the longest, exact to the digits kept; 0 if there is none.
func (h *Histogram) Max() time.Duration {
	if h.Count() == 0 {
		return 0
	}
	return time.Duration(h.h.Max()) * time.Microsecond
}

// Merge adds what another one counted.
func (h *Histogram) Merge(other Histogram) {
	if other.Count() == 0 {
		return
	}
	if h.h == nil {
		h.coarse = other.coarse
		h.h = other.h.Clone()
		return
	}
	if dropped := h.h.Merge(other.h); dropped > 0 {
		panic(fmt.Sprintf("load: %d counts do not fit into the histogram", dropped)) // never: UnmarshalJSON has seen the range
	}
}

// Bar is one step of a distribution: Count lie in From..To.
type Bar struct {
	From, To time.Duration
	Count    int64
}

// Bars gives what was counted, in order, without empty bars.
func (h *Histogram) Bars() []Bar {
	if h.Count() == 0 {
		return nil
	}
	var bars []Bar
	for _, b := range h.h.Distribution() {
		if b.Count > 0 {
			bars = append(bars, Bar{time.Duration(b.From) * time.Microsecond, time.Duration(b.To) * time.Microsecond, b.Count})
		}
	}
	return bars
}

// MarshalJSON gives the coded form.
func (h Histogram) MarshalJSON() ([]byte, error) {
	if h.Count() == 0 {
		return []byte(`""`), nil
	}
	text, err := h.h.Encode(hdr.V2CompressedEncodingCookieBase)
	if err != nil {
		return nil, fmt.Errorf("code a histogram: %w", err)
	}
	return json.Marshal(string(text))
}

// UnmarshalJSON reads the coded form. One that was not made for the same range is
// an error.
func (h *Histogram) UnmarshalJSON(text []byte) error {
	var coded string
	if err := json.Unmarshal(text, &coded); err != nil {
		return fmt.Errorf("histogram: %w", err)
	}
	*h = Histogram{}
	if coded == "" {
		return nil
	}
	read, err := hdr.Decode([]byte(coded))
	if err != nil {
		return fmt.Errorf("histogram: %w", err)
	}
	if read.LowestTrackableValue() != 1 || read.HighestTrackableValue() != maxLatency.Microseconds() {
		return fmt.Errorf("histogram of %d..%d µs, ours are of 1..%d",
			read.LowestTrackableValue(), read.HighestTrackableValue(), maxLatency.Microseconds())
	}
	switch read.SignificantFigures() {
	case 2:
		h.coarse = true
	case 3:
	default:
		return fmt.Errorf("histogram of %d digits, ours have 2 or 3", read.SignificantFigures())
	}
	h.h = read
	return nil
}

// milliseconds is d as a result tells it.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
