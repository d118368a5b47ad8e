package prototest

import (
	"strings"
	"testing"

	"bucketbrigade/proto"
)

const (
	user  = proto.UserID(12345678901)
	read  = proto.Clock(86400000000000)
	write = read - 60000
)

// judge refuses what can be seen without codec, session and ring.
func judge(c Case) error {
	v, err := proto.ParseValues(c.Fill(user, read, write))
	if err != nil {
		return err
	}
	q, err := v.Query()
	if err != nil {
		return err
	}
	body := c.Body
	if q.HasJSONLen {
		if q.JSONLen > len(body) {
			return nil // the shard's to say
		}
		if _, err := proto.ParsePrefix(body[:q.JSONLen]); err != nil {
			return err
		}
		body = body[q.JSONLen:]
	}
	packets, err := proto.ParsePackets(nil, body)
	if err != nil {
		return err
	}
	for _, p := range packets {
		if _, err := proto.PacketSamples(p); err != nil {
			return err
		}
	}
	return nil
}

// later are the cases that only the shard or the shared state can refuse.
func later() map[string]bool {
	return map[string]bool{
		"rms_volume is the shard's": true,
		"userid missing":            true, "userid empty": true,
		"read_clock missing": true, "read_clock empty": true,
		"read_clock in the future": true, "read_clock older than the ring": true,
		"write_clock in the future": true, "write_clock older than the ring": true,
		"nothing to hear or to sing": true, "n_samples 0 and no packets": true,
		"packing: 20 ms are no frame": true, "packing: 80 ms are no frame": true,
		"packing: 255 of 2.5 ms": true, "packing: 18 packets": true, "packing: 255 lost packets": true,
		"packing: one packet more than n_samples": true, "packing: one packet less than n_samples": true,
		"packing: audio without userid":    true,
		"prefix: json_len beyond the body": true, "prefix: json_len and no body": true,
	}
}

func TestMalformedIsRefused(t *testing.T) {
	t.Parallel()
	late := later()
	for _, c := range Malformed() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			err := judge(c)
			switch {
			case err == nil && late[c.Name]:
				return
			case err == nil:
				t.Fatal("accepted")
			case late[c.Name]:
				t.Fatalf("refused already here: %v", err)
			case len(c.Body) > proto.MaxBodyBytes:
				return // the shard says so before it looks inside
			}
			r := proto.AsRefusal(err)
			if r.Code != c.Code || !strings.Contains(r.Reason, c.Names) {
				t.Errorf("refused with %d %s; want %d and a message that names %s", r.Code, r.Reason, c.Code, c.Names)
			}
		})
	}
}

// TestMalformedIsWhole checks that the table can be used: unique names, queries
// that can stand in a request line, messages that can be looked for.
func TestMalformedIsWhole(t *testing.T) {
	t.Parallel()
	all, seen := Malformed(), map[string]bool{}
	if len(all) < 80 {
		t.Errorf("%d cases, want 80 at least", len(all))
	}
	for _, c := range all {
		if seen[c.Name] {
			t.Errorf("two cases are called %q", c.Name)
		}
		seen[c.Name] = true
		if c.Names == "" || strings.ContainsAny(c.Names, `"\`) {
			t.Errorf("%s: message cannot be looked for: %q", c.Name, c.Names)
		}
		if c.Code != 400 && c.Code != 409 && c.Code != 413 && c.Code != 429 {
			t.Errorf("%s: status %d", c.Name, c.Code)
		}
		for _, b := range []byte(c.Fill(user, read, write)) {
			if b <= ' ' || b > '~' || b == '#' || b == '{' || b == '}' {
				t.Errorf("%s: byte %q in the query", c.Name, b)
				break
			}
		}
	}
	for name := range later() {
		if !seen[name] {
			t.Errorf("no case is called %q", name)
		}
	}
}

// TestControl makes sure that a case is refused for its own fault: what all of
// them start from is accepted.
func TestControl(t *testing.T) {
	t.Parallel()
	for _, c := range []Case{
		{Name: "no clock", Query: noClock},
		{Name: "silent", Query: silent},
		{Name: "singing", Query: singing, Body: sung()},
		{Name: "unsized", Query: unsized, Body: sung()},
		{Name: "prefix", Query: singing + "&json_len=16", Body: append([]byte(`{"lyrics": "la"}`), sung()...)},
		with("chat", "chat", `["hello"]`, 0, ""),
	} {
		if err := judge(c); err != nil {
			t.Errorf("%s is refused: %v", c.Name, err)
		}
	}
}

func TestMalformedIsFresh(t *testing.T) {
	t.Parallel()
	a, b := Malformed(), Malformed()
	for i := range a {
		clear(a[i].Body)
		if c := b[i]; len(c.Body) > 1 && c.Body[0] != 0 && a[i].Body[0] == c.Body[0] {
			t.Errorf("%s: two calls share a body", c.Name)
		}
	}
}
