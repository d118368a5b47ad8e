package durable

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

const (
	numbers = iota
	texts
)

func smallLayout() Layout {
	return Layout{
		Version: 4, Identity: Identity{1, 2, 3},
		Kinds:    []Kind{numbers: {Slots: 3, Bytes: 8}, texts: {Slots: 2, Bytes: 21}},
		LogBytes: 256,
	}
}

// book is a store with what stands in its memory.
type book struct {
	*Store
	mem []byte
}

func newBook() book {
	mem := make([]byte, smallLayout().Size())
	return book{Format(mem, smallLayout()), mem}
}

func (b book) number(slot, n int) {
	Number(b.Write(numbers, slot), &n, 0, 0)
	b.End()
}

func (b book) text(slot int, text string) {
	b.Write(texts, slot).Text(&text, 19)
	b.End()
}

func open(t *testing.T, mem []byte) *Snapshot {
	t.Helper()
	s, err := Open(mem, 4)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// read gives what is in the records: the texts, and the numbers as text; "-" is an
// empty slot.
func read(s *Snapshot) (all []string, err error) {
	for slot := range s.Slots(numbers) {
		c, err := s.Record(numbers, slot)
		if err != nil {
			return nil, err
		}
		if c == nil {
			all = append(all, "-")
			continue
		}
		n := 0
		Number(c, &n, math.MinInt, math.MaxInt)
		if err := c.Done(); err != nil {
			return nil, err
		}
		all = append(all, fmt.Sprint(n))
	}
	for slot := range s.Slots(texts) {
		c, err := s.Record(texts, slot)
		if err != nil {
			return nil, err
		}
		text := "-"
		if c != nil {
			c.Text(&text, 19)
			if err := c.Done(); err != nil {
				return nil, err
			}
		}
		all = append(all, text)
	}
	return all, nil
}

func TestWhatIsCommittedCounts(t *testing.T) {
	t.Parallel()
	b := newBook()
	check := func(want ...string) {
		t.Helper()
		if got, err := read(open(t, b.mem)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v %v, want %v", got, err, want)
		}
	}
	check("-", "-", "-", "-", "-")
	b.number(0, 7)
	b.text(1, "seven")
	check("-", "-", "-", "-", "-")
	b.Commit()
	check("7", "-", "-", "-", "seven")
	b.number(0, 8)
	b.number(2, 9)
	check("7", "-", "-", "-", "seven")
	b.number(0, 10) // once more in one transaction
	b.Commit()
	check("10", "-", "9", "-", "seven")
	b.Empty(numbers, 2)
	b.text(1, "")
	check("10", "-", "9", "-", "seven")
	b.Commit()
	b.Commit() // nothing changed
	check("10", "-", "-", "-", "")
	b.number(2, -1)
	b.Commit()
	check("10", "-", "-1", "-", "")
}

// memory is a region beside the records that is changed in place.
func restored(s *Snapshot, memory []byte) ([]byte, error) {
	memory = bytes.Clone(memory)
	pieces, err := s.Saved()
	for _, p := range pieces {
		copy(memory[p.Offset:], p.Old)
	}
	return memory, err
}

// Wherever a process is killed, all of a transaction counts or nothing of it.
func TestKilledBetweenStores(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := newBook()
		region := make([]byte, 64)
		type state struct {
			records []string
			region  []byte
		}
		now := state{[]string{"-", "-", "-", "-", "-"}, region}
		var before state
		committing := false
		b.Interrupt = func() {
			s, err := Open(bytes.Clone(b.mem), 4)
			if err != nil {
				t.Fatal(err)
			}
			records, err := read(s)
			if err != nil {
				t.Fatal(err)
			}
			memory, err := restored(s, region)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(records, before.records) || !bytes.Equal(memory, before.region) {
				t.Fatalf("killed now (committing: %t) leaves %v %v, committed was %v %v", committing, records, memory, before.records, before.region)
			}
		}
		for range rapid.IntRange(1, 8).Draw(t, "transactions") {
			before = state{slices.Clone(now.records), bytes.Clone(region)}
			for range rapid.IntRange(0, 4).Draw(t, "changes") {
				slot := rapid.IntRange(0, 4).Draw(t, "slot")
				switch n := rapid.IntRange(-1, 5).Draw(t, "value"); {
				case n == 5:
					at := rapid.IntRange(0, 48).Draw(t, "at")
					b.Save(0, uint32(at), region[at:at+16])
					for i := range 16 {
						region[at+i]++
					}
				case n < 0 && slot < 3:
					b.Empty(numbers, slot)
					now.records[slot] = "-"
				case slot < 3:
					b.number(slot, n)
					now.records[slot] = fmt.Sprint(n)
				default:
					b.text(slot-3, fmt.Sprint("text ", n))
					now.records[slot] = fmt.Sprint("text ", n)
				}
			}
			committing = true
			b.Commit()
			committing = false
		}
	})
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		version uint32
		damage  func(mem []byte) []byte
		want    error
	}{
		{"nothing", 4, func([]byte) []byte { return nil }, ErrUnknown},
		{"zeros", 4, func(mem []byte) []byte { clear(mem); return mem }, ErrUnknown},
		{"something else", 4, func(mem []byte) []byte { copy(mem, "RIFF"); return mem }, ErrUnknown},
		{"an older version", 6, nil, ErrUnknown},
		{"a newer version", 3, nil, ErrUnknown},
		{"half a file", 4, func(mem []byte) []byte { return mem[:len(mem)/2] }, ErrTorn},
		{"a longer file", 4, func(mem []byte) []byte { return append(mem, 0) }, ErrTorn},
		{"a changed header", 4, func(mem []byte) []byte { mem[offTable]++; return mem }, ErrTorn},
		{"a changed record", 4, func(mem []byte) []byte { mem[bytes.Index(mem, []byte("second"))]++; return mem }, ErrTorn},
		{"a changed length", 4, func(mem []byte) []byte { mem[bytes.Index(mem, []byte("second"))-6]++; return mem }, ErrTorn},
		{"an old copy that is changed", 4, func(mem []byte) []byte { mem[bytes.Index(mem, []byte("first"))]++; return mem }, nil},
		{"the version before", 5, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBook()
			for _, text := range []string{"first", "second"} {
				b.text(0, text)
				b.Commit()
			}
			mem := b.mem
			if c.damage != nil {
				mem = c.damage(mem)
			}
			s, err := Open(mem, c.version)
			if err == nil {
				_, err = read(s)
			}
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// What the program itself gets wrong panics.
func TestOwnFaultsPanic(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(b book){
		"a text that is too long": func(b book) { b.text(0, "twenty characters...") },
		"a record too long": func(b book) {
			n := 1
			c := b.Write(numbers, 0)
			Number(c, &n, 0, 0)
			Number(c, &n, 0, 0)
		},
		"no such slot":         func(b book) { b.number(3, 1) },
		"a record in a record": func(b book) { b.Write(numbers, 0); b.Write(numbers, 1) },
		"more than the log":    func(b book) { b.Save(0, 0, make([]byte, 241)) },
		"a wrong size":         func(b book) { Format(b.mem[8:], smallLayout()) },
		"no kinds":             func(b book) { Format(b.mem, Layout{Version: 1}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("went well")
				}
			}()
			fault(newBook())
		})
	}
}

