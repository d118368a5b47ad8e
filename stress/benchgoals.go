package main

// benchRun is one call of go test.
type benchRun struct {
	pkg   string // folder
	bench string // what -bench gets
	time  string // what -benchtime gets
	count int
}

// benchRuns are all of them: about five minutes on two cores. Benchmarks of
// whole programs are one measurement each, of a fixed number of requests.
var benchRuns = []benchRun{
	{"shm", "^BenchmarkRPC$/^(empty|audio|cross$|idle)", "500ms", 5},
	{"brigade", "^BenchmarkCore$/^(full|writeonly|committed)$", "500ms", 5},
	{"brigade", "^BenchmarkCore$/^users=(10|100|1000)$", "200ms", 3},
	{"brigade", "^BenchmarkCore$/^users=5000$", "200ms", 1},
	{"codec", "^Benchmark(En|De)codeFrame$", "200ms", 3},
	{"e2e", "^BenchmarkShard$", "1x", 2},
	{"e2e", "^BenchmarkSystem$", "1x", 2},
	{"e2e", "^BenchmarkGrowth$", "1x", 1},
}

// goal is one line of the table.
type goal struct {
	title string
	pkg   string
	// bench are the benchmarks that it is about; the worst counts. unit is what
	// they are judged by, divided by the least of over unless over is empty.
	bench []string
	unit  string
	over  []string
	// shown is what stands beside it.
	shown string
	most  float64
}

// fewUsers is what many are held against. With ten a request costs more than with
// a hundred, for it has more of the ring to clear; growth must not hide there.
var fewUsers = []string{"BenchmarkCore/users=10", "BenchmarkCore/users=100"}

// goals are all lines.
var goals = []goal{
	{title: "RPC round trip, two processes, empty, spinning ÷ bare cache-line ping-pong",
		pkg: "shm", bench: []string{"BenchmarkRPC/empty"}, unit: "ratio", shown: "us/op", most: 5},
	{title: "the same, waiting as by default",
		pkg: "shm", bench: []string{"BenchmarkRPC/empty-hybrid"}, unit: "ratio", shown: "us/op", most: 5},
	{title: "RPC, 115 200 bytes each way, spinning ÷ the four memcpys of it",
		pkg: "shm", bench: []string{"BenchmarkRPC/audio"}, unit: "ratio", shown: "us/op", most: 2},
	{title: "the same, waiting as by default",
		pkg: "shm", bench: []string{"BenchmarkRPC/audio-hybrid"}, unit: "ratio", shown: "us/op", most: 2},
	{title: "RPC, 115 200 bytes each way, spinning ÷ the same copies, made in turns by the two processes",
		pkg: "shm", bench: []string{"BenchmarkRPC/cross"}, unit: "ratio", shown: "us/op", most: 1.1},
	{title: "RPC from idle ÷ bare cross-process futex wake",
		pkg: "shm", bench: []string{"BenchmarkRPC/idle"}, unit: "ratio", shown: "us/op", most: 1.5},
	{title: "core, full request (28 800 in, 28 800 out) ÷ memcpy of 115 200 bytes",
		pkg: "brigade", bench: []string{"BenchmarkCore/full"}, unit: "ratio", shown: "us/op", most: 6},
	{title: "core, write only ÷ the same memcpy",
		pkg: "brigade", bench: []string{"BenchmarkCore/writeonly"}, unit: "ratio", shown: "us/op", most: 3},
	{title: "core, full request, committed ÷ not committed",
		pkg: "brigade", bench: []string{"BenchmarkCore/committed"}, unit: "ratio", shown: "us/op", most: 1.5},
	{title: "core, full request without the user list, the worse of 1000 and 5000 users ÷ the better of 10 and 100",
		pkg: "brigade", bench: []string{"BenchmarkCore/users=1000", "BenchmarkCore/users=5000"},
		unit: "us/op", over: fewUsers, shown: "us/op", most: 1.2},
	{title: "core, full request, 1000 users with the user list ÷ the better of 10 and 100 without",
		pkg: "brigade", bench: []string{"BenchmarkCore/users=1000/list"},
		unit: "us/op", over: fewUsers, shown: "us/op", most: 2},
	{title: "shard, private encoders, CPU per request ÷ raw libopus decode + encode at the same settings",
		pkg: "e2e", bench: []string{"BenchmarkShard/private"}, unit: "ratio", shown: "us/op", most: 1.08},
	{title: "shard, 40 singers in one bucket, shared, CPU per request ÷ raw libopus decode",
		pkg: "e2e", bench: []string{"BenchmarkShard/shared"}, unit: "ratio", shown: "us/op", most: 1.35},
	{title: "whole system (nginx + shard + state server), CPU per singer, shared ÷ private at libopus defaults, sung",
		pkg: "e2e", bench: []string{"BenchmarkSystem/sung"}, unit: "ratio", shown: "us/op", most: 0.3},
	{title: "the same, three speaking and the others listening with open microphones",
		pkg: "e2e", bench: []string{"BenchmarkSystem/speech"}, unit: "ratio", shown: "us/op", most: 0.15},
	{title: "allocations on the per-frame path",
		pkg: "codec", bench: []string{
			"BenchmarkEncodeFrame/sung", "BenchmarkEncodeFrame/spoken", "BenchmarkEncodeFrame/room",
			"BenchmarkDecodeFrame/sung", "BenchmarkDecodeFrame/spoken", "BenchmarkDecodeFrame/room",
		}, unit: "allocs/op", shown: "B/op", most: 0},
	{title: "growth: CPU per singer at 100 and 200 singers on one shard, the worse of them ÷ the best of fewer",
		pkg: "e2e", bench: []string{"BenchmarkGrowth"}, unit: "ratio", shown: "us/op", most: 1.15},
}

// result is what became of a goal.
type result struct {
	value float64
	shown float64 // of the benchmark that was worst
	there bool    // all that it takes was measured
}

func (r result) reached(g goal) bool { return r.there && r.value <= g.most }

// result finds what was measured for g.
func (m measured) result(g goal) (r result) {
	base := 1.0
	for i, name := range g.over {
		value, ok := m.median(metric{g.pkg, name, g.unit})
		if !ok || value <= 0 {
			return result{}
		}
		if i == 0 || value < base {
			base = value
		}
	}
	for i, name := range g.bench {
		value, ok := m.median(metric{g.pkg, name, g.unit})
		if !ok {
			return result{}
		}
		if value /= base; i == 0 || value > r.value {
			r.value = value
			r.shown, _ = m.median(metric{g.pkg, name, g.shown})
		}
	}
	r.there = len(g.bench) > 0
	return r
}
