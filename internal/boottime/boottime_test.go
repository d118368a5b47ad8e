package boottime

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestSinceIsTheKernelsUptime(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("/proc/uptime")
	if err != nil {
		t.Fatal(err)
	}
	seconds, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	uptime := time.Duration(seconds * float64(time.Second))
	if d := Since() - uptime; d < -time.Second || d > time.Minute {
		t.Errorf("%v off the kernel's uptime of %v", d, uptime)
	}
}
