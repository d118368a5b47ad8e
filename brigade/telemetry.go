package brigade

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"bucketbrigade/proto"
)

// Telemetry is a copy of all that a brigade knows, for operators. It shares
// nothing that changes, so any goroutine may write it down. There is no secret
// in it: no session, no token for the video call, not the secret of control.
type Telemetry struct {
	// RequestTime is when the copy was made; Started, Version and Branch are
	// the program's. The brigade knows none of them: its owner fills them in.
	RequestTime     time.Time
	Started         time.Time
	Version, Branch string

	clock                proto.Clock
	connected            int
	state                state
	events               []proto.Event
	controlled           bool
	cleared, lastRequest *proto.Clock
	users                []user
	waiting              []int // how many chats wait for each of users
}

// toldChats is how many of the chats that wait for a user telemetry repeats,
// the newest.
const toldChats = 20

// Telemetry copies what there is at clock now, and changes nothing. It takes as
// long as it takes to copy all users; the JSON is made by [Telemetry.WriteTo].
func (b *Brigade) Telemetry(now proto.Clock) *Telemetry {
	now = b.present(now)
	t := &Telemetry{
		clock:      now,
		connected:  b.users.activeAt(now),
		state:      b.state,
		events:     slices.Clone(b.events),
		controlled: b.control.took,
		users:      make([]user, 0, len(b.users.byID)),
		waiting:    make([]int, 0, len(b.users.byID)),
	}
	t.state.playing.pcm = nil
	if b.started {
		t.cleared = new(b.cleared)
	}
	if b.requested {
		t.lastRequest = new(b.lastRequest)
	}
	for m := b.users.newest; m != nil; m = m.older {
		t.add(&m.user)
	}
	return t
}

// add copies one user, without secrets.
func (t *Telemetry) add(u *user) {
	t.waiting = append(t.waiting, len(u.queued.chats))
	t.users = append(t.users, *u)
	c := &t.users[len(t.users)-1]
	chats := u.queued.chats[max(0, len(u.queued.chats)-toldChats):]
	c.session, c.told, c.queued.token, c.queued.chats, c.queued.said = "", news{}, "", slices.Clone(chats), nil
}

// WriteTo writes the JSON, one user after the other:
//
//	{"request_time": seconds since 1970,
//	 "server": {"server_clock": …, "state": {"bpm": …, …}, …},
//	 "clients": {userid: {"raw": {"name": …, …}}, …}}
//
// What waits for a user stands in to_send as its keys, without the values: those
// stand in state. Of the chats that wait the newest 20 are there, n_chats says
// how many there are.
func (t *Telemetry) WriteTo(w io.Writer) (int64, error) {
	counted := &counter{w: w}
	out := bufio.NewWriterSize(counted, 64<<10)
	fmt.Fprintf(out, `{"request_time":%.3f,"server":`, float64(t.RequestTime.UnixMicro())/1e6)
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	err := e.Encode(t.server())
	fmt.Fprint(out, `,"clients":{`)
	for i := 0; i < len(t.users) && err == nil; i++ {
		if i > 0 {
			fmt.Fprint(out, ",")
		}
		fmt.Fprintf(out, `"%s":{"raw":`, t.users[i].id)
		err = e.Encode(rawUser(&t.users[i], t.waiting[i]))
		fmt.Fprint(out, "}")
	}
	if err != nil {
		return counted.n, err
	}
	fmt.Fprint(out, "}}\n")
	return counted.n, out.Flush()
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
