package load

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	t.Parallel()
	var all, even, odd Histogram
	for i := range 10000 {
		d := time.Duration(i) * 37 * time.Microsecond
		all.Record(d)
		if i%2 == 0 {
			even.Record(d)
		} else {
			odd.Record(d)
		}
	}
	text, err := json.Marshal([]Histogram{even, odd, {}})
	if err != nil {
		t.Fatal(err)
	}
	var read []Histogram
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	var merged Histogram
	for _, h := range read {
		merged.Merge(h)
	}
	if merged.Count() != 10000 || read[2].Count() != 0 {
		t.Errorf("%d counts, %d in the empty one", merged.Count(), read[2].Count())
	}
	for _, percent := range []float64{1, 50, 90, 99, 99.9, 100} {
		if merged.At(percent) != all.At(percent) {
			t.Errorf("%g %%: merged %v, of all %v", percent, merged.At(percent), all.At(percent))
		}
	}
	if got := all.At(99); got < 366*time.Millisecond || got > 367*time.Millisecond {
		t.Errorf("99 %% are at %v", got)
	}
	var sum int64
	for _, b := range merged.Bars() {
		sum += b.Count
	}
	if sum != 10000 {
		t.Errorf("the bars hold %d", sum)
	}
	// The original is not what was merged into.
	merged.Record(time.Hour)
	if merged.Max() < 59*time.Second || even.Count() != 5000 || read[0].Count() != 5000 {
		t.Errorf("longest %v; %d and %d in the parts", merged.Max(), even.Count(), read[0].Count())
	}
}

func TestHistogramsThatAreNotOurs(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		`5`:      "histogram",
		`"AAAA"`: "histogram",
		`"HISTFAAAACB4nJNpmSzMwMDAyQABzFCaEUoz2X+AMIKZAEARAtM="`: "",
	} {
		var h Histogram
		err := json.Unmarshal([]byte(text), &h)
		if err == nil && says != "" || err != nil && !strings.Contains(err.Error(), "histogram") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzReadResult(f *testing.F) {
	f.Add(`{"version":2,"machines":[{"number":1,"of":1}],"seconds":[{"second":3,"latency":""}]}`)
	f.Add(`{"version":2,"machines":[{}],"latency":"HISTFAAAACB4nJNpmSzMwMDAyQABzFCaEUoz2X+AMIKZAEARAtM="}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ReadResult(strings.NewReader(text))
		if err != nil {
			return
		}
		var b strings.Builder
		if err := r.Write(&b); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadResult(strings.NewReader(b.String())); err != nil {
			t.Fatalf("%s became %s: %v", text, b.String(), err)
		}
	})
}
