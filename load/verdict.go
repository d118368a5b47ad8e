package load

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"bucketbrigade/singer"
)

// lateShare is the share of late requests from which on the generator is
// suspected of being the limit.
const lateShare = 0.01

// judge works out what follows from what was counted: rate, capacity, verdict and
// the warnings that belong to them.
func (r *Result) judge() {
	r.rate()
	r.estimate()
	r.Verdict = Verdict{Reasons: []string{}}
	say := func(format string, args ...any) {
		r.Verdict.Reasons = append(r.Verdict.Reasons, fmt.Sprintf(format, args...))
	}
	if r.InterruptedS > 0 {
		say("The run was broken off after %.1f s of %.0f.", r.InterruptedS, r.Setup.DurationS)
	}
	if r.Totals.Answered == 0 {
		say("No request was answered.")
	}
	kinds := slices.Sorted(maps.Keys(r.Totals.Errors))
	// The most frequent first: that is what the others follow from.
	slices.SortStableFunc(kinds, func(a, b string) int { return r.Totals.Errors[b] - r.Totals.Errors[a] })
	for _, kind := range kinds {
		if n := r.Totals.Errors[kind]; n > 0 {
			say("%d × %s%s.", n, kind, r.who(kind))
		}
	}
	if r.Totals.P99MS > r.Setup.ObjectiveP99MS {
		say("99 %% of the answers took up to %.0f ms, the objective is %.0f.", r.Totals.P99MS, r.Setup.ObjectiveP99MS)
	}
	if most := r.Setup.MostConnectMS(); r.Totals.ConnectP99MS > most {
		say("99 %% of the connections took up to %.0f ms to be made, %.0f are allowed: a singer who waits longer than 600 misses requests.", r.Totals.ConnectP99MS, most)
	}
	r.judgeVoices(say)
	if share := float64(r.Totals.LateSends) / math.Max(float64(r.Totals.Sent), 1); share > lateShare {
		r.Verdict.GeneratorLimit = true
		text := fmt.Sprintf("The generator was itself a limit: %.1f %% of the requests left more than %v late. Use more machines.", 100*share, lateSend)
		r.Warnings = append(r.Warnings, text)
	}
	r.Verdict.Held = len(r.Verdict.Reasons) == 0
}

// who names those whom a kind of failure befell, a few of them.
func (r *Result) who(kind string) string {
	var names []string
	for _, f := range r.Failures {
		if f.Kind == kind && !slices.Contains(names, f.Singer) {
			names = append(names, f.Singer)
		}
	}
	const most = 5
	switch {
	case len(names) == 0:
		return ""
	case len(names) > most:
		return fmt.Sprintf(": %s and others", strings.Join(names[:most], ", "))
	}
	return ": " + strings.Join(names, ", ")
}

// rate is that of the seconds in which all had joined.
func (r *Result) rate() {
	var answered, n int
	step := max(r.Setup.StepS, 1)
	for _, s := range r.Seconds {
		if float64(s.Second) >= r.Setup.RampS && float64(s.Second+step) <= r.Setup.DurationS {
			answered, n = answered+s.Answered, n+step
		}
	}
	if n > 0 {
		r.Totals.RatePerS = float64(answered) / float64(n)
	}
}

// requestsPerSinger is how many requests a singer has a second.
const requestsPerSinger = float64(time.Second) / float64(singer.Pace)

// kindOf is a process's name without the number at its end: shard of shard-01.
func kindOf(name string) string {
	kind := strings.TrimRight(name, "0123456789")
	if trimmed := strings.TrimRight(kind, "-_"); trimmed != "" && trimmed != kind {
		return trimmed
	}
	return name
}

// StateServerKind is the kind of process that has one thread for its work.
const StateServerKind = "state-server"

// shardKinds are the kinds of process that code audio.
var shardKinds = []string{"shard", "codec-shard", "unsharded"}

// Weights are what a singer costs the generator and the shards, in parts of a
// core; Shards is 0 if none was looked at. A generator that costs more than a
// tenth of shards that encode private takes much of the machine that it measures,
// if it is the same one.
type Weights struct {
	Generator, Shards float64
}

// Weights are those of the steady part of the run.
func (r *Result) Weights() Weights {
	var w Weights
	var used, requests float64
	for _, p := range r.Processes {
		switch {
		case p.Generator:
			used, requests = used+p.CPUS, requests+float64(p.Requests)
		case slices.Contains(shardKinds, kindOf(p.Name)):
			w.Shards += p.PerRequestUS / 1e6 * requestsPerSinger
		}
	}
	if requests > 0 {
		w.Generator = used / requests * requestsPerSinger
	}
	return w
}

// estimate works out what a machine would carry.
func (r *Result) estimate() {
	r.Capacity = nil
	costs := map[string]float64{}
	for _, p := range r.Processes {
		if !p.Generator && p.Requests > 0 {
			costs[kindOf(p.Name)] += p.PerRequestUS
		}
	}
	if len(costs) == 0 {
		return
	}
	c := &Capacity{Cores: r.Setup.Cores}
	var sum float64
	most := math.Inf(1)
	for _, kind := range slices.Sorted(maps.Keys(costs)) {
		cost := costs[kind]
		sum += cost
		core := math.Inf(1)
		if cost > 0 {
			core = 1e6 / cost / requestsPerSinger
		}
		if kind == StateServerKind {
			most = core
		}
		c.Parts = append(c.Parts, Share{Kind: kind, PerRequestUS: cost, SingersPerCore: whole(core)})
	}
	if sum > 0 {
		most = min(most, float64(r.Setup.Cores)*1e6/sum/requestsPerSinger)
	}
	c.Singers = whole(most)
	r.Capacity = c
}

// whole is a number of singers that is certainly no more than a machine's.
func whole(singers float64) int { return int(min(singers, 1e9)) }
