package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// gatewayHeap is the size, in bytes, below which a gateway's heap is not worth
// cleaning: with what a Go program takes besides, less than 60 MB in all.
const gatewayHeap = 24 << 20

// collectAbove has Go's collector run when the heap has grown to floor bytes, or
// doubled where that is more. By itself it waits for the second alone, so that
// in a program which keeps little it runs all the time. Whoever sets GOGC or
// GOMEMLIMIT knows better.
func collectAbove(floor uint64) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	set := 100
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	var collected func(struct{})
	collected = func(struct{}) {
		metrics.Read(live)
		if p := growth(live[0].Value.Uint64(), floor); p < set || p > set+set/8 {
			debug.SetGCPercent(p)
			set = p
		}
		// The next cycle finds this unused and calls again.
		runtime.AddCleanup(new([64]byte), collected, struct{}{})
	}
	collected(struct{}{})
}

// growth is by how many percent a heap of that size may grow until it is collected.
func growth(live, floor uint64) int {
	const least = 1 << 20 // bytes; before the first cycle nothing is known
	if live = max(live, least); 2*live >= floor {
		return 100
	}
	return int(100 * (floor - live) / live)
}
