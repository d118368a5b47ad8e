package e2e

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"bucketbrigade/singer"
	"bucketbrigade/stack"
	"bucketbrigade/stack/stacktest"
)

// post steps a singer once and gives the HTTP status, 0 if there was none.
func post(ctx context.Context, who *singer.Singer) (int, error) {
	_, err := who.Step(ctx, nil)
	var status *singer.HTTPError
	switch {
	case err == nil:
		return http.StatusOK, nil
	case errors.As(err, &status):
		return status.Status, err
	}
	return 0, err
}

// connected is a singer who has been answered.
func connected(t *testing.T, url string, user int) *singer.Singer {
	t.Helper()
	who := singer.New(singer.Config{URL: url, User: 500 + 1, Name: "one"})
	if user != 1 {
		who = singer.New(singer.Config{URL: url, User: 500 + 2, Name: "two"})
	}
	if err := who.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := post(t.Context(), who); err != nil {
		t.Fatal(err)
	}
	return who
}

func TestStateServerDies(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, stack.Config{Shards: 2})
	api := s.URL() + "/api/01"
	who := connected(t, api, 1)
	if err := s.Kill(stack.StateServer); err != nil {
		t.Fatal(err)
	}
	asked := time.Now()
	resp, err := http.Post(api+"?action=status", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if took := time.Since(asked); resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || took > 3*time.Second {
		t.Errorf("state server dead: %d after %v, headers %v; want 503 with Retry-After within 3 s", resp.StatusCode, took, resp.Header)
	}
	if status, err := post(t.Context(), who); status != 503 {
		t.Errorf("state server dead: %d %v, want 503", status, err)
	}
	if err := who.Connect(t.Context()); err != nil {
		t.Errorf("the clock must be told all the same: %v", err)
	}
	if err := s.Restart(t.Context(), stack.StateServer); err != nil {
		t.Fatal(err)
	}
	if status, err := post(t.Context(), who); status != 200 {
		t.Errorf("state server back: %d %v, want 200 without a restart of the shard", status, err)
	}
}

func TestShardDies(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, stack.Config{Shards: 2})
	one, two := connected(t, s.URL()+"/api/01", 1), connected(t, s.URL()+"/api/02", 2)
	if err := s.Kill("shard-01"); err != nil {
		t.Fatal(err)
	}
	if status, err := post(t.Context(), one); status != http.StatusBadGateway {
		t.Errorf("own shard dead: %d %v, want 502", status, err)
	}
	if status, err := post(t.Context(), two); status != 200 {
		t.Errorf("the other shard's singer: %d %v", status, err)
	}
	if err := one.Connect(t.Context()); err == nil || !strings.Contains(err.Error(), "EOF") {
		t.Errorf("clock of a dead shard: %v, want a closed connection", err)
	}
	if err := s.Restart(t.Context(), "shard-01"); err != nil {
		t.Fatal(err)
	}
	if err := one.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, err := post(t.Context(), one); status != 200 {
		t.Errorf("own shard back: %d %v", status, err)
	}
}
