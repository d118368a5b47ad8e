package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"bucketbrigade/proto"
)

const (
	// scrapePatience is how long metrics may take: the next look is due then.
	scrapePatience = time.Second
	// maxMetrics bounds what is read of them: ours are some 10 kB.
	maxMetrics = 4 << 20
	// maxCPUS is more than any process has used.
	maxCPUS = 1e9
)

// scraper reads the processor time of a process from what it tells Prometheus:
//
//	# TYPE process_cpu_seconds_total counter
//	process_cpu_seconds_total 12.34
//
// Its steps are of 10 ms.
type scraper struct {
	url    string
	client http.Client
}

// newScraper asks at a URL, over a connection that stays.
func newScraper(url string) *scraper {
	return &scraper{url: url, client: http.Client{
		Timeout: scrapePatience, Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 1},
	}}
}

// cpu is the time used so far. An error names the address.
func (s *scraper) cpu(ctx context.Context) (time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return 0, fmt.Errorf("metrics: %w", err)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("metrics: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("metrics at %s: %s, want 200", s.url, resp.Status)
	}
	used, err := cpuSeconds(io.LimitReader(resp.Body, maxMetrics))
	if err != nil {
		return 0, fmt.Errorf("metrics at %s: %w", s.url, err)
	}
	return used, nil
}

// cpuSeconds finds the processor time in metrics, and reads them to their end.
func cpuSeconds(r io.Reader) (used time.Duration, err error) {
	found := false
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		value, ok := strings.CutPrefix(lines.Text(), "process_cpu_seconds_total ")
		if !ok || found {
			continue
		}
		found = true
		// A time may stand behind it.
		number, _, _ := strings.Cut(value, " ")
		seconds, err := strconv.ParseFloat(number, 64)
		if err != nil || math.IsNaN(seconds) || seconds < 0 || seconds > maxCPUS {
			return 0, fmt.Errorf("process_cpu_seconds_total is %s, no number of seconds of 0..%g", proto.Shown(number), maxCPUS)
		}
		used = time.Duration(seconds * float64(time.Second))
	}
	switch {
	case lines.Err() != nil:
		return 0, lines.Err()
	case !found:
		return 0, errors.New("there is no process_cpu_seconds_total")
	}
	return used, nil
}
