package shm

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkLoad is what both processes take of a processor, in percent, when a
// shard calls at a steady rate, with 28 800 samples each way, and how long its
// calls take; "beside" with as many busy threads of other programs as there are
// processors.
func BenchmarkLoad(b *testing.B) {
	for _, beside := range []bool{false, true} {
		for _, wait := range []Wait{Hybrid, Spin} {
			for _, rate := range []int{0, 100, 1000, 5000} {
				name := fmt.Sprintf("%v/%d", wait, rate)
				if beside {
					name = "beside/" + name
				}
				b.Run(name, func(b *testing.B) { benchmarkLoad(b, wait, rate, beside) })
			}
		}
	}
}

func benchmarkLoad(b *testing.B, wait Wait, rate int, beside bool) {
	r := newRig(b, wait, benchSamples)
	if beside {
		for range runtime.NumCPU() {
			ready(b, "busy")
		}
	}
	const lasts = 2 * time.Second
	var took []float64
	for b.Loop() {
		shard, server, begin := ownTime(b), childTime(b, r.server), time.Now()
		for n := 1; time.Since(begin) < lasts; n++ {
			if rate == 0 {
				nap(lasts)
				continue
			}
			next := begin.Add(time.Duration(n) * time.Second / time.Duration(rate))
			nap(time.Until(next))
			took = append(took, each(r.calls, 1))
		}
		passed := time.Since(begin)
		percent := func(d time.Duration) float64 { return 100 * float64(d) / float64(passed) }
		b.ReportMetric(percent(ownTime(b)-shard), "shard-%")
		b.ReportMetric(percent(childTime(b, r.server)-server), "server-%")
	}
	r.server.kill()
	b.ReportMetric(0, "ns/op")
	if rate > 0 {
		b.ReportMetric(lowerDecile(took)/1000, "p10-us") // sorts
		b.ReportMetric(took[len(took)/2]/1000, "p50-us")
		b.ReportMetric(took[len(took)*99/100]/1000, "p99-us")
	}
}

// nap leaves the processor to others. It sleeps in the kernel: a timer of the
// runtime would wake one thread more.
func nap(d time.Duration) {
	if d > 0 {
		ts := unix.NsecToTimespec(int64(d))
		_ = unix.Nanosleep(&ts, nil)
	}
}

// ownTime is the processor time that this process has used.
func ownTime(t testing.TB) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// childTime is what the threads of a child have used.
func childTime(t testing.TB, c *child) (sum time.Duration) {
	dir := fmt.Sprintf("/proc/%d/task", c.cmd.Process.Pid)
	threads, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		text, err := os.ReadFile(dir + "/" + thread.Name() + "/schedstat")
		var ns int64
		if err == nil {
			_, err = fmt.Fscan(strings.NewReader(string(text)), &ns)
		}
		if err != nil {
			t.Fatal(err)
		}
		sum += time.Duration(ns)
	}
	return sum
}

// childBusy computes until it is killed.
func childBusy([]string) error {
	fmt.Println("ready")
	for n := 1; n != 0; n++ {
	}
	return nil
}
