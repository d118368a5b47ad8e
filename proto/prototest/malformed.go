package prototest

import (
	"fmt"
	"net/url"
	"strings"

	"bucketbrigade/proto"
)

// Case is one POST that must be refused and must change nothing.
type Case struct {
	Name string
	// Query is a template: {userid}, {read_clock} and {write_clock} stand for
	// values that would be fine by themselves; see [Case.Fill]. Some queries are
	// longer than 16 kB, which a proxy may refuse on its own account.
	Query string
	Body  []byte
	// Code is the HTTP status of the refusal.
	Code int
	// Names is what the message must contain: the value that is wrong, the
	// parameter or the limit. It holds no quotes.
	Names string
}

// Fill gives the query with userid and clocks filled in.
func (c Case) Fill(user proto.UserID, read, write proto.Clock) string {
	return strings.NewReplacer(
		"{userid}", user.String(), "{read_clock}", read.String(), "{write_clock}", write.String(),
	).Replace(c.Query)
}

// What a case begins with; each is accepted as it stands, silent alone and
// singing with one packet of 60 ms.
const (
	noClock = "userid={userid}&n_samples=2880&username=ann"
	silent  = noClock + "&read_clock={read_clock}"
	singing = "userid={userid}&read_clock={read_clock}&write_clock={write_clock}&n_samples=2880"
	// unsized leaves the length to the packets.
	unsized = "userid={userid}&read_clock={read_clock}&write_clock={write_clock}"
)

// Malformed gives all cases. The slice and all bodies are fresh at each call.
func Malformed() []Case {
	var all []Case
	for _, group := range [][]Case{
		syntax(), users(), clocks(), lengths(), metronome(), volumes(),
		micVolumes(), chats(), events(), words(), framing(), packets(), prefixes(),
	} {
		all = append(all, group...)
	}
	return all
}

// with makes a case of a silent request and one more parameter, which is
// escaped.
func with(name, key, value string, code int, names string) Case {
	return Case{
		Name: name, Query: silent + "&" + key + "=" + url.QueryEscape(value), Code: code, Names: names,
	}
}

// each makes one case a value, all named after the parameter and refused with
// 400.
func each(key string, values ...string) []Case {
	out := make([]Case, len(values))
	for i, v := range values {
		out[i] = with(fmt.Sprintf("%s %q", key, v), key, v, 400, key)
	}
	return out
}

func syntax() []Case {
	many := strings.Repeat("&x=", proto.MaxQueryItems)
	return []Case{
		{Name: "item without =", Query: silent + "&karaoke", Code: 400, Names: "karaoke"},
		{Name: "only an item without =", Query: "karaoke", Code: 400, Names: "karaoke"},
		{Name: "escaped = is none", Query: silent + "&karaoke%3D1", Code: 400, Names: "karaoke%3D1"},
		{Name: "empty item at the end", Query: silent + "&", Code: 400, Names: "item"},
		{Name: "empty item at the start", Query: "&" + silent, Code: 400, Names: "item"},
		{Name: "empty item inside", Query: silent + "&&muted=1", Code: 400, Names: "item"},
		{Name: "nothing but &", Query: "&", Code: 400, Names: "item"},
		{Name: "query too long", Query: silent + "&x=" + strings.Repeat("y", proto.MaxQueryBytes), Code: 413, Names: "16384"},
		{Name: "too many items", Query: silent + many, Code: 413, Names: "64"},
		{Name: "userid twice", Query: silent + "&userid={userid}", Code: 400, Names: "userid"},
		{Name: "userid twice, escaped", Query: silent + "&%75ser%69d=7", Code: 400, Names: "userid"},
		{Name: "read_clock twice", Query: silent + "&read_clock={read_clock}", Code: 400, Names: "read_clock"},
		{Name: "username twice", Query: silent + "&username=bob", Code: 400, Names: "username"},
		{Name: "unknown key twice", Query: silent + "&x=1&x=2", Code: 400, Names: "x"},
		{Name: "key with a blank twice", Query: silent + "&x+y=1&x%20y=2", Code: 400, Names: "x y"},
		{Name: "action unknown", Query: silent + "&action=applaud", Code: 400, Names: "applaud"},
		{Name: "action=status with userid", Query: "action=status&userid={userid}", Code: 400, Names: "userid"},
		{Name: "rms_volume is the shard's", Query: silent + "&rms_volume=0.5", Code: 400, Names: "rms_volume"},
		{Name: "rms_volume NaN", Query: silent + "&rms_volume=nan", Code: 400, Names: "rms_volume"},
	}
}

func users() []Case {
	id := func(name, value, names string) Case {
		return Case{
			Name: "userid " + name, Query: "n_samples=2880&read_clock={read_clock}&userid=" + url.QueryEscape(value),
			Code: 400, Names: names,
		}
	}
	return []Case{
		{Name: "userid missing", Query: "n_samples=2880&read_clock={read_clock}", Code: 400, Names: "userid"},
		id("empty", "", "userid"),
		id("letters", "soprano", "soprano"),
		id("negative", "-1", "-1"),
		id("signed", "+1", "+1"),
		id("fraction", "1.5", "1.5"),
		id("exponent", "1e3", "1e3"),
		id("blank before", " 1", "userid"),
		id("blank after", "1 ", "userid"),
		id("hexadecimal", "0x10", "0x10"),
		id("underscore", "1_0", "1_0"),
		id("leading zeros", "007", "007"),
		id("two zeros", "00", "00"),
		id("2^64", "18446744073709551616", "18446744073709551616"),
		id("40 digits", strings.Repeat("9", 40), strings.Repeat("9", 40)),
		id("other digits", "\u0661\u0662", "userid"),
		id("NUL", "1\x002", "userid"),
		with("monitor no number", "monitor", "bass", 400, "bass"),
		with("monitor leading zeros", "monitor", "0123", 400, "0123"),
		with("unmonitor negative", "unmonitor", "-77", 400, "-77"),
		with("unmonitor above 64 bits", "unmonitor", "98446744073709551616", 400, "98446744073709551616"),
	}
}

func clocks() []Case {
	cases := []Case{
		{Name: "read_clock missing", Query: noClock, Code: 400, Names: "read_clock"},
		{Name: "read_clock empty", Query: noClock + "&read_clock=", Code: 400, Names: "read_clock"},
		{Name: "read_clock in the future", Query: noClock + "&read_clock=99999999999999999", Code: 400, Names: "99999999999999999"},
		{Name: "read_clock older than the ring", Query: noClock + "&read_clock=480000", Code: 409, Names: "480000"},
		{
			Name: "write_clock in the future", Query: silent + "&write_clock=99999999999999999",
			Body: sung(), Code: 400, Names: "99999999999999999",
		},
		{Name: "write_clock older than the ring", Query: silent + "&write_clock=480000", Body: sung(), Code: 409, Names: "480000"},
	}
	wrong := []string{
		"12abc", "1.5", "1e12", "-1", "nan", "inf", "null", "0x10", "1__0", "_1", "1_", " ", "--1", "- 1",
		"1152921504606846977", "9223372036854775808", "99999999999999999999999",
	}
	for _, key := range []string{"read_clock", "write_clock"} {
		base, body := noClock, []byte(nil)
		if key == "write_clock" {
			base, body = silent, sung()
		}
		for _, v := range wrong {
			cases = append(cases, Case{
				Name: fmt.Sprintf("%s %q", key, v), Query: base + "&" + key + "=" + url.QueryEscape(v),
				Body: body, Code: 400, Names: key,
			})
		}
	}
	return cases
}
