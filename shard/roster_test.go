package shard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
)

var testKey = singerKey{user: 7, session: proto.CookieSession(testCookie)}

const batch = 10 * proto.FrameSamples

// part is the k-th request of a connection that starts at now.
func part(k int) *song {
	return &song{query: proto.Query{HasUser: true, User: 7, HasRead: true, Read: now.Add(k * batch), Reset: k == 1}, samples: batch}
}

// takeTurn enters and leaves at once, and tells its number.
func takeTurn(ctx context.Context, r *roster, k int, took chan<- string) {
	s, err := r.enter(ctx, testKey, part(k))
	if err != nil {
		took <- fmt.Sprint(k, " refused: ", err)
		return
	}
	took <- fmt.Sprint(k)
	r.leave(s, part(k), nil, time.Now())
}

func newTestRoster() *roster {
	return newRoster(Config{Backend: &stub{}}.withDefaults())
}

func TestRequestsAreTakenInTheOrderOfTheirClocks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newTestRoster()
		took := make(chan string, 10)
		takeTurn(t.Context(), r, 1, took)
		for _, k := range []int{4, 3, 5} {
			go takeTurn(t.Context(), r, k, took)
		}
		synctest.Wait()
		go takeTurn(t.Context(), r, 2, took)
		for want := 1; want <= 5; want++ {
			if got := <-took; got != fmt.Sprint(want) {
				t.Errorf("turn %d went to %s", want, got)
			}
		}
	})
}

// In the queue that a shard takes over several requests of one singer wait, who goes on,
// and come out in any order.
func TestAQueueIsBegunWithTheEarliest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newTestRoster()
		r.youngUntil = time.Now().Add(youth)
		took := make(chan string, 10)
		for _, k := range []int{4, 3, 2} {
			go takeTurn(t.Context(), r, k, took)
			synctest.Wait()
		}
		for want := 2; want <= 4; want++ {
			if got := <-took; got != fmt.Sprint(want) {
				t.Errorf("turn %d went to %s", want, got)
			}
		}
	})
}

// Who starts afresh does not wait, nor does anybody in a shard that is no longer new.
func TestNobodyElseWaitsForTheEarliest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		part  int
		after time.Duration
		waits time.Duration
	}{{2, 0, gather}, {1, 0, 0}, {2, youth, 0}} {
		synctest.Test(t, func(t *testing.T) {
			r := newTestRoster()
			r.youngUntil = time.Now().Add(youth)
			timer := time.NewTimer(c.after)
			start := <-timer.C
			takeTurn(t.Context(), r, c.part, make(chan string, 1))
			if waited := time.Since(start); waited != c.waits {
				t.Errorf("part %d, %v after the start, waited for %v, want %v", c.part, c.after, waited, c.waits)
			}
		})
	}
}

func TestMissingPredecessorIsAConflict(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newTestRoster()
		took := make(chan string, 10)
		takeTurn(t.Context(), r, 1, took)
		<-took
		start := time.Now()
		_, err := r.enter(t.Context(), testKey, part(3))
		if got := time.Since(start); got != proto.ReorderWait {
			t.Errorf("refused after %v, want %v", got, proto.ReorderWait)
		}
		var refusal *proto.Refusal
		if !errors.As(err, &refusal) || refusal.Code != 409 || !strings.Contains(refusal.Reason, part(3).query.Read.String()) {
			t.Errorf("%v, want a 409 that names %d", err, part(3).query.Read)
		}
		takeTurn(t.Context(), r, 2, took)
		if got := <-took; got != "2" {
			t.Errorf("the next in order: %s", got)
		}
	})
}

func TestWaitingForOneThatIsBeingAnsweredIsNotCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newTestRoster()
		s, err := r.enter(t.Context(), testKey, part(1))
		if err != nil {
			t.Fatal(err)
		}
		took := make(chan string, 1)
		go takeTurn(t.Context(), r, 2, took)
		synctest.Wait()
		timer := time.NewTimer(10 * proto.ReorderWait)
		<-timer.C
		r.leave(s, part(1), nil, time.Now())
		if got := <-took; got != "2" {
			t.Errorf("after a long answer: %s", got)
		}
	})
}

func TestRepeatedAndOldRequestsAreConflicts(t *testing.T) {
	t.Parallel()
	r := newTestRoster()
	took := make(chan string, 3)
	takeTurn(t.Context(), r, 1, took)
	takeTurn(t.Context(), r, 2, took)
	for _, k := range []int{2, 0} {
		var refusal *proto.Refusal
		if _, err := r.enter(t.Context(), testKey, part(k)); !errors.As(err, &refusal) || refusal.Code != 409 {
			t.Errorf("request %d again: %v, want 409", k, err)
		}
	}
	if s, err := r.enter(t.Context(), testKey, part(3)); err != nil || s.busy != true {
		t.Errorf("the next one: %v", err)
	}
}

func TestWriteClockMustJoin(t *testing.T) {
	t.Parallel()
	r := newTestRoster()
	write := func(k int, at proto.Clock) *song {
		s := part(k)
		s.query.HasWrite, s.query.Write = true, at
		return s
	}
	for _, step := range []struct {
		song *song
		want int
	}{
		{part(1), 0},
		{write(2, 100000), 0},
		{write(3, 100001+batch), 409},
		{write(3, 100000+batch), 0},
		{part(4), 0}, // no audio, as a spectator
		{write(5, 100000+2*batch), 0},
	} {
		s, err := r.enter(t.Context(), testKey, step.song)
		if err != nil {
			if proto.AsRefusal(err).Code != step.want {
				t.Errorf("write clock %d: %v, want %d", step.song.query.Write, err, step.want)
			}
			continue
		}
		if step.want != 0 {
			t.Errorf("write clock %d was taken", step.song.query.Write)
		}
		r.leave(s, step.song, nil, time.Now())
	}
}

