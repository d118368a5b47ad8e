package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bucketbrigade/internal/manual"
	"bucketbrigade/load"
	"bucketbrigade/stack"
	"bucketbrigade/stack/stacktest"
)

// asStress makes this program stress itself, for tests that need it as a process.
const asStress = "BRIGADE_TEST_AS_STRESS"

func TestMain(m *testing.M) {
	if os.Getenv(asStress) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// Not parallel: real pace needs the machine to itself. What is judged is that
// nothing fails; how quick a busy machine answers is not, hence -p99.
func TestLoad(t *testing.T) {
	s := stacktest.Start(t, stack.Config{Shards: 2})
	if err := awaitClocks(t.Context(), s.URL(), 2); err != nil {
		t.Fatal(err)
	}
	t.Run("everybody is heard", func(t *testing.T) { everybodyIsHeard(t, s) })
	t.Run("one whose voice is dropped is named", func(t *testing.T) { droppedIsNamed(t, s.URL()) })
	t.Run("a stall is seen", func(t *testing.T) { stallIsSeen(t, s.URL()) })
	t.Run("two processes are one run", func(t *testing.T) { twoProcesses(t, s.URL()) })
}

// stressed runs a command line and reads the result that it wrote.
func stressed(t *testing.T, args ...string) (r *load.Result, status int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "result.json")
	var said bytes.Buffer
	err := run(t.Context(), append(args, "-json", file), &said, &said)
	t.Logf("%s\n%v", &said, err)
	r, readErr := readResult(file)
	if readErr != nil {
		t.Fatal(readErr)
	}
	return r, manual.Status(err)
}

func everybodyIsHeard(t *testing.T, s *stack.Stack) {
	var pids []string
	for _, name := range s.Names() {
		pid, err := s.Pid(name)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, fmt.Sprintf("%s=%d", name, pid))
	}
	r, status := stressed(t, "-url", s.URL(), "-users", "40", "-duration", "15s", "-voices", "sung=3,silence=1", "-p99", "2s", "-pid", strings.Join(pids, ","))
	if status != 0 || len(r.Failures) > 0 || r.Totals.Songs != 1 {
		t.Errorf("status %d, %+v, %+v", status, r.Verdict, r.Failures)
	}
	heard := 0
	for _, p := range r.Pilots {
		if p.Expected > 0 && p.Singer == "singer 0000" {
			heard++
		}
		if p.Heard != p.Expected || p.Early > 0 {
			t.Errorf("%+v", p)
		}
		// Two encoders, to the sample or so.
		if p.Heard > 0 && (p.LagSamples < 426 || p.LagSamples > 438) {
			t.Errorf("%s hears %s %d samples late, want 432", p.Listener, p.Singer, p.LagSamples)
		}
	}
	if heard == 0 {
		t.Errorf("nobody listened to the leader: %+v", r.Pilots)
	}
	// All joined within 0.8 s and were moved once.
	if r.Totals.Due < 40*20 || r.Totals.Connections < 80 || r.Seconds[10].Connected != 40 {
		t.Errorf("%+v", r.Totals)
	}
	if c := r.Capacity; c == nil || len(c.Parts) != 3 || c.Singers < 1 {
		t.Errorf("%+v", r.Capacity)
	}
}

// droppedIsNamed has a pilot's audio lost on its way, in a proxy that answers as
// quickly as ever. He does not lead, and one stands behind him.
func droppedIsNamed(t *testing.T, site string) {
	between := proxied(t, site, func(r *httputil.ProxyRequest) {
		if r.In.URL.Query().Get("username") == "singer 0001" {
			r.Out.Body, r.Out.ContentLength = http.NoBody, 0
		}
	})
	r, status := stressed(t, "-url", between, "-users", "10", "-pilots", "4", "-duration", "16s", "-voices", "silence", "-p99", "2s")
	if status != 1 || r.Totals.Errors[load.KindLost] == 0 {
		t.Errorf("status %d, %+v", status, r.Verdict)
	}
	for _, f := range r.Failures {
		if f.Kind != load.KindLost || f.Singer != "singer 0001" {
			t.Errorf("%+v", f)
		}
	}
	if text := strings.Join(r.Verdict.Reasons, " "); !strings.Contains(text, "lost voice: singer 0001.") {
		t.Errorf("reasons %s", text)
	}
}

