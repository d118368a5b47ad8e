package brigade

import (
	"strings"
	"testing"

	"bucketbrigade/proto"
)

// tokens counts the tokens that are made.
type tokens struct{ made int }

func (k *tokens) make(id proto.UserID) string {
	k.made++
	return "token-of-" + id.String() + strings.Repeat("!", k.made)
}

func TestVideoTokenIsToldOnce(t *testing.T) {
	t.Parallel()
	var k tokens
	r := newRoom(t, Config{VideoToken: k.make})
	ann, bob := r.join(1, 30000, 0), r.join(2, 60000, 0)
	if m := ann.ask(nil); value(t, m.TwilioToken) != "token-of-1!" {
		t.Errorf("the first answer tells %v", m.TwilioToken)
	}
	if m := bob.ask(nil); value(t, m.TwilioToken) != "token-of-2!!" {
		t.Errorf("another user is told %v", m.TwilioToken)
	}
	for _, s := range []*singer{ann, bob} {
		s.fresh = true // reconnects
		if m := s.ask(nil); m.TwilioToken != nil || strings.Contains(r.ans.Metadata, "twilio") {
			t.Errorf("singer %d is told again: %s", s.id, r.ans.Metadata)
		}
	}
	r.pass(proto.UserLifetime + 1) // forgotten: a new user
	ann.read = r.now.Add(-30000)
	ann.fresh = true
	if m := ann.ask(nil); value(t, m.TwilioToken) != "token-of-1!!!" || k.made != 3 {
		t.Errorf("after an hour: %v, %d made", m.TwilioToken, k.made)
	}
	for m := r.b.users.newest; m != nil; m = m.older {
		if m.queued.token != "" {
			t.Errorf("the token of %d is kept to be told: %s", m.id, m.queued.token)
		}
	}
	ann.ask(nil)
	if told := r.b.users.byID[1].told; told.token != "" {
		t.Errorf("the token is kept though it arrived: %s", told.token)
	}
}

func TestVideoTokenComesAgain(t *testing.T) {
	t.Parallel()
	var k tokens
	r := newRoom(t, Config{VideoToken: k.make})
	ann := r.join(1, 30000, 0)
	for range 3 {
		req := ann.request(frame, 0, nil)
		req.Again = true // the first time nobody knows it
		if m := r.must(req); value(t, m.TwilioToken) != "token-of-1!" {
			t.Errorf("told %v", m.TwilioToken)
		}
	}
	ann.done(frame)
	if m := ann.ask(nil); m.TwilioToken != nil || k.made != 1 {
		t.Errorf("then told %v, %d made", m.TwilioToken, k.made)
	}
}

func TestARefusedNewcomerGetsNoToken(t *testing.T) {
	t.Parallel()
	var k tokens
	r := newRoom(t, Config{VideoToken: k.make})
	r.try(r.join(1, 30000, 0).request(frame, 0, params{"bpm": "501"}))
	if k.made != 0 {
		t.Error("a token was made")
	}
}

func TestNoVideoTokenWithoutACall(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{})
	if r.join(1, 30000, 0).ask(nil); strings.Contains(r.ans.Metadata, "twilio") {
		t.Error(r.ans.Metadata)
	}
}

// The longest token, the longest lyrics and everything else of a first answer.
func TestVideoTokenFits(t *testing.T) {
	t.Parallel()
	for _, area := range []int{proto.OldJSONArea, proto.MaxJSONArea} {
		r := newRoom(t, Config{VideoToken: longToken, JSONArea: area, Tracks: trackMap{strings.Repeat("\x01", 255): nil}})
		ann := r.join(1, 30000, 0)
		lyrics := strings.Repeat("\x02", proto.MaxLyricsChars)
		req := ann.request(frame, 0, params{"disableSongVideo": "1", "image": "1", "bpm": "500"})
		req.Lyrics = &lyrics
		r.must(req)
		r.checkFits(area)
		bob := r.join(2, 30000, 0)
		if m := bob.ask(nil); value(t, m.TwilioToken) != longToken(2) || m.Lyrics == nil || len(*m.Lyrics) < 500 {
			t.Errorf("area %d: told %.300s", area, r.ans.Metadata)
		}
		r.checkFits(area)
	}
}

func TestTokenTooLongPanics(t *testing.T) {
	t.Parallel()
	r := newRoom(t, Config{VideoToken: func(proto.UserID) string { return strings.Repeat("t", proto.MaxTokenBytes+1) }})
	defer func() {
		if recover() == nil {
			t.Error("it was taken")
		}
	}()
	r.join(1, 30000, 0).ask(nil)
}