func TestFreshStartEndsTheOldChain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newTestRoster()
		took := make(chan string, 10)
		takeTurn(t.Context(), r, 1, took)
		<-took
		go takeTurn(t.Context(), r, 3, took) // its predecessor is lost
		synctest.Wait()
		fresh := part(9)
		fresh.query.Reset = true
		s, err := r.enter(t.Context(), testKey, fresh)
		if err != nil {
			t.Fatal(err)
		}
		r.leave(s, fresh, nil, time.Now())
		if got := <-took; !strings.HasPrefix(got, "3 refused") {
			t.Errorf("the old connection's request: %s", got)
		}
	})
}

func TestOneSingersWaitingRequestsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newTestRoster()
		took := make(chan string, 20)
		takeTurn(t.Context(), r, 1, took)
		for k := range maxWaiting {
			go takeTurn(t.Context(), r, 3+k, took)
		}
		synctest.Wait()
		if _, err := r.enter(t.Context(), testKey, part(99)); proto.AsRefusal(err).Code != http.StatusTooManyRequests {
			t.Errorf("one more than %d waiting: %v", maxWaiting, err)
		}
	})
}

func TestRefusedRequestCostsTheCodecs(t *testing.T) {
	t.Parallel()
	b := &stub{clock: now}
	s := newTestServer(t, b, nil)
	first := target(7, now, 2880, nil)
	if w := ask(s, http.MethodPost, first, nil); w.Code != 200 {
		t.Fatal(w.Code)
	}
	encoder := s.roster.singers[testKey].listener.encoder
	if w := ask(s, http.MethodPost, target(7, now.Add(1), 2880, nil), nil); w.Code != 409 {
		t.Errorf("a gap: %d", w.Code)
	}
	if w := ask(s, http.MethodPost, "/api?userid=7&read_clock=x", nil); w.Code != 400 {
		t.Errorf("malformed: %d", w.Code)
	}
	if b.asked() != 1 || s.roster.singers[testKey].listener.encoder != encoder {
		t.Error("what the shard itself refuses must not reach the state or the codecs")
	}
	b.refuse = func(proto.Query) error { return proto.Refuse(409, "no") }
	if w := ask(s, http.MethodPost, target(7, now.Add(2880), 2880, nil), nil); w.Code != 409 {
		t.Errorf("refused by the state: %d", w.Code)
	}
	if s.roster.singers[testKey] != nil {
		t.Error("the codecs outlived a refusal of the state")
	}
}

func TestAnotherSessionCannotTouchASinger(t *testing.T) {
	t.Parallel()
	b := &stub{clock: now}
	s := newTestServer(t, b, nil)
	ask(s, http.MethodPost, target(7, now, 2880, nil), nil)
	mine := s.roster.singers[testKey]
	decoder := mine.decoder
	b.refuse = func(q proto.Query) error { return proto.Refuse(403, "userid 7 is another's") }
	thief := newTestRequest(http.MethodPost, target(7, now.Add(2880), 2880, nil), sung(t, 1), "ffffffffffffffffffffffffffffffff")
	if w := serve(s, thief); w.Code != 403 {
		t.Errorf("status %d", w.Code)
	}
	if s.roster.len() != 1 || mine.decoder != decoder || mine.next != now {
		t.Error("the thief left a trace")
	}
	b.refuse = nil
	if w := ask(s, http.MethodPost, target(7, now.Add(2880), 2880, nil), nil); w.Code != 200 {
		t.Errorf("the singer goes on: %d", w.Code)
	}
}

func TestSilentSingersAreForgotten(t *testing.T) {
	t.Parallel()
	r := newTestRoster()
	r.max = 3
	start := time.Unix(1000, 0)
	enter := func(user int, at time.Time) {
		key := singerKey{user: proto.UserID(user)}
		s, err := r.enter(t.Context(), key, part(1))
		if err != nil {
			t.Fatal(err)
		}
		s.decoder = codec.NewDecoder()
		r.leave(s, part(1), nil, at)
	}
	for u := range 3 {
		enter(u, start.Add(time.Duration(u)*time.Second))
	}
	enter(3, start.Add(3*time.Second))
	if r.len() != 3 || r.singers[singerKey{user: 0}] != nil {
		t.Errorf("%d singers, want 3 without the longest silent", r.len())
	}
	r.sweep(start.Add(2*time.Second + r.idle))
	if r.len() != 2 || r.singers[singerKey{user: 1}] != nil {
		t.Errorf("%d singers after the sweep, want 2", r.len())
	}
}

func TestAnswersLeaveInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// The state answers the first request late; the second must not pass it.
		b := &stub{clock: now, hold: func(q proto.Query) {
			if q.Read == now.Add(batch) {
				timer := time.NewTimer(time.Second)
				<-timer.C
			}
		}}
		s := newHandlerOnly(b)
		done := make(chan int, 2)
		for k := 1; k <= 2; k++ {
			go func() {
				if w := ask(s, http.MethodPost, target(7, now.Add(k*batch), batch, nil), nil); w.Code == 200 {
					done <- k
				}
			}()
			synctest.Wait()
		}
		if a, b := <-done, <-done; a != 1 || b != 2 {
			t.Errorf("answers left in the order %d, %d", a, b)
		}
	})
}
