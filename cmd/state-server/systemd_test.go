package main

import (
	"testing"
	"time"

	"bucketbrigade/internal/service/servicetest"
)

func TestMain(m *testing.M) { servicetest.Main(m, main) }

func TestRunsUnderSystemd(t *testing.T) {
	t.Parallel()
	for _, wait := range []string{"hybrid", "spin"} {
		p := servicetest.Start(t, servicetest.Unit{Args: []string{"-dir", t.TempDir(), "-wait", wait, "echo01"}, Watchdog: 2 * time.Second})
		p.Await("READY=1")
		p.Await("WATCHDOG=1")
		p.Await("WATCHDOG=1")
		if status := p.Stop(); status != 0 {
			t.Errorf("exit status %d, said\n%s", status, p.Log())
		}
		p.Await("STOPPING=1")
	}
}
