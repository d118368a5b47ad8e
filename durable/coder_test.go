package durable

import (
	"errors"
	"math"
	"reflect"
	"testing"
)

// later is a record that got another field with version 4.
type later struct {
	name  string
	loud  float64
	muted bool
}

func (l *later) code(c *Coder) {
	c.Text(&l.name, 10)
	if c.Since(4) {
		c.Float(&l.loud, 0, 2)
	}
	c.Flag(&l.muted)
}

// A program reads its own version and the one before.
func TestReadsTheVersionBefore(t *testing.T) {
	t.Parallel()
	for version, want := range map[uint32]later{3: {"ann", 1, true}, 4: {"ann", 0.5, true}} {
		l := smallLayout()
		l.Version = version
		mem := make([]byte, l.Size())
		s := Format(mem, l)
		(&later{"ann", 0.5, true}).code(s.Write(texts, 0))
		s.End()
		s.Commit()
		snap, err := Open(mem, 4)
		if err != nil {
			t.Fatal(err)
		}
		c, err := snap.Record(texts, 0)
		if err != nil {
			t.Fatal(err)
		}
		got := later{loud: 1}
		if got.code(c); c.Done() != nil || got != want {
			t.Errorf("version %d: %+v %v, want %+v", version, got, c.Done(), want)
		}
	}
}

func TestFieldsAreChecked(t *testing.T) {
	t.Parallel()
	type fields struct {
		N    int
		U    uint16
		F    float64
		Flag bool
		Text string
	}
	code := func(c *Coder, f *fields) {
		Number(c, &f.N, -5, 5)
		Number(c, &f.U, 0, 9)
		c.Float(&f.F, -1, 1)
		c.Flag(&f.Flag)
		c.Text(&f.Text, 3)
	}
	good := fields{-5, 9, -0.5, true, "abc"}
	for _, c := range []struct {
		name  string
		write fields
		ok    bool
	}{
		{"good", good, true},
		{"zero", fields{}, true},
		{"too small", fields{N: -6}, false},
		{"too large", fields{U: 10}, false},
		{"not a number", fields{F: math.NaN()}, false},
		{"infinite", fields{F: math.Inf(1)}, false},
	} {
		buf := make([]byte, 64)
		w := Coder{buf: buf}
		code(&w, &c.write)
		r := Coder{buf: buf[:w.at], reading: true}
		var got fields
		code(&r, &got)
		if err := r.Done(); (err == nil) != c.ok || c.ok && !reflect.DeepEqual(got, c.write) || err != nil && !errors.Is(err, ErrTorn) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
		for cut := range w.at {
			r := Coder{buf: buf[:cut], reading: true}
			if code(&r, &got); r.Done() == nil {
				t.Errorf("%s: %d of %d bytes are enough", c.name, cut, w.at)
			}
		}
		r = Coder{buf: buf[:w.at+1], reading: true}
		if code(&r, &got); r.Done() == nil {
			t.Errorf("%s: a byte too many is fine", c.name)
		}
	}
	for _, odd := range [][]byte{{2}, {255}} {
		r := Coder{buf: odd, reading: true}
		var f bool
		if r.Flag(&f); r.Done() == nil {
			t.Errorf("a flag of %d is fine", odd)
		}
	}
}
