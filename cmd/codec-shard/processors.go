package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

// usualGC is how much a heap may grow between two collections, in percent: a
// shard's live heap is a few megabytes, and what it spends is gone with each
// request.
const usualGC = 400

// settle has the runtime use as many processors as are asked for. 0 leaves it one
// where there are other shards for the other processors: goroutines then need not
// wake each other up across processors, which takes a tenth of a shard's time.
// What the environment says (GOMAXPROCS, GOGC) goes before what is usual.
func settle(procs int, sharded bool) {
	switch {
	case procs > 0:
		runtime.GOMAXPROCS(procs)
	case sharded && os.Getenv("GOMAXPROCS") == "":
		runtime.GOMAXPROCS(1)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(usualGC)
	}
}
