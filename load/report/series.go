package report

import "bucketbrigade/load"

const (
	// plotPoints is how many points a line has at most, tableRows how many rows
	// the table behind it.
	plotPoints = 300
	tableRows  = 60
)

// series are the seconds of a run as plots and tables have them.
type series struct {
	*load.Result
	plot, rows []span
}

func newSeries(r *load.Result) *series { return &series{r, spans(r, plotPoints), spans(r, tableRows)} }

// span is some seconds of a run together.
type span struct {
	load.Second
	from, to float64 // in seconds from the start
}

// length is how many seconds it has.
func (s *span) length() float64 { return s.to - s.from }

// mid is its middle.
func (s *span) mid() float64 { return (s.from + s.to) / 2 }

// spans puts the seconds of a run together until there are n at most. Latencies
// are merged as histograms, so their percentiles are those of all requests; who is
// connected is so at the end. What came after the run's end, the last answers, is
// counted to the last span.
func spans(r *load.Result, n int) []span {
	step := r.Setup.Step().Seconds()
	length := r.Setup.DurationS
	inside := 0
	for inside < len(r.Seconds) && float64(inside)*step < length {
		inside++
	}
	each := max((inside+n-1)/n, 1)
	var list []span
	for i := range r.Seconds {
		if i < inside && i%each == 0 {
			from := float64(i) * step
			list = append(list, span{
				from: from, to: min(from+float64(each)*step, length),
				Second: load.Second{Errors: map[string]int{}, CPU: map[string]float64{}},
			})
		}
		if len(list) > 0 {
			list[len(list)-1].add(&r.Seconds[i], i < inside)
		}
	}
	for i := range list {
		s := &list[i]
		s.P50MS, s.P99MS = ms(s.Latency.At(50)), ms(s.Latency.At(99))
		s.MaxMS = ms(s.Latency.Max())
	}
	return list
}

func (s *span) add(o *load.Second, inside bool) {
	s.Due += o.Due
	s.Sent += o.Sent
	s.Answered += o.Answered
	s.Latency.Merge(o.Latency)
	for kind, n := range o.Errors {
		s.Errors[kind] += n
	}
	for name, used := range o.CPU {
		s.CPU[name] += used
	}
	if inside {
		s.Connected = o.Connected
	}
}
