package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"bucketbrigade/internal/measure"
)

// Sheet is a collector that fills a page each time that Prometheus asks.
type Sheet func(*Page)

// Describe is prometheus.Collector's: what is on the page is seen when it is
// filled.
func (fill Sheet) Describe(chan<- *prometheus.Desc) {}

// Collect is prometheus.Collector's.
func (fill Sheet) Collect(to chan<- prometheus.Metric) { fill(&Page{to: to}) }

// Page takes values as they are now. labels are names and values, by turns.
type Page struct{ to chan<- prometheus.Metric }

// Gauge writes a value that goes up and down.
func (p *Page) Gauge(name, help string, value float64, labels ...string) {
	p.constant(prometheus.GaugeValue, name, help, value, labels)
}

// Flag writes a gauge that is 1 or 0.
func (p *Page) Flag(name, help string, on bool, labels ...string) {
	value := 0.0
	if on {
		value = 1
	}
	p.Gauge(name, help, value, labels...)
}

// Counter writes what only grows; its name ends in _total.
func (p *Page) Counter(name, help string, value float64, labels ...string) {
	p.constant(prometheus.CounterValue, name, help, value, labels)
}

// Histogram writes durations; its name ends in _seconds.
func (p *Page) Histogram(name, help string, s measure.Snapshot, labels ...string) {
	buckets := make(map[float64]uint64, len(measure.Bounds))
	sum := uint64(0)
	for i, bound := range measure.Bounds {
		sum += s.Counts[i]
		buckets[bound.Seconds()] = sum
	}
	names, values := split(labels)
	p.to <- prometheus.MustNewConstHistogram(prometheus.NewDesc(name, help, names, nil), s.Count(), s.Sum.Seconds(), buckets, values...)
}

func (p *Page) constant(kind prometheus.ValueType, name, help string, value float64, labels []string) {
	names, values := split(labels)
	p.to <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, names, nil), kind, value, values...)
}

func split(labels []string) (names, values []string) {
	for i := 0; i < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	return names, values
}
