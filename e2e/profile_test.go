package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// profiler takes a profile of a shard while something is measured; nil takes
// none.
type profiler struct {
	addr string
	file string
}

// newProfiler gives nil unless BRIGADE_PROFILE names a folder, else a profiler
// that writes there. The shard has to be started with its args.
func newProfiler(b *testing.B, what string) *profiler {
	b.Helper()
	dir := os.Getenv("BRIGADE_PROFILE")
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // a port that is free
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	name := strings.ReplaceAll(b.Name()+"-"+what, "/", "-") + ".prof"
	return &profiler{addr: l.Addr().String(), file: filepath.Join(dir, name)}
}

func (p *profiler) args() []string {
	if p == nil {
		return nil
	}
	return []string{"-metrics", p.addr}
}

// take begins a profile that ends before profileWindow does.
func (p *profiler) take(b *testing.B, all *sync.WaitGroup) {
	if p == nil {
		return
	}
	all.Go(func() {
		if err := p.fetch(b); err != nil {
			b.Error(err)
		}
	})
}

func (p *profiler) fetch(b *testing.B) error {
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", p.addr, int(profileWindow.Seconds()))
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	profile, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("profile: %s %w", resp.Status, err)
	}
	return os.WriteFile(p.file, profile, 0o644)
}