func TestCommittingAllocatesNothing(t *testing.T) {
	b := newBook()
	old := make([]byte, 16)
	n, text := 1, "text"
	if allocs := testing.AllocsPerRun(100, func() {
		Number(b.Write(numbers, 0), &n, 0, 0)
		b.End()
		b.Write(texts, 0).Text(&text, 19)
		b.End()
		b.Save(1, 2, old)
		b.Commit()
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// Whatever stands in a file, reading it ends without a panic.
func FuzzOpen(f *testing.F) {
	b := newBook()
	b.text(0, "first")
	b.number(1, 5)
	b.Commit()
	b.text(0, "second")
	b.Save(3, 4, []byte("saved"))
	f.Add(bytes.Clone(b.mem), false)
	f.Add(bytes.Clone(b.mem), true)
	f.Add([]byte(magic), true)
	f.Fuzz(func(t *testing.T, mem []byte, mend bool) {
		if mend && len(mem) >= offRecords { // or the checksum keeps all but a few out
			l := smallLayout()
			if len(mem) > l.Size() {
				mem = mem[:l.Size()]
			}
			mem = append(bytes.Clone(mem), make([]byte, l.Size()-len(mem))...)
			l.header(mem)
		}
		s, err := Open(mem, 4)
		if err != nil {
			if !errors.Is(err, ErrTorn) && !errors.Is(err, ErrUnknown) {
				t.Fatalf("a strange error: %v", err)
			}
			return
		}
		_, _ = read(s)
		_, _ = s.Saved()
	})
}
