package state

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/shm"
)

// Escapes make JSON longer than its text, by up to six times.
func TestLocalHasTheLimitsOfASegment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	settings := Settings{JSONArea: proto.OldJSONArea}
	startServer(t, Config{Dir: dir, Segments: []string{"echo01"}, Settings: settings})
	seg, err := shm.Open(dir+"/echo01", shm.ForShard, settings.JSONArea)
	if err != nil {
		t.Fatal(err)
	}
	client := shm.NewClient(seg, shm.ClientConfig{})
	t.Cleanup(func() { _ = client.Close() })
	local, err := NewLocal(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = local.Close() })
	start(t, local.Run)
	tooLarge := func(b interface {
		Call(context.Context, *proto.Request, *proto.Answer) error
	}, req proto.Request) bool {
		var ans proto.Answer
		err := b.Call(t.Context(), &req, &ans)
		if err != nil && proto.AsRefusal(err).Code != 413 {
			t.Fatal(err)
		}
		return err != nil
	}
	secret := proto.Request{QueryString: strings.Repeat("\x01", 1500), ControlSecret: proto.Secret(strings.Repeat("\x01", proto.MaxSecretBytes))}
	if !tooLarge(client, secret) || !tooLarge(local, secret) {
		t.Error("the secret of control does not count")
	}
	for _, c := range []struct {
		name, text string
		bytes      int // in JSON
	}{
		{"plain", "a", 1}, {"quote", `"`, 2}, {"tag", "<", 1}, {"control", "\x01", 6}, {"not UTF-8", "\xff", 6}, {"line separator", "\u2028", 6},
	} {
		taken, refused := 0, 0
		most := proto.OldJSONArea / c.bytes
		for n := most - 200; n <= most; n++ {
			// Lyrics have limits of their own, a query's are wider here.
			req := proto.Request{QueryString: "action=status&x=" + strings.Repeat(c.text, n), ClientAddress: "192.0.2.1"}
			one, two := tooLarge(client, req), tooLarge(local, req)
			if one != two {
				t.Fatalf("%s, %d times: too large for the segment: %v, for the local state: %v", c.name, n, one, two)
			}
			if one {
				refused++
			} else {
				taken++
			}
		}
		if taken == 0 || refused == 0 {
			t.Errorf("%s: %d taken, %d refused: the limit was not met", c.name, taken, refused)
		}
	}
}

func TestLocalThatDoesNotRunIs503(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, err := NewLocal(Settings{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		begin := time.Now()
		var ans proto.Answer
		err = l.Call(t.Context(), &proto.Request{Kind: proto.KindClock}, &ans)
		if d := time.Since(begin); err == nil || proto.AsRefusal(err).Code != 503 || d != shm.DefaultTimeout {
			t.Errorf("error %v after %v, want 503 after %v", err, d, shm.DefaultTimeout)
		}
	})
}

// The memory of req and ans is the caller's again when Call returns: a call
// that has begun is waited for, whatever becomes of its context.
func TestLocalWaitsForWhatHasBegun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release, begun := make(chan struct{}), false
		l, err := NewLocal(Settings{Now: func() proto.Clock {
			if begun {
				<-release
			}
			return 86400000000000
		}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		begun = true
		run, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.Run(run) }()
		ctx, cancel := context.WithCancel(t.Context())
		var ans proto.Answer
		done := make(chan error, 1)
		go func() { done <- l.Call(ctx, &proto.Request{Kind: proto.KindClock}, &ans) }()
		synctest.Wait()
		cancel()
		stop()
		synctest.Wait()
		if len(done) != 0 {
			t.Fatalf("Call returned %v while the brigade was at work on it", <-done)
		}
		close(release)
		if err := <-done; err != nil || ans.Clock != 86400000000000 {
			t.Errorf("clock %d, %v", ans.Clock, err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