// proxied gives the address of a proxy before a site, which may change requests.
func proxied(t *testing.T, site string, change func(*httputil.ProxyRequest)) string {
	t.Helper()
	target, err := url.Parse(site)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		change(r)
	}})
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// stallIsSeen has a proxy hold everything back for half a second, each five
// seconds: nothing fails, but a tenth of the singers wait.
func stallIsSeen(t *testing.T, site string) {
	start := time.Now()
	between := proxied(t, site, func(r *httputil.ProxyRequest) {
		if into := time.Since(start) % (5 * time.Second); into < 500*time.Millisecond {
			select {
			case <-time.After(500*time.Millisecond - into):
			case <-r.In.Context().Done():
			}
		}
	})
	r, status := stressed(t, "-url", between, "-users", "20", "-pilots", "-1", "-duration", "6s", "-voices", "silence")
	if status != 1 || r.Totals.P99MS <= 300 || r.Totals.P50MS >= 300 || len(r.Failures) > 0 {
		t.Errorf("status %d, p50 %g, p99 %g, %+v", status, r.Totals.P50MS, r.Totals.P99MS, r.Failures)
	}
	if text := strings.Join(r.Verdict.Reasons, " "); !strings.Contains(text, "the objective is 300") {
		t.Errorf("reasons %s", text)
	}
}

// twoProcesses has two machines, here processes, sing one run.
func twoProcesses(t *testing.T, site string) {
	dir := t.TempDir()
	at := time.Now().Add(4 * time.Second).Truncate(time.Second).Format(time.RFC3339)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var processes []*exec.Cmd
	var files []string
	for machine := 1; machine <= 2; machine++ {
		file := filepath.Join(dir, fmt.Sprint(machine, ".json"))
		cmd := exec.CommandContext(ctx, self, "-url", site, "-users", "20", "-duration", "13s", "-p99", "2s",
			"-pilots", "4", "-voices", "silence", "-start-at", at, "-machine", fmt.Sprint(machine, "/2"), "-json", file)
		cmd.Env = append(os.Environ(), asStress+"=1")
		cmd.Stdout, cmd.Stderr = new(bytes.Buffer), new(bytes.Buffer)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		processes, files = append(processes, cmd), append(files, file)
	}
	for _, cmd := range processes {
		// Whether a pilot of the second machine is heard in so short a song is
		// chance, and so its status.
		if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != 1 {
			t.Errorf("%v\n%s%s", err, cmd.Stdout, cmd.Stderr)
		}
	}
	merged := filepath.Join(dir, "merged.json")
	var said bytes.Buffer
	err = run(ctx, append([]string{"merge", "-json", merged}, files...), &said, &said)
	t.Logf("%s\n%v", &said, err)
	if err != nil {
		t.Fatal(err)
	}
	r, err := readResult(merged)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Machines) != 2 || r.Machines[0].Singers != 10 || r.Machines[1].Singers != 10 || len(r.Warnings) > 0 {
		t.Errorf("machines %+v, warnings %q", r.Machines, r.Warnings)
	}
	if len(r.Failures) > 0 || r.Totals.Songs != 1 || r.Seconds[10].Connected != 20 {
		t.Errorf("%+v, %+v", r.Totals, r.Failures)
	}
	var parts [2]*load.Result
	for i := range parts {
		if parts[i], err = readResult(files[i]); err != nil {
			t.Fatal(err)
		}
	}
	if r.Totals.Answered != parts[0].Totals.Answered+parts[1].Totals.Answered || r.Latency.Count() != parts[0].Latency.Count()+parts[1].Latency.Count() {
		t.Errorf("merged %d answers of %d and %d", r.Totals.Answered, parts[0].Totals.Answered, parts[1].Totals.Answered)
	}
}
