package proto_test

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"

	"bucketbrigade/proto"
)

// summaryOf makes a whole summary.
func summaryOf(users ...proto.SummaryUser) []byte {
	b := proto.AppendSummaryHeader(nil, len(users))
	for i := range users {
		b = proto.AppendSummaryUser(b, &users[i])
	}
	return b
}

func TestSummaryGolden(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what string
		user proto.SummaryUser
		hex  string
	}{
		{
			"a name of 40 bytes is cut at 32",
			proto.SummaryUser{User: 123, Name: strings.Repeat("\u00e9", 20), MicVolume: 1, Delay: 2},
			"000000000000007b" + strings.Repeat("c3a9", 16) + "3f800000 00000000 0002 00",
		},
		{
			"a cut inside a character",
			proto.SummaryUser{User: 1, Name: "x" + strings.Repeat("\u00e9", 16), MicVolume: 2, RMS: 0.25, Delay: 18, Muted: true},
			"0000000000000001 78" + strings.Repeat("c3a9", 15) + "c3 40000000 3e800000 0012 01",
		},
		{
			"short name, all bits, most of all",
			proto.SummaryUser{User: math.MaxUint64, Name: "ann", MicVolume: 0.5, RMS: 1, Delay: 65535, Muted: true, Soloed: true},
			"ffffffffffffffff 616e6e" + strings.Repeat("00", 29) + "3f000000 3f800000 ffff 03",
		},
		{
			"delay above", proto.SummaryUser{Delay: 65536, Soloed: true},
			strings.Repeat("00", 48) + "ffff 02",
		},
		{
			"delay below", proto.SummaryUser{Delay: -1},
			strings.Repeat("00", 51),
		},
	} {
		want := unhex(t, c.hex)
		if len(want) != proto.SummaryRecord {
			t.Fatalf("%s: golden record has %d bytes", c.what, len(want))
		}
		if got := proto.AppendSummaryUser(nil, &c.user); !bytes.Equal(got, want) {
			t.Errorf("%s:\n%x, want\n%x", c.what, got, want)
		}
	}
}

func TestSummaryHeader(t *testing.T) {
	t.Parallel()
	for n, want := range map[int][]byte{0: {0, 0}, 1: {0, 1}, 256: {1, 0}, 65535: {255, 255}} {
		if got := proto.AppendSummaryHeader([]byte("x"), n); !bytes.Equal(got, append([]byte("x"), want...)) {
			t.Errorf("%d: %x", n, got)
		}
	}
	wantPanic(t, "-1 users", func() { proto.AppendSummaryHeader(nil, -1) })
	wantPanic(t, "65536 users", func() { proto.AppendSummaryHeader(nil, 65536) })
}

func TestSummaryRoundTrip(t *testing.T) {
	t.Parallel()
	users := []proto.SummaryUser{
		{User: 1, Name: "ann", MicVolume: 1, RMS: 0.125, Delay: 3, Muted: true},
		{User: math.MaxUint64, Name: strings.Repeat("n", 32), MicVolume: 2, Delay: 65535, Soloed: true},
		{},
		{User: 7, Name: "nul\x00inside"},
	}
	got, err := proto.ParseSummary(summaryOf(users...))
	if err != nil || !reflect.DeepEqual(got, users) {
		t.Errorf("%+v, %v; want %+v", got, err, users)
	}
	if got, err := proto.ParseSummary([]byte{0, 0}); err != nil || len(got) != 0 {
		t.Errorf("empty summary: %+v, %v", got, err)
	}
}

func TestCutSummary(t *testing.T) {
	t.Parallel()
	two := summaryOf(proto.SummaryUser{User: 1}, proto.SummaryUser{User: 2})
	for _, c := range []struct {
		name  string
		data  []byte
		rest  int // -1: refused
		names string
	}{
		{"nothing", nil, -1, "0 bytes"},
		{"half a count", []byte{0}, -1, "1 bytes"},
		{"no users", []byte{0, 0}, 0, ""},
		{"no users, PCM", make([]byte, 2+8), 8, ""},
		{"two users", two, 0, ""},
		{"two users, PCM", append(bytes.Clone(two), 1, 2, 3), 3, ""},
		{"one byte short", two[:len(two)-1], -1, "104"},
		{"most users, none there", []byte{255, 255, 0}, -1, "3342287"},
	} {
		summary, rest, err := proto.CutSummary(c.data)
		if c.rest < 0 {
			wantRefusal(t, c.name, err, 502, c.names)
			continue
		}
		if err != nil || len(rest) != c.rest || !bytes.Equal(append(bytes.Clone(summary), rest...), c.data) {
			t.Errorf("%s: %d and %d bytes, %v", c.name, len(summary), len(rest), err)
		}
		_, err = proto.ParseSummary(c.data)
		if c.rest > 0 {
			wantRefusal(t, c.name, err, 502, "bytes follow")
		} else if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAppendSummaryAllocs(t *testing.T) {
	u := proto.SummaryUser{User: 12345678901, Name: "ann", MicVolume: 1}
	b := make([]byte, 0, 2+1000*proto.SummaryRecord)
	if n := testing.AllocsPerRun(10, func() {
		b = proto.AppendSummaryHeader(b[:0], 1000)
		for range 1000 {
			b = proto.AppendSummaryUser(b, &u)
		}
	}); n != 0 || len(b) != 51002 {
		t.Errorf("%v allocations, %d bytes", n, len(b))
	}
}

func FuzzParseSummary(f *testing.F) {
	f.Add([]byte{0, 0})
	f.Add([]byte{0, 0, 1, 2, 3, 4})
	f.Add([]byte{255, 255, 0})
	f.Add(summaryOf(proto.SummaryUser{User: 1, Name: "ann", Muted: true}, proto.SummaryUser{Name: "\xc3", RMS: float32(math.NaN())}))
	f.Fuzz(func(t *testing.T, data []byte) {
		summary, rest, err := proto.CutSummary(data)
		if err != nil {
			wantRefusal(t, "summary", err, 502, "summary")
			return
		}
		if !bytes.Equal(append(bytes.Clone(summary), rest...), data) {
			t.Fatalf("%d bytes cut to %d and %d", len(data), len(summary), len(rest))
		}
		users, err := proto.ParseSummary(summary)
		if err != nil {
			t.Fatalf("cut and then refused: %v", err)
		}
		// The bits that mean nothing are all that may be lost, and of a NaN
		// which one it was.
		for i := range users {
			at := proto.SummaryHeader + i*proto.SummaryRecord
			want := bytes.Clone(summary[at : at+proto.SummaryRecord])
			want[50] &= 3
			got := proto.AppendSummaryUser(nil, &users[i])
			if users[i].MicVolume == users[i].MicVolume && users[i].RMS == users[i].RMS && !bytes.Equal(got, want) {
				t.Errorf("user %d written again:\n%x, was\n%x", i, got, want)
			}
		}
		if got := summaryOf(users...); len(got) != len(summary) {
			t.Errorf("%d bytes written again, were %d", len(got), len(summary))
		}
	})
}
