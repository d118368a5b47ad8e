package proto_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"bucketbrigade/proto"
)

func TestClockAt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sec, nsec int64
		want      proto.Clock
	}{
		{0, 0, 0},
		{1, 0, 48000},
		{0, 999999999, 47999},
		{0, 20833, 0}, // a sample lasts 20 833⅓ ns
		{0, 20834, 1},
		{0, 41666, 1},
		{0, 41667, 2},
		{1800000000, 0, 86400000000000},
		{1800000000, 500000000, 86400000024000},
		{-1, 999999999, -1}, // rounded down, not towards zero
		{253402300799, 999999999, 253402300800*48000 - 1},
	} {
		if got := proto.ClockAt(time.Unix(c.sec, c.nsec)); got != c.want {
			t.Errorf("%d.%09d s: %d, want %d", c.sec, c.nsec, got, c.want)
		}
	}
}

func TestClockArithmetic(t *testing.T) {
	t.Parallel()
	c := proto.Clock(86400000000000)
	if got := c.Add(2880).Sub(c); got != 2880 {
		t.Errorf("Add, Sub: %d", got)
	}
	if got := c.Add(-2880).Sub(c); got != -2880 {
		t.Errorf("Add, Sub: %d", got)
	}
	if got := c.String(); got != "86400000000000" {
		t.Errorf("String: %s", got)
	}
	if got := (proto.Span{From: c, To: c.Add(5)}).Len(); got != 5 {
		t.Errorf("Len: %d", got)
	}
	if got := (proto.Span{From: c, To: c.Add(-5)}).Len(); got != -5 {
		t.Errorf("Len: %d", got)
	}
}

func TestClockTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		clock proto.Clock
		want  time.Time
	}{
		{0, time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)},
		{86_400_000_000_001, time.Date(2027, 1, 15, 8, 0, 0, 20833, time.UTC)},
		{1 << 47, time.Date(2062, 11, 29, 13, 3, 27, 402666666, time.UTC)},
	} {
		if got := c.clock.Time(); !got.Equal(c.want) || got.Location() != time.UTC {
			t.Errorf("clock %d is %v, want %v", c.clock, got, c.want)
		}
		if back := proto.ClockAt(c.clock.Time().Add(time.Microsecond)); back != c.clock {
			t.Errorf("clock %d comes back as %d", c.clock, back)
		}
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		d time.Duration
		n int
	}{
		{0, 0},
		{20833, 0},
		{20834, 1},
		{60 * time.Millisecond, 2880},
		{time.Second - 1, 47999},
		{time.Second, 48000},
		{120 * time.Second, proto.RingSamples},
		{24 * 365 * time.Hour, 24 * 365 * 3600 * 48000},
		{-time.Second, -48000},
		{math.MaxInt64, 442721857769029},
	} {
		if got := proto.DurationSamples(c.d); got != c.n {
			t.Errorf("%v: %d samples, want %d", c.d, got, c.n)
		}
	}
	for n, want := range map[int]time.Duration{
		0: 0, 1: 20833, 2: 41666, 3: 62500, 2880: 60 * time.Millisecond, 47999: 999979166, 48000: time.Second,
		proto.RingSamples: 120 * time.Second, 3600 * 48000 * 24 * 365: 24 * 365 * time.Hour, -48000: -time.Second,
	} {
		if got := proto.SamplesDuration(n); got != want {
			t.Errorf("%d samples: %v, want %v", n, got, want)
		}
	}
}

func TestSpanJSON(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(proto.Span{From: 86400000000000, To: math.MaxInt64})
	if err != nil || string(b) != "[86400000000000,9223372036854775807]" {
		t.Errorf("%s, %v", b, err)
	}
	for s, want := range map[string]proto.Span{
		"[]": {}, " [ ] ": {}, "null": {}, "[0,0]": {}, "[1, 2]": {From: 1, To: 2}, "[5,48965]": {From: 5, To: 48965},
	} {
		got := proto.Span{From: 7, To: 8}
		if s == "null" {
			got = proto.Span{} // json leaves what is there for null
		}
		if err := json.Unmarshal([]byte(s), &got); err != nil || got != want {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"[1]", "[2,1]", "[-1,1]", "[1,2,3]", "[1,1.5]", `["1","2"]`, "5", "{}", "[5,48966]", "[0,9223372036854775807]"} {
		var got proto.Span
		if err := json.Unmarshal([]byte(s), &got); err == nil {
			t.Errorf("%s: accepted as %v", s, got)
		}
	}
}
