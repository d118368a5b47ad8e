package durable

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
)

// Coder goes through the fields of a record in one order, and writes them or reads
// them: a record has one description for both.
//
//	c.Text(&u.name, 256)
//	Number(c, &u.delay, 0, 120)
//	if c.Since(2) {
//		c.Flag(&u.muted)      // stays as it is when version 1 is read
//	}
//
// What is read is checked; the first fault is kept and the fields after it stay as
// they are. What is written is the program's own: more than fits, or than may be,
// is a fault of the caller and panics.
type Coder struct {
	buf     []byte
	at      int
	reading bool
	version uint32
	err     error
}

func (c *Coder) begin(buf []byte) { c.buf, c.at = buf, 0 }

// Reading tells whether fields are read.
func (c *Coder) Reading() bool { return c.reading }

// Since tells whether the record has what came with a version.
func (c *Coder) Since(version uint32) bool { return c.version >= version }

// Fault notes that what was read cannot be.
func (c *Coder) Fault(format string, args ...any) {
	if !c.reading {
		panic("durable: " + fmt.Sprintf(format, args...))
	}
	if c.err == nil {
		c.err = fmt.Errorf(format+": it %w", append(args, ErrTorn)...)
	}
}

// Done tells what was wrong with a record that was read to its end: ErrTorn.
func (c *Coder) Done() error {
	if c.err == nil && c.at != len(c.buf) {
		c.Fault("%d bytes more than the record has", len(c.buf)-c.at)
	}
	return c.err
}

// next gives the place of the next n bytes; nil if they cannot be read.
func (c *Coder) next(n int) []byte {
	if c.err != nil {
		return nil
	}
	if n > len(c.buf)-c.at {
		c.Fault("a record of %d bytes has more than %d", c.at+n, len(c.buf))
		return nil
	}
	c.at += n
	return c.buf[c.at-n : c.at]
}

// Number is a whole number within bounds, 8 bytes.
func Number[T ~int | ~int64 | ~uint64 | ~uint16](c *Coder, v *T, least, most T) {
	b := c.next(8)
	switch {
	case b == nil:
	case c.reading:
		x := binary.LittleEndian.Uint64(b)
		if n := T(x); n >= least && n <= most && sameNumber(n, x) {
			*v = n
		} else {
			c.Fault("%d is not in %d..%d", x, least, most)
		}
	default:
		binary.LittleEndian.PutUint64(b, uint64(*v))
	}
}

// sameNumber tells whether n is all of x.
func sameNumber[T ~int | ~int64 | ~uint64 | ~uint16](n T, x uint64) bool { return uint64(n) == x }

// Float is a number within bounds, 8 bytes; never NaN.
func (c *Coder) Float(v *float64, least, most float64) {
	b := c.next(8)
	switch {
	case b == nil:
	case c.reading:
		if x := math.Float64frombits(binary.LittleEndian.Uint64(b)); x >= least && x <= most {
			*v = x
		} else {
			c.Fault("%v is not in %v..%v", x, least, most)
		}
	default:
		binary.LittleEndian.PutUint64(b, math.Float64bits(*v))
	}
}

// Flag is one byte.
func (c *Coder) Flag(v *bool) {
	b := c.next(1)
	switch {
	case b == nil:
	case c.reading:
		if b[0] > 1 {
			c.Fault("a flag of %d", b[0])
			return
		}
		*v = b[0] == 1
	case *v:
		b[0] = 1
	default:
		b[0] = 0
	}
}

// Text is UTF-8 of at most so many bytes, behind its length of 2 bytes.
func (c *Coder) Text(v *string, most int) {
	n := c.length(len(*v), most)
	b := c.next(n)
	switch {
	case b == nil:
	case !c.reading:
		copy(b, *v)
	case !utf8.Valid(b):
		c.Fault("a text that is no UTF-8")
	case string(b) != *v:
		*v = string(b)
	}
}

// length is that of a text, which is n when it is written.
func (c *Coder) length(n, most int) int {
	b := c.next(2)
	switch {
	case b == nil:
		return 0
	case c.reading:
		n = int(binary.LittleEndian.Uint16(b))
	default:
		binary.LittleEndian.PutUint16(b, uint16(min(n, math.MaxUint16)))
	}
	if n > most || n > math.MaxUint16 {
		c.Fault("a length of %d, at most %d", n, most)
		return 0
	}
	return n
}

// Count is how many items follow, 2 bytes.
func (c *Coder) Count(n, most int) int { return c.length(n, most) }
