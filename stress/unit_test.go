package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"bucketbrigade/brigade"
	"bucketbrigade/codec"
	"bucketbrigade/internal/manual"
)

func TestUnitLine(t *testing.T) {
	t.Parallel()
	for each, want := range map[time.Duration]string{
		500 * time.Microsecond:    "0.500 ms each; est 1200 clients",
		10 * time.Millisecond:     "10.000 ms each; est 60 clients",
		459_900 * time.Nanosecond: "0.460 ms each; est 1304 clients",
		0:                         "0.000 ms each; est 600000000 clients",
		2 * time.Second:           "2000.000 ms each; est 0 clients",
	} {
		if got := unitLine(each); got != want {
			t.Errorf("%v: %q, want %q", each, got, want)
		}
	}
}

// What is timed is what is claimed: a song is on, everybody sings, and all but
// the leader's bucket hear it.
func TestUnitInputsAreHonest(t *testing.T) {
	t.Parallel()
	const users = 14
	for _, inner := range []bool{true, false} {
		r, err := newUnitRoom(unitConfig{inner: inner, users: users, voices: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer r.close()
		if err := r.warm(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range users {
			if err := r.prepare(i)(); err != nil {
				t.Fatal(err)
			}
			leads := i%brigade.Buckets == 0
			if rms := codec.RMS(r.heard); inner && (rms > 0.01) == leads {
				t.Errorf("singer %d of bucket %d hears RMS %.4f", i, 1+i%brigade.Buckets, rms)
			}
			// Ten packets of silence and the metadata stay below 1500 bytes.
			if !inner && (r.answered > 3000) == leads {
				t.Errorf("singer %d of bucket %d is answered with %d bytes", i, 1+i%brigade.Buckets, r.answered)
			}
			if inner && len(r.answer.Summary) < users*40 {
				t.Errorf("singer %d is told of others in %d bytes", i, len(r.answer.Summary))
			}
		}
	}
}

func TestUnitPrintsThreeTimes(t *testing.T) {
	t.Parallel()
	line := regexp.MustCompile(`^(\d+\.\d{3} ms each; est \d+ clients\n){3}$`)
	for _, cfg := range []unitConfig{{users: 1, requests: 3, voices: 1}, {users: 40, requests: 3, voices: 1, inner: true}} {
		var out bytes.Buffer
		if err := unit(t.Context(), cfg, &out); err != nil || !line.MatchString(out.String()) {
			t.Errorf("%+v: %v, printed %q", cfg, err, &out)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := unit(ctx, unitConfig{users: 1, requests: 3, voices: 1}, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted one ends with %v", err)
	}
}

// A refusal is no fast request.
func TestUnitFailsWhereItIsRefused(t *testing.T) {
	t.Parallel()
	for _, inner := range []bool{true, false} {
		r, err := newUnitRoom(unitConfig{inner: inner, users: 1, voices: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer r.close()
		if err := r.prepare(0)(); err != nil {
			t.Fatal(err)
		}
		// The same once more: what was heard is not heard again.
		if err := r.prepare(0)(); err == nil {
			t.Errorf("inner %t: a request came twice and was taken twice", inner)
		}
	}
}

func TestUnitCommandLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"unit", "-users", "0"}, "-users 0 is not in 1..10000"},
		{[]string{"unit", "-users", "10001"}, "-users 10001 is not in 1..10000"},
		{[]string{"unit", "inner"}, `argument "inner"`},
	} {
		var out bytes.Buffer
		if err := run(t.Context(), c.args, io.Discard, &out); manual.Status(err) != 2 || !strings.Contains(out.String(), c.says) {
			t.Errorf("%v: %v, said %q", c.args, err, &out)
		}
	}
}
